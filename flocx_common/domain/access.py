# SPDX-License-Identifier: Apache-2.0
"""May this project use this node now? One rule for the Nova filter and the provider.

Standard library only: the Nova scheduler imports this module.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """An answer and the reason for it, in words fit for the project that asked."""

    allowed: bool
    reason: str


def decide_access(
    *, project_id: str, owner_project_id: str | None, lessee_project_id: str | None, contested: bool = False
) -> Access:
    """Decide whether ``project_id`` may use a node now.

    It may when it is the node's lessee, or when the node has no lessee and it
    is the owner. The reason never names another project.

    :param contested: the node contradicts itself about who owns or holds it; then nobody may.
    """
    if contested:
        return Access(False, "the node contradicts itself about who owns or holds it")
    if lessee_project_id is not None:
        if lessee_project_id == project_id:
            return Access(True, "the project is the node's lessee")
        if owner_project_id == project_id:
            return Access(False, "the node is handed over to a lessee until its contract ends")
        return Access(False, "the node is handed over to another project")
    if owner_project_id is not None and owner_project_id == project_id:
        return Access(True, "the project owns the node and no lessee holds it")
    return Access(False, "the project neither owns the node nor holds it under a running contract")
