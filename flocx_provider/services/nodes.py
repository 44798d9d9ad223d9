# SPDX-License-Identifier: Apache-2.0
"""Looking at nodes: what they are, who holds them, what is offered and promised of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flocx_common.domain.access import Access, decide_access
from flocx_common.domain.errors import NodeNotFound
from flocx_common.domain.paging import ListQuery, Page, paged
from flocx_common.domain.window import TimeWindow
from flocx_provider.domain.allocation import Allocation
from flocx_provider.domain.availability import node_free_windows
from flocx_provider.domain.node import NodeFacts
from flocx_provider.domain.offer import Offer
from flocx_provider.ports.inventory import NodeInventory
from flocx_provider.ports.store import Store, UnitOfWork

_Known = tuple[Sequence[Offer], Sequence[Allocation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node with what is offered and promised of it."""

    facts: NodeFacts
    offers: Sequence[Offer]
    allocations: Sequence[Allocation]
    free: tuple[TimeWindow, ...]


def list_nodes(
    query: ListQuery,
    owner_project_id: str | None,
    *,
    inventory: NodeInventory,
    store: Store,
    turnaround: timedelta,
    now: datetime,
) -> Page[NodeView]:
    """Return a page of an owner's nodes, or of all for None, each with what stands of it now."""
    mine = [node for node in inventory.nodes() if owner_project_id in (None, node.owner_project_id)]
    page = paged(mine, query, _value, key="node_uuid")

    def read(uow: UnitOfWork) -> _Known:
        uuids = [node.node_uuid for node in page.items]
        return uow.offers.standing_of(uuids), uow.allocations.current_of(uuids, now - turnaround)

    return Page(_viewed(page.items, store.read(read), turnaround, now), page.more)


def get_node(
    name_or_uuid: str,
    owner_project_id: str | None,
    *,
    inventory: NodeInventory,
    store: Store,
    turnaround: timedelta,
    now: datetime,
) -> NodeView:
    """Return one of an owner's nodes, or any for None, with its whole history.

    :raises NodeNotFound: the owner has no such node.
    """
    node = inventory.node(name_or_uuid)
    if node is None or owner_project_id not in (None, node.owner_project_id):
        raise NodeNotFound(f"node: the project owns no node {name_or_uuid!r}", field="node")
    known = store.read(lambda uow: (uow.offers.of_nodes([node.node_uuid]), uow.allocations.of_nodes([node.node_uuid])))
    return _viewed([node], known, turnaround, now)[0]


def node_access(name_or_uuid: str, project_id: str, *, inventory: NodeInventory) -> tuple[NodeFacts, Access]:
    """Return whether a project may use a node now, and why: the rule of the Nova filter.

    :raises NodeNotFound: there is no such node.
    """
    node = inventory.node(name_or_uuid)
    if node is None:
        raise NodeNotFound(f"node: there is no node {name_or_uuid!r}", field="node")
    access = decide_access(
        project_id=project_id,
        owner_project_id=node.owner_project_id,
        lessee_project_id=node.lessee_project_id,
        contested=node.conflict is not None,
    )
    return node, access


def _viewed(nodes: Sequence[NodeFacts], known: _Known, turnaround: timedelta, now: datetime) -> Sequence[NodeView]:
    offers: dict[str, list[Offer]] = defaultdict(list)
    allocations: dict[str, list[Allocation]] = defaultdict(list)
    for offer in known[0]:
        offers[offer.node_uuid].append(offer)
    for allocation in known[1]:
        allocations[allocation.node_uuid].append(allocation)
    return [
        NodeView(
            facts=node,
            offers=offers.get(node.node_uuid, ()),
            allocations=allocations.get(node.node_uuid, ()),
            free=node_free_windows(
                offers.get(node.node_uuid, ()), allocations.get(node.node_uuid, ()), turnaround, now
            ),
        )
        for node in nodes
    ]


def _value(node: NodeFacts, field: str) -> object:
    return getattr(node, {"node_name": "name"}.get(field, field))
