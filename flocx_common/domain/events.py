# SPDX-License-Identifier: Apache-2.0
"""Events: what happened, when, to which entity, which projects are told, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flocx_common.domain.json_values import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change, as it is kept for ever.

    ``event_type`` is the entity's word and a verb in the past ("bid.matched");
    ``project_ids`` are the projects that may see it, none for operators only;
    ``number`` is its place in the order of changes, given when it is committed.
    """

    event_type: str
    entity_uuid: str
    project_ids: frozenset[str]
    occurred_at: datetime
    reason: str | None = None
    detail: Mapping[str, JSON] = field(default_factory=dict)
    uuid: str | None = None
    number: int | None = None

    @property
    def entity_type(self) -> str:
        """The word for the entity: the part of the type before the point."""
        return self.event_type.partition(".")[0]


def projects(*ids: str | None, more: Iterable[str] = ()) -> frozenset[str]:
    """Return the projects an event concerns; None stands for no project."""
    return frozenset(one for one in (*ids, *more) if one is not None)
