# SPDX-License-Identifier: Apache-2.0
"""What expressions give on each kind of hardware, each evaluated once."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from flocx_common.domain.json_values import CHARACTERS_PER_VALUE, JSON, canonical_json
from flocx_market.domain.book import Hardware
from flocx_market.domain.expressions import Expression
from flocx_market.domain.lots import Column, Index, Mask
from flocx_market.domain.reads import reads_of
from flocx_market.domain.requirements import Number, Requirement, as_number

#: To remember which values so many kinds of hardware have takes as much as one value.
KINDS_PER_VALUE = 16

# As it is written: 1 is not 1.0 here, nor do two orders of keys give one text.
_text_of = json.JSONEncoder(separators=(",", ":"), check_circular=False, ensure_ascii=False).encode


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
    # The values that differ, and for each kind the number of the one it has.
    values: list[JSON] = field(default_factory=list)
    number: Index = field(default_factory=lambda: np.zeros(0, np.int32))
    number_of: dict[Hashable, int] = field(default_factory=dict)
    size: int = 0
    numbers: Numbers | None = None
    texts: Texts | None = None


class ListedValues:
    """The values of expressions on kinds of hardware.

    :param hardware: the kinds; more may come at its end.
    :param most: so much is kept of past expressions: values by their size, and
        :data:`KINDS_PER_VALUE` kinds of hardware as one more.
    """

    def __init__(self, hardware: Sequence[Hardware], most: int = 2_000_000) -> None:
        self._hardware, self._most = hardware, most
        self._known: dict[str, _Known] = {}
        self._remembered = 0
        #: How often an expression was evaluated on a kind of hardware.
        self.evaluations = 0

    def meeting(self, requirement: Requirement, seen: int = 0) -> Mask:
        """Return whether a requirement holds, for each kind of hardware but the first ``seen``.

        Its test is made once for each value that its expression gives.
        """
        if seen and requirement.expression.text not in self._known:
            # What is not kept is not worth evaluating on all kinds for the sake of a few.
            rest = self._hardware[seen:]
            self.evaluations += len(rest)
            return np.array([requirement.holds(one.document) for one in rest], np.bool_)
        known = self._evaluated(requirement.expression)
        numbers = known.number[seen:]
        holds = np.full(len(known.values), requirement.negated, np.bool_)
        if requirement.only is None:
            for number in set(numbers.tolist()):
                holds[number] = requirement.accepts(known.values[number])
        else:
            found = [known.number_of[text] for text in requirement.only if text in known.number_of]
            holds[found] = not requirement.negated
        return holds[numbers]

    def numbers(self, expression: Expression) -> Numbers:
        """Return the numbers that an expression gives, whole ones as integers however they are written."""
        known = self._evaluated(expression)
        if known.numbers is None:
            numbers = [_plain(as_number(value)) for value in known.values]
            ascending = sorted({number for number in numbers if number is not None})
            places = {number: place for place, number in enumerate(ascending)}
            rank = np.array([-1 if number is None else places[number] for number in numbers], np.int64)
            known.numbers = Numbers(ascending, rank[known.number])
        return known.numbers

    def texts(self, expression: Expression) -> Texts:
        """Return the values that an expression gives, as canonical JSON."""
        known = self._evaluated(expression)
        if known.texts is None:
            texts = [canonical_json(value) for value in known.values]
            listed = sorted(set(texts))
            places = {text: place for place, text in enumerate(listed)}
            known.texts = Texts(listed, np.array([places[text] for text in texts], np.int64)[known.number])
        return known.texts

    def _evaluated(self, expression: Expression) -> _Known:
        known = self._known.get(expression.text, _Known())
        documents = [one.document for one in self._hardware[len(known.number) :]]
        if not documents:
            return known
        self._remembered -= known.size
        numbers = list(self._number_on_each(known, expression, documents))
        known.number = np.concatenate([known.number, np.array(numbers, np.int32)])
        known.size += len(documents) // KINDS_PER_VALUE
        known.numbers = known.texts = None
        self._remembered += known.size
        if self._remembered > self._most:
            self._known.clear()
            self._remembered = known.size
        self._known[expression.text] = known
        return known

    def _number_on_each(
        self, known: _Known, expression: Expression, documents: Sequence[Mapping[str, JSON]]
    ) -> Iterator[int]:
        """Yield the number of the value on each document, evaluated once for those that agree in what is looked at."""
        reads = reads_of(expression)
        if expression.path is not None or reads.whole:
            # To evaluate it takes no longer than to find what it looks at.
            self.evaluations += len(documents)
            for document in documents:
                yield self._numbered(known, expression.evaluate(document))
            return
        looked_at = reads.fingerprint()
        found: dict[Hashable, int] = {}
        for document in documents:
            key = _key(looked_at, document)
            number = found.get(key)
            if number is None:
                self.evaluations += 1
                number = found[key] = self._numbered(known, expression.evaluate(document))
            yield number

    def _numbered(self, known: _Known, value: JSON) -> int:
        key = _same(value)
        number = known.number_of.setdefault(key, len(known.values))
        if number == len(known.values):
            known.values.append(value)
            text = key[0] if isinstance(key, tuple) else key
            known.size += 1 + (len(text) // CHARACTERS_PER_VALUE if isinstance(text, str) else 0)
        return number


def _same(value: JSON) -> Hashable:
    """Return something hashable that values share only where no requirement can tell them apart."""
    if isinstance(value, bool):
        # As a key, true is 1.
        return (value,)
    return (_key(_text_of, value),) if isinstance(value, list | dict) else value


def _key(make: Callable[[JSON], Hashable], value: object) -> Hashable:
    """Return the key of a value, one of its own where it nests too deep to have one."""
    try:
        return make(value)  # type: ignore[arg-type]
    except RecursionError:
        return object()


def _plain(number: Number | None) -> Number | None:
    return int(number) if isinstance(number, float) and number.is_integer() else number
