# SPDX-License-Identifier: Apache-2.0
"""The files of a round, as plain records for checking: seconds since 1970, prices in millionths.

Nothing here comes from the engine that is checked. Documents are not kept: what
is asked of a document is evaluated while its line is read, once for each
distinct document.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any

from check_triples import TripleUnknownError, check_triple, evaluate, holds, same_json

Entity = dict[str, Any]

#: Later than every instant: the end that an open-ended offer does not have.
NEVER = 1 << 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadableError(Exception):
    """A file cannot be used; the text names file, line and what is wrong."""


@dataclass(slots=True)
class Offer:
    """An available offer: its terms, and its free windows as pairs [begin, end)."""

    uuid: str
    node: str
    provider: str
    owner: str
    resource_class: str | None
    reserve: int
    min_duration: int
    lessees: frozenset[str] | None
    free: list[tuple[int, int]]
    document: bytes


@dataclass(slots=True)
class Bid:
    """An open bid.

    ``triples`` by their JSON texts; ``spread`` is (expression, most),
    ``together`` an expression, or None.
    """

    uuid: str
    project: str
    triples: dict[str, list[Any]]
    quantity: int
    begin: int
    end: int
    duration: int | None
    limit: int
    spread: tuple[str, int] | None
    together: str | None
    offers: frozenset[str] | None


@dataclass
class Answers:
    """What triples and shared values give on the documents of the offers they were asked of.

    Many triples have the same expression, and many documents the same value of
    it: an expression is evaluated once on a document, a triple once for a value.
    """

    # By document and expression, the value as the text that equal values share.
    found: dict[tuple[bytes, str], str] = field(default_factory=dict)
    # By the text of a triple and that of a value.
    holds: dict[tuple[str, str], bool] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    values: dict[tuple[object, ...], str] = field(default_factory=dict)

    def triple(self, text: str, offer: Offer) -> bool:
        """Tell whether the triple of this text holds on an offer's document."""
        return self.holds[text, self.found[offer.document, self.expressions[text]]]

    def value(self, expression: str, offer: Offer) -> str:
        """Return what ``spread`` or ``together`` compares."""
        return self.values[_value_key(expression, offer)]

    def learn(self, offer: Offer, document: Entity, bids: Iterable[Bid]) -> None:
        """Evaluate on an offer's document what ``bids`` ask of it."""
        for bid in bids:
            for text, triple in bid.triples.items():
                expression = self.expressions.setdefault(text, triple[0])
                found_key = (offer.document, expression)
                found = self.found.get(found_key)
                if found is None:
                    found = self.found[found_key] = sys.intern(same_json(evaluate(expression, document)))
                if (text, found) not in self.holds:
                    self.holds[text, found] = holds(triple, json.loads(found))
            for expression in _shared(bid):
                value_key = _value_key(expression, offer)
                if value_key not in self.values:
                    about = {
                        "provider_uuid": offer.provider,
                        "owner_project_id": offer.owner,
                        "resource_class": offer.resource_class,
                    }
                    self.values[value_key] = same_json(evaluate(expression, {**document, "offer": about}))


def read_bids(path: Path) -> dict[str, Bid]:
    """Return the open bids by uuid."""
    return _by_uuid(path, (_bid(entity) for entity in _entities(path) if entity.get("status", "open") == "open"))


def read_offers(path: Path, asked: Callable[[Offer], Iterable[Bid]], answers: Answers) -> dict[str, Offer]:
    """Return the available offers by uuid.

    :param asked: the bids whose requirements and rules are to be known of an offer; put into ``answers``.
    """

    def offers() -> Iterator[Offer]:
        for entity in _entities(path):
            if entity.get("status", "available") == "available":
                offer = _offer(entity)
                answers.learn(offer, entity.get("properties", {}), asked(offer))
                yield offer

    known = _by_uuid(path, offers())
    _refuse_overlaps(path, known.values())
    return known


