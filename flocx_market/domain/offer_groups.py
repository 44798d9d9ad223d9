# SPDX-License-Identifier: Apache-2.0
"""Offers counted instead of listed, whether or not anything of them is still free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from flocx_market.domain.lots import Column, Lots


class OfferGroups:
    """The offers of lots in groups: same hardware, same terms of the same seller, same reserve, same offered window.

    Columns with a row for each group, of which the first ``used`` mean
    something; ``count`` is 0 for a group whose offers have all gone, ``terms``
    are those of its lots. Free time has no part in it, so that contracts change
    nothing here.
    """

    def __init__(self, lots: Lots) -> None:
        self._lots = lots
        self.used = 0
        self.total = 0
        self.begin, self.end, self.reserve, self.least = (np.zeros(64, np.int64) for _ in range(4))
        self.kind, self.seller, self.terms = (np.zeros(64, np.int64) for _ in range(3))
        self.count: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._rows: list[int] = []
        self._numbers: dict[tuple[int, int, int], int] = {}
        self.take_in()

    def take_in(self) -> None:
        """Count the offers that have come to the lots since."""
        lots = self._lots
        for number in range(len(self._rows), len(lots.offers)):
            window = lots.offers[number].window
            key = (lots.terms_of(number), window.begin, window.end)
            row = self._numbers.get(key)
            if row is None:
                row = self._numbers[key] = self._open(number)
            self._rows.append(row)
            self.count[row] += 1
            self.total += 1

    def discard(self, number: int) -> None:
        """Count an offer no longer; once at most for each."""
        self.count[self._rows[number]] -= 1
        self.total -= 1

    def row(self, number: int) -> int:
        """Return the group of an offer."""
        return self._rows[number]

    def rows(self, numbers: Sequence[int]) -> Column:
        """Return the group of each of these offers."""
        return np.array([self._rows[number] for number in numbers], np.int64)

    def _open(self, number: int) -> int:
        offer, lots, row = self._lots.offers[number], self._lots, self.used
        if row == len(self.count):
            for name in ("begin", "end", "reserve", "least", "kind", "seller", "terms", "count"):
                setattr(self, name, np.resize(getattr(self, name), 2 * row))
        self.used += 1
        self.begin[row], self.end[row] = offer.window.begin, offer.window.end
        self.reserve[row], self.least[row] = offer.reserve, offer.min_duration
        self.kind[row], self.seller[row] = lots.kind(number), lots.seller_of(number)
        self.terms[row], self.count[row] = lots.terms_of(number), 0
        return row
