# SPDX-License-Identifier: Apache-2.0
"""How many nodes can be had at one instant of start, under ``spread`` and ``together``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flocx_market.domain.lots import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Nodes that could start at any instant from ``first`` to ``last``, ``counts`` of them in each row.

    ``group`` numbers their values of ``together``, ``share`` those of ``spread``;
    None where the bid has no such rule. At most ``cap`` nodes of one group with
    one share count, None for any.
    """

    first: Column
    last: Column
    counts: Column
    group: Column | None = None
    share: Column | None = None
    cap: int | None = None

    @property
    def mirrored(self) -> Places:
        """The same with time running backwards."""
        return Places(
            first=-self.last, last=-self.first, counts=self.counts, group=self.group, share=self.share, cap=self.cap
        )

    def only(self, which: slice | Column) -> Places:
        """Return the rows at these positions."""
        return Places(
            first=self.first[which],
            last=self.last[which],
            counts=self.counts[which],
            group=None if self.group is None else self.group[which],
            share=None if self.share is None else self.share[which],
            cap=self.cap,
        )


def most_at_once(places: Places) -> int:
    """Return the most nodes of one group that some instant of start offers; 0 for none."""
    if not len(places.first):
        return 0
    if (places.first == places.first[0]).all():
        return _most_there(places)
    _, values = _over_time(places)
    return int(values.max())


def earliest_with(quantity: int, places: Places, after: int) -> int | None:
    """Return the earliest instant later than ``after`` at which a group has ``quantity`` nodes.

    It is only meaningful where ``after`` itself has too few: then the first
    instant with enough is one at which some place begins.
    """
    places = places.only(np.flatnonzero(places.last >= after))
    if int(places.counts.sum()) < quantity:
        return None
    instants, values = _over_time(places, after)
    enough = instants[(values >= quantity) & (instants > after)]
    return int(enough.min()) if len(enough) else None


def _most_there(places: Places) -> int:
    """Return the most nodes of one group at an instant that all places offer."""
    counts, group = places.counts, places.group
    if places.cap is not None and places.share is not None:
        label, inverse = np.unique(_labels(places), return_inverse=True)
        counts = np.minimum(np.bincount(inverse, weights=counts), places.cap)
        group = None if group is None else label // (int(places.share.max()) + 1)
    return int(counts.sum() if group is None else np.bincount(group, weights=counts).max())


def _over_time(places: Places, begin: int | None = None) -> tuple[Column, Column]:
    """Return instants in no particular order, and how many nodes a group has there.

    Of each instant at which a group gains nodes the number it comes to is
    among them; no number is more than the group has at that instant or had
    just before. Time begins at ``begin``, where given.
    """
    first = places.first if begin is None else np.maximum(places.first, begin)
    if places.group is None and places.share is None:
        at = np.unique(first)
        return at, _before(first, places.counts, at, "right") - _before(places.last, places.counts, at, "left")
    # What comes and what goes, of one group and share after the other, in order of time, what goes first.
    at = np.concatenate([first, places.last + 1])
    change = np.concatenate([places.counts, -places.counts])
    group = np.zeros(len(at), np.int64) if places.group is None else np.tile(places.group, 2)
    if places.cap is not None:
        label = np.tile(_labels(places), 2)
        order = np.lexsort((change, at, label))
        at, change, label, group = at[order], change[order], label[order], group[order]
        counted = np.minimum(np.cumsum(change), places.cap)
        # Each share has come to nothing at its end, so that sums over all begin anew with each.
        change = np.diff(counted, prepend=0)
    order = np.lexsort((change, at, group))
    return at[order], np.cumsum(change[order])


def _labels(places: Places) -> Column:
    """Return one number for group and share together."""
    assert places.share is not None
    if places.group is None:
        return places.share
    return places.group * (int(places.share.max()) + 1) + places.share


def _before(instants: Column, counts: Column, at: Column, side: str) -> Column:
    order = np.argsort(instants)
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts[order])])
    return sums[np.searchsorted(instants[order], at, side)]  # type: ignore[call-overload]
