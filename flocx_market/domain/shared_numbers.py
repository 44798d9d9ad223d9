# SPDX-License-Identifier: Apache-2.0
"""What lots share, or must not, as numbers: those of equal values are equal."""

from __future__ import annotations

import numpy as np

from flocx_market.domain.expressions import Expression
from flocx_market.domain.lots import Column, Lots
from flocx_market.domain.shares import SharedValues

# Numbers that are kept of past expressions.
_REMEMBERED = 4_000_000


class SharedNumbers:
    """The values of ``spread`` and ``together`` on lots, each evaluated once for all lots with the same terms."""

    def __init__(self, lots: Lots, values: SharedValues) -> None:
        self._lots, self._values = lots, values
        # For each expression the numbers of its values, and of each of the terms the number of its value.
        self._known: dict[str, tuple[dict[str, int], Column]] = {}
        self._remembered = 0

    def of(self, expression: Expression, rows: Column) -> Column:
        """Return the number of the value of each of these lots; all have nodes."""
        lots = self._lots
        terms = lots.terms(rows)
        values, known = self._known.get(expression.text, ({}, np.zeros(0, np.int64)))
        more = (int(terms.max()) + 1 if len(terms) else 0) - len(known)
        if more > 0:
            known = np.concatenate([known, np.full(more, -1, np.int64)])
            self._remembered += more
            if self._remembered > _REMEMBERED:
                self._known.clear()
                self._remembered = len(known)
            self._known[expression.text] = values, known
        for position in np.flatnonzero(known[terms] < 0).tolist():
            offer = lots.offers[lots.members[rows[position]][0]]
            value = self._values.value(expression, offer)
            known[terms[position]] = values.setdefault(value, len(values))
        return known[terms]
