# SPDX-License-Identifier: Apache-2.0
"""Hardware documents sorted into classes, by what the expressions of live bids can tell apart.

Inspected machines of one kind differ in serial numbers and addresses, so that
there are as many documents as nodes. But a round only asks what the expressions
of its bids give. Documents on which all of them give the same are one class,
and a market of a hundred thousand documents has some dozens of these.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flocx_common.domain.json_values import JSON, canonical_json, digest
from flocx_market.domain.book import BookBid, Hardware
from flocx_market.domain.expressions import Expression
from flocx_market.domain.reads import Reads, reads_of

# The key under which ``spread`` and ``together`` see the offer.
_OFFER = "offer"
# Expressions that are kept in mind beyond the round that asked them.
_MOST_EXPRESSIONS = 128
# Classes up to which documents are told apart by what no bid of the round asks.
_MOST_LASTING = 1000
# Values of one expression that are remembered by what it reads.
_MOST_VALUES = 4096

# What tells documents apart: the value of an expression, by its text, or what it reads.
_Column = tuple[str, bool]
# From the digest of a document, and the document, to the values of some columns.
_Values = Callable[[str, Mapping[str, JSON]], tuple[Hashable, ...]]
# All values of a document, group by group.
_Row = tuple[tuple[Hashable, ...], ...]

# As it is written, unlike the canonical text, which takes ten times as long.
_text_of = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class LiveExpressions:
    """The expressions that bids ask: of the documents, and of documents with the offer in them."""

    of_documents: frozenset[Expression] = frozenset()
    of_offers: frozenset[Expression] = frozenset()

    @classmethod
    def of(cls, bids: Iterable[BookBid]) -> LiveExpressions:
        """Return those of some bids."""
        documents: set[Expression] = set()
        offers: set[Expression] = set()
        for bid in bids:
            documents.update(requirement.expression for requirement in bid.requirements)
            offers.update([bid.spread.by] if bid.spread else [])
            offers.update([bid.together] if bid.together else [])
        return cls(frozenset(documents), frozenset(offers))

    def within(self, others: LiveExpressions) -> bool:
        """Tell whether all of these are among others."""
        return self.of_documents <= others.of_documents and self.of_offers <= others.of_offers


class HardwareClasses:
    """Hardware documents and the classes they belong to.

    Use: :meth:`unknown` tells which documents must be shown, :meth:`add` shows
    one, :meth:`hardware` gives the classes. What was shown is remembered for
    the next round as a class number for each digest; a document itself is kept
    for each class alone, and of it only what the expressions look at. When
    bids ask an expression that was not asked before, all documents must be
    shown again, and :meth:`unknown` says so; so a bid that comes late needs
    :meth:`unknown` with its expressions, too. What is remembered never changes
    a class: documents shown for the first time give the same.

    Two documents that a live expression tells apart are never in one class. Two
    that none tells apart are never in two, with one exception: an expression
    that looks at both document and offer tells apart what differs in anything
    it reads.
    """

    def __init__(self) -> None:
        self._live = LiveExpressions()
        self._groups: Mapping[tuple[_Column, ...], _Values] = {}
        self._reads = Reads()
        self._class_of: dict[str, int] = {}
        self._numbers: dict[_Row, int] = {}
        # Of each class, by number: the smallest digest, and that document.
        self._least: list[tuple[str, JSON]] = []

    def unknown(self, live: LiveExpressions, digests: Collection[str]) -> set[str]:
        """Return which of these documents must be shown before :meth:`hardware` is asked.

        :param digests: of all documents of the round; what is remembered of
            others is forgotten when it is more than this.
        """
        if not live.within(self._live):
            self._restart(live)
        elif len(self._class_of) > 2 * len(digests) + _MOST_VALUES:
            self._forget_others(digests)
        return self.new(digests)

    def new(self, digests: Iterable[str]) -> set[str]:
        """Return which of these documents were not shown yet, whatever else there is."""
        return {key for key in digests if key not in self._class_of}

    def lasting(self, live: LiveExpressions) -> LiveExpressions:
        """Return all expressions that are answered, for classes that late bids share, too.

        Only ``live`` where the others tell too many documents apart. To be asked
        when all documents of a round have been shown.

        :param live: as given to :meth:`unknown` last.
        """
        return self._live if len(self._numbers) <= _MOST_LASTING else live

    def add(self, key: str, document: Mapping[str, JSON]) -> None:
        """Show a document with its digest."""
        values = tuple([values_of(key, document) for values_of in self._groups.values()])
        number = self._numbers.setdefault(values, len(self._least))
        if number == len(self._least):
            self._least.append((key, self._reads.pruned(dict(document))))
        elif key < self._least[number][0]:
            self._least[number] = key, self._reads.pruned(dict(document))
        self._class_of[key] = number

    def hardware(self, live: LiveExpressions, digests: Iterable[str] | None = None) -> Mapping[str, Hardware]:
        """Return, by the digest of a document, its class: of these documents, or of all.

        A class has a digest of its own. Its document is one of those in it, cut
        to what the expressions look at, and they give on it what they give on
        every document of the class.

        :param live: some of those given to :meth:`unknown` since it last wanted all documents.
        """
        asked = {column for group in _groups(live) for column in group}
        names = [column for group in self._groups for column in group]
        wanted = [index for index, name in enumerate(names) if name in asked]
        found: dict[tuple[Hashable, ...], tuple[str, JSON]] = {}
        coarse: list[tuple[Hashable, ...]] = []
        for values, number in self._numbers.items():
            flat = [value for group in values for value in group]
            seen = tuple([flat[index] for index in wanted])
            coarse.append(seen)
            found[seen] = min(found.get(seen, self._least[number]), self._least[number], key=lambda one: one[0])
        classes: dict[tuple[Hashable, ...], Hardware] = {}
        for seen, (_, document) in found.items():
            assert isinstance(document, dict)
            told = sorted([*names[index], repr(value)] for index, value in zip(wanted, seen, strict=True))
            classes[seen] = Hardware(digest(told), document)
        of_number = [classes[seen] for seen in coarse]
        keys = self._class_of if digests is None else digests
        return {key: of_number[self._class_of[key]] for key in keys}

    def _restart(self, live: LiveExpressions) -> None:
        both = LiveExpressions(live.of_documents | self._live.of_documents, live.of_offers | self._live.of_offers)
        self._live = both if len(both.of_documents) + len(both.of_offers) <= _MOST_EXPRESSIONS else live
        self._groups = _groups(self._live)
        self._reads = Reads()
        for expression in self._live.of_documents | self._live.of_offers:
            self._reads.add(expression)
        self._class_of, self._numbers, self._least = {}, {}, []

    def _forget_others(self, digests: Collection[str]) -> None:
        kept = {key: self._class_of[key] for key in digests if key in self._class_of}
        values = list(self._numbers)
        numbers: dict[int, int] = {number: index for index, number in enumerate(sorted(set(kept.values())))}
        self._numbers = {values[number]: index for number, index in numbers.items()}
        self._least = [self._least[number] for number in numbers]
        self._class_of = {key: numbers[number] for key, number in kept.items()}


def _groups(live: LiveExpressions) -> Mapping[tuple[_Column, ...], _Values]:
    """Return what gives the values of columns, for columns that are looked up together."""
    plain: list[Expression] = []
    others: list[Expression] = []
    groups: dict[tuple[_Column, ...], _Values] = {}
    for expression in sorted(live.of_documents | live.of_offers, key=lambda one: one.text):
        reads = reads_of(expression)
        sees_offer = reads.whole or reads.counted or _OFFER in reads.keys
        if expression in live.of_documents or not sees_offer:
            if reads.whole:
                groups[(expression.text, False),] = _evaluated(expression)
            else:
                (others if expression.path is None else plain).append(expression)
        if expression in live.of_offers and sees_offer:
            rest = reads.without(_OFFER)
            if rest.whole or rest.counted or rest.keys:
                groups[(expression.text, True),] = _what_is_read(rest)
    # A plain path may lead to what differs in every document, and is evaluated
    # at once; that must not make the others be evaluated for every document.
    for group in (plain, others):
        if group:
            groups[tuple((one.text, False) for one in group)] = _remembered([_evaluated(one) for one in group], group)
    return groups


def _evaluated(expression: Expression) -> _Values:
    """Return what gives the value of an expression on a document, the same for all values that count as equal."""

    def evaluate(_key: str, document: Mapping[str, JSON]) -> tuple[Hashable, ...]:
        return (_comparable(expression.evaluate(document)),)

    quick = expression.path is not None or reads_of(expression).whole
    return evaluate if quick else _remembered([evaluate], [expression])


def _remembered(values: Sequence[_Values], expressions: Iterable[Expression]) -> _Values:
    """Return what gives values that depend on what expressions read, and looks them up where that was seen before."""
    reads = Reads()
    for expression in expressions:
        reads.add(expression)
    fingerprint = reads.fingerprint()
    known: dict[Hashable, tuple[Hashable, ...]] = {}

    def look_up(key: str, document: Mapping[str, JSON]) -> tuple[Hashable, ...]:
        seen = fingerprint(document)  # type: ignore[arg-type]
        found = known.get(seen)
        if found is None:
            if len(known) >= _MOST_VALUES:
                known.clear()
            found = known[seen] = tuple([part for value in values for part in value(key, document)])
        return found

    return look_up


def _what_is_read(reads: Reads) -> _Values:
    if reads.whole:
        return lambda key, _document: (key,)
    fingerprint = reads.fingerprint()
    return lambda _key, document: (fingerprint(document),)  # type: ignore[arg-type]


def _comparable(value: JSON) -> Hashable:
    """Return something hashable that equal JSON values share and others do not."""
    if value is None or type(value) in (int, str):
        return value  # type: ignore[return-value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return (repr(value),)
        return int(value) if value.is_integer() else value
    return (_canonical(_text_of(value)),)


@lru_cache(maxsize=_MOST_VALUES)
def _canonical(text: str) -> str:
    return canonical_json(json.loads(text))
