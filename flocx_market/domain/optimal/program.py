# SPDX-License-Identifier: Apache-2.0
"""Choices among options as a linear program, with or without whole numbers.

Variables are, for each option, whether it is chosen, and for each of its
openings how many nodes are taken. The nodes of a group in use are carried from
one instant to the next ("running occupancy"), which needs three entries for an
opening, however many bids overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flocx_market.domain.optimal.openings import Column, Flags
from flocx_market.domain.optimal.prices import Option
from flocx_market.domain.optimal.problem import Problem

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Taken:
    """Openings of options as columns: the option, the opening among the bid's, its group and stretch of the grid."""

    option: Column
    opening: Column
    group: Column
    begin: Column
    end: Column
    nodes: Column
    surplus: Column


@dataclass(frozen=True, slots=True)
class Program:
    """Maximize ``worth`` of columns between 0 and ``upper``, with rows between ``low`` and ``high``.

    Columns are openings, then options, then the nodes in use. ``start``,
    ``index`` and ``entry`` are the matrix, column by column. ``unit`` is the
    money that counts as one. ``group``, ``since`` and ``until`` say which
    stretch of the grid each of the last columns stands for.
    """

    options: Sequence[Option]
    taken: Taken
    worth: Floats
    upper: Floats
    low: Floats
    high: Floats
    start: Column
    index: Column
    entry: Floats
    unit: float
    group: Column
    since: Column
    until: Column

    @property
    def whole(self) -> int:
        """How many columns, from the first, count things."""
        return len(self.taken.option) + len(self.options)

    def in_use(self, values: Floats) -> Floats:
        """Return the last columns' values, which follow from those of the first."""
        ways, count = len(self.taken.option), len(self.group)
        rows, entries = self.index[: self.start[ways]], self.entry[: self.start[ways]]
        column = np.repeat(np.arange(ways), np.diff(self.start[: ways + 1]))
        chained = rows < count
        change = np.zeros(count)
        np.add.at(change, rows[chained], -entries[chained] * values[column[chained]])
        total = np.cumsum(change)
        fresh = np.ones(count, np.bool_)
        fresh[1:] = self.group[1:] != self.group[:-1]
        first = np.maximum.accumulate(np.where(fresh, np.arange(count), 0))
        result: Floats = total - (total - change)[first]
        return result


def taken_by(problem: Problem, options: Sequence[Option]) -> Taken:
    """Return the openings of options as columns."""
    parts: list[list[Column]] = [[], [], [], [], [], [], []]
    for number, option in enumerate(options):
        wanted = problem.wanted[option.bid]
        ways, starts = option.openings, wanted.starts
        surplus = (wanted.bid.limit - wanted.reserve[ways]) * wanted.length
        begin = np.full(len(ways), starts.begin[option.start])
        end = starts.end[wanted.row[ways], option.start]
        columns = (np.full(len(ways), number), ways, wanted.group[ways], begin, end, wanted.nodes[ways], surplus)
        for part, column in zip(parts, columns, strict=True):
            part.append(column)
    return Taken(*(np.concatenate(part) if part else np.zeros(0, np.int64) for part in parts))


def write(problem: Problem, options: Sequence[Option], room: Column | None = None) -> Program:
    """Return the program of choosing among options.

    :param room: nodes left of each group in each stretch of the grid; None for all of them.
    """
    taken = taken_by(problem, options)
    ways, count = len(taken.option), len(options)
    groups, local = np.unique(taken.group, return_inverse=True)
    chain = _chain(problem, taken, groups, local, room)
    rows = _Rows()
    first = ways + count
    rows.add_all(chain.begin, np.arange(ways), -1.0, 0.0, 0.0, len(chain.capacity))
    rows.entries(chain.end[chain.ends], np.flatnonzero(chain.ends), 1.0)
    running = np.arange(len(chain.capacity))
    rows.entries(running, first + running, 1.0)
    rows.entries(running[~chain.last] + 1, first + running[~chain.last], -1.0)
    quantity = np.array([problem.wanted[option.bid].bid.quantity for option in options], np.float64)
    base = rows.add_all(taken.option, np.arange(ways), 1.0, 0.0, 0.0, count)
    rows.entries(base + np.arange(count), ways + np.arange(count), -quantity)
    _, of_bid, sharing = np.unique([option.bid for option in options], return_inverse=True, return_counts=True)
    several = np.flatnonzero(sharing > 1)
    place = np.searchsorted(several, of_bid)
    among = np.isin(of_bid, several)
    rows.add_all(place[among], ways + np.flatnonzero(among), 1.0, 0.0, 1.0, len(several))
    _spread(problem, options, taken, rows, ways)
    index, column, entry = rows.matrix()
    order = np.lexsort((index, column))
    unit = max(1.0, float(taken.surplus.max(initial=1)) / 1e4)
    total = first + len(chain.capacity)
    return Program(
        options,
        taken,
        np.concatenate([taken.surplus / unit, np.zeros(count + len(chain.capacity))]),
        np.concatenate([taken.nodes.astype(np.float64), np.ones(count), chain.capacity.astype(np.float64)]),
        np.concatenate(rows.low),
        np.concatenate(rows.high),
        np.searchsorted(column[order], np.arange(total + 1)),
        index[order],
        entry[order],
        unit,
        groups[chain.group],
        chain.since,
        chain.until,
    )


