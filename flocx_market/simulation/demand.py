# SPDX-License-Identifier: Apache-2.0
"""Which reservations of a trace are demand: a wish that was sent several times is one wish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum

from flocx_market.simulation.traces import Reservation


class Rows(StrEnum):
    """Which lines of a trace are looked at."""

    ALL = "all"
    NOT_REFUSED = "not-refused"
    APPROVED = "approved"


class Attempts(StrEnum):
    """Which of several attempts at the same thing counts."""

    LAST = "last"
    FIRST = "first"
    EACH = "each"


def wishes(reservations: Iterable[Reservation], *, rows: Rows, attempts: Attempts, within: int) -> list[Reservation]:
    """Return the reservations that count, by the time they were submitted.

    Lines without nodes, without length or for a time that is over are left out. An attempt follows
    another of the same project for the same node type at the same site when it
    says the same, or when it comes at most ``within`` seconds later and the two
    windows overlap. Of a wish, the first or the last wording counts, from when
    it was submitted for the first time.
    """
    wanted = sorted(
        (
            one
            for one in reservations
            if one.nodes > 0 and one.end > max(one.begin, one.submitted) and _looked_at(one, rows)
        ),
        key=lambda one: (one.submitted, one.wording),
    )
    if attempts is Attempts.EACH:
        return wanted
    chosen = [_counting(chain, attempts) for chain in _chains(wanted, within)]
    return sorted(chosen, key=lambda one: (one.submitted, one.wording))


def _looked_at(reservation: Reservation, rows: Rows) -> bool:
    if rows is Rows.APPROVED:
        return reservation.approved
    return rows is Rows.ALL or not reservation.refused


def _chains(reservations: Sequence[Reservation], within: int) -> list[list[Reservation]]:
    chains: list[list[Reservation]] = []
    of_project: dict[tuple[str, str, str], list[list[Reservation]]] = defaultdict(list)
    said: dict[tuple[str, str, str, int, int, int], list[Reservation]] = {}
    for one in reservations:
        key = one.site, one.project, one.node_type
        # What is too long ago can only be said again in the same words.
        recent = [c for c in of_project[key] if one.submitted - c[-1].submitted <= within]
        chain = said.get(one.wording) or next((c for c in reversed(recent) if _overlap(one, c[-1])), None)
        if chain is None:
            chain = []
            chains.append(chain)
        of_project[key] = [*(c for c in recent if c is not chain), chain]
        chain.append(one)
        said[one.wording] = chain
    return chains


def _overlap(one: Reservation, other: Reservation) -> bool:
    return one.begin < other.end and other.begin < one.end


def _counting(chain: Sequence[Reservation], attempts: Attempts) -> Reservation:
    if attempts is Attempts.FIRST:
        return chain[0]
    return next(one for one in chain if one.wording == chain[-1].wording)
