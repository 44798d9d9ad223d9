# SPDX-License-Identifier: Apache-2.0
"""What expressions give on each kind of hardware, each evaluated once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from flocx_common.domain.json_values import JSON, canonical_json
from flocx_market.domain.book import Hardware
from flocx_market.domain.expressions import Expression
from flocx_market.domain.lots import Column
from flocx_market.domain.requirements import Number, as_number

# Values that are kept of past expressions.
_REMEMBERED = 2_000_000


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers among the values: ``listed`` are the distinct ones, ascending.

    ``rank`` says for each kind which of them it has, -1 where its value is no number.
    """

    listed: Sequence[Number]
    rank: Column


@dataclass(frozen=True, slots=True)
class Texts:
    """The values as canonical JSON: ``listed`` are the distinct texts, ascending; ``rank`` says which each kind has."""

    listed: Sequence[str]
    rank: Column


@dataclass(slots=True)
class _Known:
    values: list[JSON] = field(default_factory=list)
    numbers: Numbers | None = None
    texts: Texts | None = None


class ListedValues:
    """The values of expressions on kinds of hardware.

    :param hardware: the kinds; more may come at its end.
    """

    def __init__(self, hardware: Sequence[Hardware]) -> None:
        self._hardware = hardware
        self._known: dict[str, _Known] = {}
        self._remembered = 0

    def numbers(self, expression: Expression) -> Numbers:
        """Return the numbers that an expression gives, whole ones as integers however they are written."""
        known = self._evaluated(expression)
        if known.numbers is None:
            numbers = [_plain(as_number(value)) for value in known.values]
            ascending = sorted({number for number in numbers if number is not None})
            places = {number: place for place, number in enumerate(ascending)}
            rank = [-1 if number is None else places[number] for number in numbers]
            known.numbers = Numbers(ascending, np.array(rank, np.int64))
        return known.numbers

    def texts(self, expression: Expression) -> Texts:
        """Return the values that an expression gives, as canonical JSON."""
        known = self._evaluated(expression)
        if known.texts is None:
            texts = [canonical_json(value) for value in known.values]
            listed = sorted(set(texts))
            places = {text: place for place, text in enumerate(listed)}
            known.texts = Texts(listed, np.array([places[text] for text in texts], np.int64))
        return known.texts

    def _evaluated(self, expression: Expression) -> _Known:
        known = self._known.get(expression.text)
        missing = len(self._hardware) - (0 if known is None else len(known.values))
        if known is not None and not missing:
            return known
        self._remembered += missing
        if self._remembered > _REMEMBERED:
            self._known.clear()
            known, self._remembered = None, len(self._hardware)
        values = [] if known is None else known.values
        values.extend(expression.evaluate(one.document) for one in self._hardware[len(values) :])
        known = self._known[expression.text] = _Known(values)
        return known


def _plain(number: Number | None) -> Number | None:
    return int(number) if isinstance(number, float) and number.is_integer() else number
