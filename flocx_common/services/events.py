# SPDX-License-Identifier: Apache-2.0
"""Telling what happened."""

from __future__ import annotations

from collections.abc import Sequence

from flocx_common.domain.errors import CursorInvalid
from flocx_common.domain.events import Event
from flocx_common.ports.events import EventStore, Snapshot


def events_since(
    since: int | None, limit: int, project_id: str | None, *, store: EventStore
) -> tuple[Sequence[Event], int]:
    """Return events after a place, in order, and the place of the snapshot.

    :param since: None for the place of the snapshot itself, so that no event is returned.
    :param project_id: whose events; None for everybody's.
    :raises CursorInvalid: the place lies beyond everything there is.
    """

    def work(snapshot: Snapshot) -> tuple[Sequence[Event], int]:
        if since is None:
            return (), snapshot.place()
        place = known_place(snapshot, since)
        return snapshot.events.since(since, limit, project_id), place

    return store.read(work)


def known_place(snapshot: Snapshot, since: int) -> int:
    """Return the place of the snapshot.

    :raises CursorInvalid: ``since`` lies beyond it. The database was restored
        from a backup, and what came after it would be missed.
    """
    place = snapshot.place()
    if since > place:
        raise CursorInvalid("since: the cursor is newer than anything known here; start without one", field="since")
    return place
