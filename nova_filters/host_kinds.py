# SPDX-License-Identifier: Apache-2.0
"""Which of the scheduler's hosts are bare-metal nodes."""

from __future__ import annotations

import re

# What Nova's Ironic driver calls its hypervisor.
_IRONIC = "ironic"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_bare_metal(hypervisor_type: str | None, nodename: str) -> bool:
    """Tell whether a host state is an Ironic node.

    The sure sign is the type that the Ironic driver reports. A host that has
    not reported anything yet has no type: then it is one if it is named by a
    UUID, as the Ironic driver names its nodes and no other driver does.
    """
    if hypervisor_type:
        return hypervisor_type.lower() == _IRONIC
    return _UUID.fullmatch(nodename.lower()) is not None
