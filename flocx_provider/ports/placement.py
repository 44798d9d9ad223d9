# SPDX-License-Identifier: Apache-2.0
"""Placement aggregates: which nodes Nova considers for a project in the first place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from flocx_common.domain.errors import Conflict, Unavailable


class PlacementUnavailable(Unavailable):
    """Placement or Nova does not answer, or does not let us."""

    code = "flocx.placement.unavailable"
    title = "Placement or Nova does not answer"


class PlacementRefused(Conflict):
    """One change is refused, or others were faster every time; nothing is said of further changes."""

    code = "flocx.placement.refused"
    title = "Placement or Nova refuses the change"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectAggregate:
    """An aggregate of ours.

    ``in_force``: Nova holds the project to it. ``shared``: somebody has put
    hosts of another kind into it, so that it is not ours alone.
    """

    uuid: str
    number: int
    project_id: str
    in_force: bool
    shared: bool = False


class PlacementAggregates(Protocol):
    """The aggregates that are ours; no other is ever touched. Every change is harmless to repeat.

    All methods raise PlacementUnavailable where Placement or Nova does not
    answer, and those that change something PlacementRefused where it cannot be done.
    """

    def aggregates(self) -> Sequence[ProjectAggregate]:
        """Return all aggregates of ours, by one call."""

    def members(self, aggregate_uuid: str) -> frozenset[str]:
        """Return the uuids of all resource providers in an aggregate, by one call."""

    def providers(self) -> frozenset[str]:
        """Return the uuids of all resource providers there are, by one call."""

    def create(self, project_id: str) -> ProjectAggregate:
        """Make an aggregate for a project, or take on what an interrupted call has left; not in force yet."""

    def change(self, node_uuid: str, *, add: Collection[str], remove: Collection[str]) -> None:
        """Put a node's resource provider into aggregates and take it out of others, whatever others do to it.

        A provider that is gone is none to change.
        """

    def put_in_force(self, aggregate: ProjectAggregate) -> None:
        """Let Nova hold the project to the aggregate."""

    def lift(self, aggregate: ProjectAggregate) -> None:
        """Let Nova no longer hold the project to the aggregate."""

    def delete(self, aggregate: ProjectAggregate) -> None:
        """Delete an aggregate; one that is gone is deleted."""

    def check(self) -> None:
        """Say nothing when Placement and Nova answer."""
