# SPDX-License-Identifier: Apache-2.0
"""Telling the static driver that a machine is down, or up again."""

from __future__ import annotations

from datetime import datetime

from flocx_common.domain.errors import NodeNotFound
from flocx_common.domain.events import Event, projects
from flocx_provider.domain.node import NodeFacts
from flocx_provider.ports.inventory import NodeInventory
from flocx_provider.ports.node_states import NodeStates


def set_node_health(
    name_or_uuid: str, reason: str | None, *, inventory: NodeInventory, states: NodeStates, now: datetime
) -> NodeFacts:
    """Set why a node is down, None for up, and return the node.

    :raises NodeNotFound: the inventory has no such node.
    """
    node = inventory.node(name_or_uuid)
    if node is None:
        raise NodeNotFound(f"node: {name_or_uuid!r} is not in the inventory", field="node")
    event = Event(
        event_type="node.up" if reason is None else "node.down",
        entity_uuid=node.node_uuid,
        project_ids=projects(node.owner_project_id),
        occurred_at=now,
        reason=reason,
        detail={"node_name": node.name},
    )
    states.set_down(node.node_uuid, reason, event)
    after = inventory.node(node.node_uuid)
    assert after is not None
    return after
