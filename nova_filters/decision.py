# SPDX-License-Identifier: Apache-2.0
"""The rule the filter applies to each node: the same that the provider answers by."""

from __future__ import annotations

from flocx_common.domain.access import Access, decide_access
from flocx_common.domain.holders import Holders

__all__ = ["Access", "decide_access", "refusal_of"]

UNLISTED = "Ironic does not list the node to the account of the filter"


def refusal_of(node: Holders | None, project_id: str) -> str | None:
    """Return why a project may not land on a node, None when it may.

    :param node: who owns and holds it; None for one that Ironic does not list.
    """
    if node is None:
        return UNLISTED
    access = decide_access(
        project_id=project_id,
        owner_project_id=node.owner_project_id,
        lessee_project_id=node.lessee_project_id,
        contested=node.conflict is not None,
    )
    return None if access.allowed else access.reason
