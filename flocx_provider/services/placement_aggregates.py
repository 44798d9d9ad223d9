# SPDX-License-Identifier: Apache-2.0
"""Keeping one Placement aggregate for each project, with the nodes that it may use now.

Nova asks Placement for a limited number of candidates before any filter sees
them. Held to its aggregate, a project gets candidates it can use.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from flocx_common.domain.access import decide_access
from flocx_provider.domain.node import NodeFacts
from flocx_provider.ports.inventory import NodeInventory
from flocx_provider.ports.placement import PlacementAggregates, PlacementRefused, ProjectAggregate

LOG = logging.getLogger(__name__)


def user_of(node: NodeFacts) -> str | None:
    """Return the project that may use a node now: the lessee, or else the owner; None where nobody may."""
    project = node.lessee_project_id or node.owner_project_id
    if project is None:
        return None
    access = decide_access(
        project_id=project,
        owner_project_id=node.owner_project_id,
        lessee_project_id=node.lessee_project_id,
        contested=node.conflict is not None,
    )
    return project if access.allowed else None


def keep_aggregates(*, inventory: NodeInventory, placement: PlacementAggregates) -> None:
    """Make the aggregates what they should be.

    A project is held to an aggregate only once its nodes are in it, and an
    aggregate goes when its project may use no node any more. Resource providers
    that are no nodes of the inventory stay in or out as they are. What is
    refused for one node or project stops none of the others.

    :raises InventoryUnavailable: the nodes are not known; nothing was changed.
    :raises PlacementUnavailable: Placement or Nova does not answer; the next round goes on from there.
    :raises PlacementRefused: all was done but what is told.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    nodes = inventory.nodes()
    for node in nodes:
        project = user_of(node)
        if project is not None:
            wanted[project].add(node.node_uuid)
    _Round(placement, wanted, {node.node_uuid for node in nodes}).run()


class _Round:
    """One comparison of what is with what should be, and what it takes to make them equal."""

    def __init__(self, placement: PlacementAggregates, wanted: Mapping[str, set[str]], nodes: set[str]) -> None:
        self._placement = placement
        self._wanted = wanted
        self._nodes = nodes
        self._refusals: list[PlacementRefused] = []

    def run(self) -> None:
        """Make the aggregates as wanted, one by one.

        :raises PlacementRefused: some could not be changed; the others were.
        """
        standing = {aggregate.project_id: aggregate for aggregate in self._placement.aggregates()}
        for project_id in sorted(standing.keys() - self._wanted.keys()):
            if standing[project_id].in_force:
                with self._singly():
                    self._placement.lift(standing[project_id])
        for project_id in sorted(self._wanted.keys() - standing.keys()):
            with self._singly():
                standing[project_id] = self._placement.create(project_id)
                LOG.info("aggregate %s is made for project %s", standing[project_id].uuid, project_id)
        unmoved = self._move(standing.values())
        for _, aggregate in sorted(standing.items()):
            if aggregate.uuid not in unmoved:
                with self._singly():
                    self._conclude(aggregate)
        if self._refusals:
            more = f" (and {len(self._refusals) - 1} more)" if len(self._refusals) > 1 else ""
            raise PlacementRefused(f"{self._refusals[0].detail}{more}")

    def _move(self, aggregates: Iterable[ProjectAggregate]) -> set[str]:
        """Put nodes into the aggregates they belong to and out of others; return the aggregates where one is left."""
        join: dict[str, set[str]] = defaultdict(set)
        leave: dict[str, set[str]] = defaultdict(set)
        for aggregate in aggregates:
            members = self._placement.members(aggregate.uuid)
            due = self._wanted.get(aggregate.project_id, set())
            for node in due - members:
                join[node].add(aggregate.uuid)
            for node in (members & self._nodes) - due:
                leave[node].add(aggregate.uuid)
        # Nodes that Nova has not told Placement of yet are none of its candidates.
        known = self._placement.providers() if join else frozenset()
        unmoved: set[str] = set()
        for node in sorted((join.keys() & known) | leave.keys()):
            before = len(self._refusals)
            with self._singly():
                self._placement.change(node, add=join[node], remove=leave[node])
            if len(self._refusals) > before:
                unmoved |= join[node] | leave[node]
        return unmoved

    def _conclude(self, aggregate: ProjectAggregate) -> None:
        """Put an aggregate in force, or delete it, now that its nodes are as they should be."""
        if aggregate.project_id in self._wanted:
            if not aggregate.in_force:
                self._placement.put_in_force(aggregate)
        elif not aggregate.shared:
            self._placement.delete(aggregate)
            LOG.info("aggregate %s of project %s is removed", aggregate.uuid, aggregate.project_id)

    @contextmanager
    def _singly(self) -> Iterator[None]:
        try:
            yield
        except PlacementRefused as error:
            self._refusals.append(error)