def _spread(problem: Problem, options: Sequence[Option], taken: Taken, rows: _Rows, ways: int) -> None:
    for number, option in enumerate(options):
        wanted = problem.wanted[option.bid]
        if wanted.bid.spread is None:
            continue
        mine = np.flatnonzero(taken.option == number)
        shares, local = np.unique(wanted.share[taken.opening[mine]], return_inverse=True)
        base = rows.add_all(local, mine, 1.0, -np.inf, 0.0, len(shares))
        most = float(wanted.bid.spread.most)
        rows.entries(base + np.arange(len(shares)), np.full(len(shares), ways + number), -most)


class _Rows:
    """The rows of a matrix, as they are added."""

    def __init__(self) -> None:
        self.low: list[Floats] = []
        self.high: list[Floats] = []
        self._count = 0
        self._index: list[Column] = []
        self._column: list[Column] = []
        self._entry: list[Floats] = []

    def add_all(self, index: Column, column: Column, entry: float, low: float, high: float, count: int) -> int:
        """Add ``count`` rows with these entries; return the number of the first."""
        base = self._count
        self._count += count
        self.low.append(np.full(count, low))
        self.high.append(np.full(count, high))
        self.entries(base + index, column, entry)
        return base

    def entries(self, index: Column, column: Column, entry: float | Floats) -> None:
        """Add entries to rows that are there."""
        self._index.append(index)
        self._column.append(column)
        self._entry.append(np.broadcast_to(np.asarray(entry, np.float64), index.shape))

    def matrix(self) -> tuple[Column, Column, Floats]:
        """Return all entries: row, column, value."""
        return np.concatenate(self._index), np.concatenate(self._column), np.concatenate(self._entry)


@dataclass(frozen=True, slots=True)
class _Chain:
    """The stretches of time of each group in which different nodes may be in use.

    ``begin`` and ``end`` are the stretches with which each opening begins and
    which follows it, where ``ends`` tells that one does; from ``since`` to
    ``until`` is what all contracts that touch a stretch have in common.
    """

    begin: Column
    end: Column
    ends: Flags
    capacity: Column
    group: Column
    since: Column
    until: Column
    last: Flags


def _chain(problem: Problem, taken: Taken, groups: Column, local: Column, room: Column | None) -> _Chain:
    # Only where a contract may begin or end can the nodes in use change.
    marks = np.unique(np.concatenate([taken.begin, taken.end]))
    size = len(groups), len(marks)
    begin, end = np.searchsorted(marks, taken.begin), np.searchsorted(marks, taken.end)
    begins, ends = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    begins[local, begin] = True
    ends[local, end] = True
    if room is None:
        capacity = np.broadcast_to(problem.nodes[groups][:, None], size)
    else:
        capacity = np.minimum.reduceat(room[groups], marks, axis=1) if len(marks) else np.zeros(size, np.int64)
    roomier = np.zeros(size, np.bool_)
    roomier[:, 1:] = capacity[:, 1:] > capacity[:, :-1]
    stretch, current = np.zeros(size, np.int64), np.zeros(len(groups), np.int64)
    begun, ever = (np.zeros(len(groups), np.bool_) for _ in range(2))
    since = np.full(len(groups), size[1])
    # As long as contracts only begin, and there is no more room than before,
    # a later instant has all that an earlier one has.
    for instant in range(size[1]):
        fresh = ends[:, instant] & begun if room is None else (ends[:, instant] | roomier[:, instant]) & ever
        current += fresh
        since[begins[:, instant] & ~ever] = instant
        ever = ever | begins[:, instant]
        begun = (begun & ~fresh) | begins[:, instant]
        stretch[:, instant] = current
    if room is not None:
        begun = ever
    counts = current + begun
    base = np.concatenate([[0], np.cumsum(counts)])[:-1].astype(np.int64)
    total = int(counts.sum())
    inside = (stretch < counts[:, None]) & (np.arange(size[1]) >= since[:, None])
    rows, instants = np.nonzero(inside)
    at = base[rows] + stretch[rows, instants]
    least = np.full(total, np.iinfo(np.int64).max)
    np.minimum.at(least, at, capacity[rows, instants])
    shared, over = np.zeros(total, np.int64), np.zeros(total, np.int64)
    marked = begins[rows, instants]
    shared[at[marked]] = instants[marked]
    over[at] = np.minimum(instants + 1, size[1] - 1)
    followed = stretch[local, end]
    last = np.zeros(total, np.bool_)
    last[(base + counts - 1)[counts > 0]] = True
    return _Chain(
        base[local] + stretch[local, begin],
        base[local] + followed,
        followed < counts[local],
        least,
        np.repeat(np.arange(len(groups)), counts),
        marks[shared] if total else shared,
        marks[over] if total else over,
        last,
    )
