# SPDX-License-Identifier: Apache-2.0
"""Books in the API's JSON, one entity a line. Unknown fields are ignored."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from sys import intern
from typing import Any, TypeVar
from uuid import UUID

from flocx_common.api.json_body import LiteralFloat
from flocx_common.api.values import price_from, time_from
from flocx_common.domain.errors import Invalid
from flocx_common.domain.ids import canonical_id
from flocx_common.domain.json_values import JSON, digest
from flocx_common.domain.money import price_text, to_micros
from flocx_market.domain.bid import HIGHEST_LIMIT, BidStatus
from flocx_market.domain.book import FOREVER, BookBid, BookOffer, Hardware, Span, Spread, to_seconds
from flocx_market.domain.capacity import STEPS
from flocx_market.domain.expressions import Expression, compile_expression
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.domain.offer import OfferStatus
from flocx_market.domain.requirements import parse_requirements

T = TypeVar("T")
Entity = Mapping[str, Any]


class BooksInvalid(Exception):
    """A book cannot be used; the text names file, line, field and expectation."""


def read_offers(path: Path, turnaround: int = 0, *, live: LiveExpressions | None = None) -> Sequence[BookOffer]:
    """Return the available offers of a book; without ``free_windows`` the whole offer is free.

    :param turnaround: seconds that every node needs between two contracts.
    :param live: the expressions that will be asked of the hardware. Documents go
        into classes by what these tell apart, and only that much of them is kept;
        None keeps every document.
    :raises BooksInvalid: a line cannot be used, a uuid occurs twice, or two
        offers of one node overlap.
    """
    known: dict[str, Hardware] = {}
    classes = HardwareClasses()
    if live is not None:
        classes.unknown(live, ())

    def hardware(entity: Entity, properties: Mapping[str, JSON]) -> Hardware:
        if live is not None:
            uuid = _uuid(entity, "uuid")
            classes.add(uuid, properties)
            return Hardware(uuid, {})
        key = digest(properties)
        # Equal documents are kept once.
        return known.setdefault(key, Hardware(key, properties))

    offers = list(
        _entities(
            path,
            lambda entity: _offer(entity, hardware, turnaround),
            lambda entity: _status(entity, OfferStatus, OfferStatus.AVAILABLE),
        )
    )
    _refuse_overlaps(path, offers)
    if live is None:
        return offers
    sorted_out = classes.hardware(live)
    return [replace(offer, hardware=sorted_out[offer.uuid]) for offer in offers]


def read_bids(path: Path) -> Sequence[BookBid]:
    """Return the open bids of a book.

    :raises BooksInvalid: a line cannot be used, or a uuid occurs twice.
    """
    return list(_entities(path, _bid, lambda entity: _status(entity, BidStatus, BidStatus.OPEN)))


def read_questions(path: Path) -> Sequence[tuple[BookBid, int]]:
    """Return the questions of a book, each a bid that nobody places, and how many steps the ladders may have.

    :raises BooksInvalid: a line cannot be used.
    """
    return list(_entities(path, _question, lambda _: True, named=False))


def _entities(
    path: Path, read: Callable[[Entity], T], wanted: Callable[[Entity], bool], *, named: bool = True
) -> Iterator[T]:
    """Yield the entities of a book; those that are ``named`` have a uuid, each its own."""
    seen: dict[str, int] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    entity = json.loads(line, parse_float=LiteralFloat, parse_constant=LiteralFloat)
                    if not isinstance(entity, dict):
                        raise Invalid("an object is expected")
                    uuid = _uuid(entity, "uuid") if named else str(number)
                    if seen.setdefault(uuid, number) != number:
                        raise Invalid(f"uuid: {uuid} is there already, at line {seen[uuid]}")
                    if wanted(entity):
                        yield read(entity)
                except (Invalid, ValueError, RecursionError) as error:
                    problem = error.detail if isinstance(error, Invalid) else f"no JSON: {error}"
                    raise BooksInvalid(f"{path}: line {number}: {problem}") from None
    except OSError as error:
        raise BooksInvalid(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BooksInvalid(f"{path}: UTF-8 is expected") from None


def _status(entity: Entity, statuses: type[StrEnum], wanted: StrEnum) -> bool:
    """Return whether an entity takes part: by its status, or because it tells none."""
    told = entity.get("status", wanted)
    if told not in list(statuses):
        raise Invalid(f"status: {', '.join(statuses)} or nothing is expected, not {told!r}")
    return bool(told == wanted)


def _offer(entity: Entity, hardware: Callable[[Entity, Mapping[str, JSON]], Hardware], turnaround: int) -> BookOffer:
    properties = entity.get("properties", {})
    if not isinstance(properties, dict):
        raise Invalid("properties: an object is expected")
    _refuse_infinite(properties)
    whole = _whole(_span(entity, "end_time"))
    window, free = whole[0], entity.get("free_windows")
    lessees = _texts(entity, "lessee_project_ids")
    resource_class = _optional_text(entity, "resource_class")
    # What many offers share is kept once.
    return BookOffer(
        uuid=_uuid(entity, "uuid"),
        node_uuid=_uuid(entity, "node_uuid"),
        node_name=_optional_text(entity, "node_name"),
        provider_uuid=intern(_uuid(entity, "provider_uuid")),
        owner_project_id=intern(_text(entity, "owner_project_id")),
        resource_class=None if resource_class is None else intern(resource_class),
        hardware=hardware(entity, properties),
        reserve=to_micros(_price(entity, "reserve_price")),
        min_duration=_count(entity, "min_duration", 0, low=0),
        lessees=None if lessees is None else frozenset(lessees),
        window=window,
        free=whole if free is None else _free(free, window),
        turnaround=turnaround,
    )


@lru_cache(maxsize=10_000)
def _whole(window: Span) -> tuple[Span, ...]:
    """Return a window as all that is free, the same one for equal windows."""
    return (window,)


def _free(value: Any, window: Span) -> tuple[Span, ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Invalid("free_windows: a list of windows is expected")
    spans = sorted((_span(item, "free_windows.end_time") for item in value), key=lambda span: span.begin)
    for span in spans:
        if span.begin < window.begin or span.end > window.end:
            raise Invalid("free_windows: they must lie inside the offer")
    for earlier, later in pairwise(spans):
        if later.begin < earlier.end:
            raise Invalid("free_windows: they must not overlap")
    return tuple(spans)


def _bid(entity: Entity) -> BookBid:
    begin, end = to_seconds(_time(entity, "start_time")), to_seconds(_time(entity, "end_time"))
    if end <= begin:
        raise Invalid("end_time: it is not after start_time")
    duration = None if entity.get("duration") is None else _count(entity, "duration", 0, low=1)
    offers = _texts(entity, "offer_uuids")
    spread = entity.get("spread")
    most = None if spread is None else _count(spread, "max", 0, low=1, where="spread.max")
    return BookBid(
        uuid=_uuid(entity, "uuid"),
        project_id=_text(entity, "project_id"),
        requirements=parse_requirements(entity.get("requirements", [])),
        quantity=_count(entity, "quantity", 1, low=1),
        begin=begin,
        end=end,
        duration=duration,
        limit=to_micros(_price(entity, "limit_price")),
        spread=None if most is None else Spread(_by(entity, "spread"), most),
        together=None if entity.get("together") is None else _by(entity, "together"),
        offer_uuids=None if offers is None else frozenset(uuid.lower() for uuid in offers),
        placed=to_seconds(_time(entity, "created_at")) if entity.get("created_at") is not None else 0,
    )


def _question(entity: Entity) -> tuple[BookBid, int]:
    if entity.get("earnings") is not None:
        raise Invalid("earnings: only a running market can tell, a book has no past contracts")
    nobodys = {"uuid": str(UUID(int=0)), "limit_price": price_text(HIGHEST_LIMIT)}
    return _bid({**nobodys, **entity, "created_at": None}), _count(entity, "max_steps", STEPS, low=2)


def _by(entity: Entity, field: str) -> Expression:
    rule = entity[field]
    if not isinstance(rule, dict) or not isinstance(rule.get("by"), str):
        raise Invalid(f"{field}: an object with an expression under by is expected")
    try:
        return compile_expression(rule["by"])
    except Invalid as error:
        raise Invalid(f"{field}.by: {error.detail}") from None


def _span(entity: Entity, end_field: str) -> Span:
    begin = to_seconds(_time(entity, "start_time"))
    end = FOREVER if entity.get("end_time") is None else to_seconds(time_from(entity["end_time"], end_field))
    if end <= begin:
        raise Invalid(f"{end_field}: it is not after start_time")
    return Span(begin, end)


def _time(entity: Entity, field: str) -> datetime:
    return time_from(_text(entity, field), field)


def _price(entity: Entity, field: str) -> Decimal:
    return price_from(_given(entity, field), field)


def _given(entity: Entity, field: str) -> Any:
    if field not in entity:
        raise Invalid(f"{field}: it is missing")
    return entity[field]


def _text(entity: Entity, field: str) -> str:
    value = _given(entity, field)
    if not isinstance(value, str) or not value:
        raise Invalid(f"{field}: text is expected, not {value!r}")
    return value


def _optional_text(entity: Entity, field: str) -> str | None:
    return None if entity.get(field) is None else _text(entity, field)


def _uuid(entity: Entity, field: str) -> str:
    try:
        return canonical_id(_text(entity, field))
    except ValueError:
        raise Invalid(f"{field}: a UUID is expected, not {entity.get(field)!r}") from None


def _texts(entity: Entity, field: str) -> list[str] | None:
    value = entity.get(field)
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise Invalid(f"{field}: a list of texts, or null, is expected")
    return value


def _refuse_infinite(properties: Mapping[str, Any]) -> None:
    """Refuse what is no JSON number: it would be equal to null and to nothing else."""
    waiting: list[Any] = [properties]
    while waiting:
        value = waiting.pop()
        if isinstance(value, LiteralFloat) and not math.isfinite(value):
            raise Invalid(f"properties: {value.literal} is no finite number")
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)


def _count(entity: Any, field: str, default: int, *, low: int, where: str | None = None) -> int:
    value = entity.get(field, default) if isinstance(entity, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise Invalid(f"{where or field}: a whole number of at least {low} is expected, not {value!r}")
    return value


def _refuse_overlaps(path: Path, offers: Sequence[BookOffer]) -> None:
    last: dict[str, BookOffer] = {}
    for offer in sorted(offers, key=lambda o: (o.node_uuid, o.window.begin)):
        before = last.get(offer.node_uuid)
        if before is not None and offer.window.begin < before.window.end:
            raise BooksInvalid(
                f"{path}: offers {before.uuid} and {offer.uuid} of node {offer.node_uuid} overlap; "
                "a node has at most one available offer at a time"
            )
        last[offer.node_uuid] = offer
