# SPDX-License-Identifier: Apache-2.0
"""Who sells to whom, and for how long at least, found for all sellers at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from flocx_market.domain.lots import Column, Mask, Seller


class Sellers:
    """The sellers of a market by number, as columns.

    :param sellers: more may come at its end.
    """

    def __init__(self, sellers: Sequence[Seller]) -> None:
        self._sellers = sellers
        self._least: Column = np.zeros(0, np.int64)
        self._to_all: Mask = np.zeros(0, np.bool_)
        # By project the sellers that are its own, and those that sell to few and to it.
        self._of_owner: dict[str, list[int]] = defaultdict(list)
        self._to_few: dict[str, list[int]] = defaultdict(list)
        self._admits: dict[str, Mask] = {}

    def admitting(self, project_id: str) -> Mask:
        """Return, for each seller, whether it sells to a project: allowed, and not the seller itself."""
        self._take_in()
        known = self._admits.get(project_id)
        if known is None:
            known = self._admits[project_id] = self._to_all.copy()
            known[self._to_few.get(project_id, [])] = True
            known[self._of_owner.get(project_id, [])] = False
        return known

    def least_durations(self) -> Column:
        """Return, for each seller, the shortest contract it makes in seconds."""
        self._take_in()
        return self._least

    def _take_in(self) -> None:
        seen = len(self._least)
        if seen == len(self._sellers):
            return
        self._admits.clear()
        new = self._sellers[seen:]
        self._least = np.concatenate([self._least, np.array([least for *_, least in new], np.int64)])
        self._to_all = np.concatenate([self._to_all, np.array([lessees is None for _, lessees, *_ in new], np.bool_)])
        for number, (owner, lessees, *_) in enumerate(new, seen):
            self._of_owner[owner].append(number)
            for project_id in lessees or ():
                self._to_few[project_id].append(number)