def read_contracts(path: Path) -> list[Entity]:
    """Return the contracts as they are in the file; windows and prices of all can be read."""
    contracts = []
    for entity in _entities(path):
        try:
            for one in (entity, *entity["allocations"]):
                (
                    seconds(one["start_time"]),
                    seconds(one["end_time"]),
                    micros(one["clearing_price"]),
                    micros(one["amount"]),
                )
        except (KeyError, TypeError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise UnreadableError(f"{path}: contract {entity.get('uuid')}: {problem}") from None
        contracts.append(entity)
    return contracts


def seconds(text: object) -> int:
    """Return an instant of the API in seconds since 1970; raise ValueError when it is none."""
    instant = datetime.fromisoformat(str(text))
    passed = (instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant) - _EPOCH
    if passed.microseconds:
        raise ValueError(f"{text!r} is no whole second")
    return passed.days * 86400 + passed.seconds


def micros(text: object) -> int:
    """Return a price or an amount in millionths; raise ValueError when it has more digits or is none."""
    try:
        number = Decimal(str(text)) * 1_000_000
    except InvalidOperation:
        raise ValueError(f"{text!r} is no decimal number") from None
    if not number.is_finite() or number != int(number):
        raise ValueError(f"{text!r} has more than six digits after the point")
    return int(number)


def _entities(path: Path) -> Iterator[Entity]:
    number = 0
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    entity = json.loads(line)
                    if not isinstance(entity, dict):
                        raise UnreadableError(f"{path}: line {number}: an object is expected")
                    yield entity
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{path}: line {number}: no JSON: {error}") from None


def _by_uuid(path: Path, things: Iterator[Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    try:
        for thing in things:
            if thing.uuid in known:
                raise UnreadableError(f"{path}: uuid {thing.uuid} is there twice")
            known[thing.uuid] = thing
    except (KeyError, TypeError, ValueError, AttributeError, TripleUnknownError) as error:
        raise UnreadableError(f"{path}: after {len(known)} usable lines: {type(error).__name__}: {error}") from None
    return known


def _offer(entity: Entity) -> Offer:
    begin, end = _window(entity)
    free = entity.get("free_windows")
    lessees = entity.get("lessee_project_ids")
    text = json.dumps(entity.get("properties", {})).encode()
    return Offer(
        uuid=entity["uuid"].lower(),
        node=entity["node_uuid"].lower(),
        provider=entity["provider_uuid"].lower(),
        owner=entity["owner_project_id"],
        resource_class=entity.get("resource_class"),
        reserve=micros(entity["reserve_price"]),
        min_duration=entity.get("min_duration", 0),
        lessees=None if lessees is None else frozenset(lessees),
        free=[(begin, end)] if free is None else sorted(_window(window) for window in free),
        document=hashlib.blake2b(text, digest_size=16).digest(),
    )


def _window(entity: Mapping[str, Any]) -> tuple[int, int]:
    end = entity.get("end_time")
    return seconds(entity["start_time"]), NEVER if end is None else seconds(end)


def _bid(entity: Entity) -> Bid:
    triples = {json.dumps(triple): triple for triple in entity.get("requirements", [])}
    for triple in triples.values():
        check_triple(triple)
    spread, together, offers = entity.get("spread"), entity.get("together"), entity.get("offer_uuids")
    return Bid(
        uuid=entity["uuid"].lower(),
        project=entity["project_id"],
        triples=triples,
        quantity=entity.get("quantity", 1),
        begin=seconds(entity["start_time"]),
        end=seconds(entity["end_time"]),
        duration=entity.get("duration"),
        limit=micros(entity["limit_price"]),
        spread=None if spread is None else (spread["by"], spread["max"]),
        together=None if together is None else together["by"],
        offers=None if offers is None else frozenset(uuid.lower() for uuid in offers),
    )


def _shared(bid: Bid) -> list[str]:
    expressions = [] if bid.spread is None else [bid.spread[0]]
    return expressions if bid.together is None else [*expressions, bid.together]


def _value_key(expression: str, offer: Offer) -> tuple[object, ...]:
    return expression, offer.document, offer.provider, offer.owner, offer.resource_class


def _refuse_overlaps(path: Path, offers: Iterable[Offer]) -> None:
    of_node: dict[str, list[tuple[int, int]]] = {}
    for offer in offers:
        of_node.setdefault(offer.node, []).extend(offer.free)
    for node, free in of_node.items():
        free.sort()
        if any(later[0] < earlier[1] for earlier, later in pairwise(free)):
            raise UnreadableError(f"{path}: free windows of node {node} overlap")
