# SPDX-License-Identifier: Apache-2.0
"""Lots in the order of what they ask, so that who looks for the cheapest need not look at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

_Column = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]

_FACTOR = 4
# Later than every start.
_NEVER = 1 << 62

_COLUMNS = ("_lot", "_kind", "_seller", "_less", "_begin", "_end")


class PriceOrder:
    """Lots with kind of hardware, seller, reserve and free window, as columns up to the cheapest.

    What was put in since the columns were put in order stands behind the
    cheapest, so that both are looked at together; when that is much all are put
    in order anew.

    :param first: so many lots are looked at first; each part after that is
        larger than the one before by a factor.
    :param unordered: so many may stand out of order, or an eighth of all if that is more.
    :param looked_at: so many lots of the right hardware are looked at first for
        each that is wanted; many do not fit in time.
    """

    def __init__(self, first: int = 4096, unordered: int = 256, looked_at: int = 16) -> None:
        self._first, self._unordered, self._looked_at = first, unordered, looked_at
        self._lot, self._kind, self._seller = (np.zeros(64, np.int64) for _ in range(3))
        # The reserve with its sign changed, so that the order is ascending.
        self._less, self._begin, self._end = (np.zeros(64, np.int64) for _ in range(3))
        self._used = self._ordered = 0
        # The row of each lot, -1 for none.
        self._row_of: list[int] = []

    def put(self, lot: int, kind: int, seller: int, reserve: int, begin: int, end: int) -> None:
        """Put in a lot; numbers of lots come without gaps, and come again for other lots of the same hardware."""
        if lot == len(self._row_of):
            self._row_of.append(-1)
        row = self._row_of[lot]
        if row < 0 or self._less[row] != -reserve:
            row = self._row_of[lot] = self._used
            if row == len(self._lot):
                for name in _COLUMNS:
                    setattr(self, name, np.resize(getattr(self, name), 2 * row))
            self._used += 1
            self._lot[row], self._kind[row], self._less[row] = lot, kind, -reserve
        self._seller[row], self._begin[row], self._end[row] = seller, begin, end

    def drop(self, lot: int) -> None:
        """Take a lot out."""
        self._begin[self._row_of[lot]] = _NEVER

    def parts(
        self,
        kinds: _Mask,
        sellers: _Mask,
        *,
        limit: int,
        latest: int,
        ends: int,
        length: int | None,
        wanted: int | None,
    ) -> Iterator[_Column]:
        """Yield the lots that fit, part after part: those of a part ask more than all those before it.

        :param kinds: of each kind of hardware whether it is wanted.
        :param sellers: of each seller whether it may be.
        :param limit: what a lot may ask at the most.
        :param latest: free windows begin then at the latest,
        :param ends: end then at the earliest,
        :param length: and are as long as this, where given.
        :param wanted: about so many lots will do; None yields all in one part.
        """
        ordered, used = self._ordered, self._used
        if used - ordered > max(self._unordered, ordered // 8):
            self._put_in_order()
            ordered = used = self._used

        def fitting(first: int, stop: int) -> _Column:
            # Hardware tells most lots apart, so that the rest is asked of few.
            rows = kinds.take(self._kind[first:stop]).nonzero()[0] + first
            begin, end = self._begin[rows], self._end[rows]
            fit = begin <= latest
            fit &= end >= ends
            if length is not None:
                fit &= end - begin >= length
            rows = rows[fit]
            return rows[sellers[self._seller[rows]]]

        less = self._less
        stop = int(less[:ordered].searchsorted(-limit))
        size = ordered - stop
        if wanted is not None:
            size = max(self._first, self._looked_at * wanted * len(kinds) // max(1, int(np.count_nonzero(kinds))))
        first, late = ordered, None
        while True:
            begin = max(first - size, stop)
            # Those that ask as much come along.
            begin = stop + int(less[stop:begin].searchsorted(less[begin])) if begin > stop else stop
            dearest = limit if begin == stop else -int(less[begin])
            rows = fitting(begin, used if late is None else first)
            if late is not None:
                rows = np.concatenate([rows, late])
            cheap = less[rows] >= -dearest
            yield self._lot[rows[cheap]]
            if begin == stop:
                return
            late = rows[~cheap]
            first, size = begin, size * _FACTOR

    def _put_in_order(self) -> None:
        rows = np.flatnonzero(self._begin[: self._used] != _NEVER)
        rows = rows[np.argsort(self._less[rows], kind="stable")]
        for name in _COLUMNS:
            column = getattr(self, name)
            column[: len(rows)] = column[rows]
        self._used = self._ordered = len(rows)
        row_of = np.full(len(self._row_of), -1)
        row_of[self._lot[: len(rows)]] = np.arange(len(rows))
        self._row_of = row_of.tolist()
