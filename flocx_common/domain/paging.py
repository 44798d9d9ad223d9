# SPDX-License-Identifier: Apache-2.0
"""Lists: what to keep, in which order, which page; and cursors over changes."""

from __future__ import annotations

import base64
import binascii
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from flocx_common.domain.errors import CursorInvalid, MarkerUnknown

T = TypeVar("T")

FilterOperator = Literal["eq", "in", "gt", "gte", "lt", "lte"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Keep the entities whose ``field`` stands in this relation to ``values``.

    ``in`` has one value or more, every other operator exactly one. A field
    without a value (null) is only ever equal to null.
    """

    field: str
    operator: FilterOperator
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order. Entities without a value come last ascending, first descending."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A page of a list: filters all hold; order by ``sort``, then by uuid.

    ``marker`` is the uuid of the entity the page starts after.
    """

    filters: tuple[Filter, ...] = ()
    sort: tuple[SortKey, ...] = ()
    limit: int = 1000
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Entities of one page, and whether there are more after it."""

    items: Sequence[T]
    more: bool


def paged(items: Iterable[T], query: ListQuery, value_of: Callable[[T, str], Any], *, key: str = "uuid") -> Page[T]:
    """Return a page of things that are in no database, as a database would.

    :param value_of: returns the value of a field of a thing.
    :param key: the field that is unique and ends the order.
    :raises MarkerUnknown: the marker is none of ``items``.
    """
    kept = [item for item in items if all(_keeps(value_of(item, f.field), f) for f in query.filters)]
    kept.sort(key=lambda item: value_of(item, key))
    # Sorting is stable, so the least important key goes first.
    for sort in reversed(query.sort):
        kept.sort(key=lambda item: _rank(value_of(item, sort.field)), reverse=sort.descending)
    if query.marker is not None:
        keys = [value_of(item, key) for item in kept]
        if query.marker not in keys:
            raise MarkerUnknown(f"marker: {query.marker!r} is not the {key} of anything listed here", field="marker")
        kept = kept[keys.index(query.marker) + 1 :]
    return Page(kept[: query.limit], len(kept) > query.limit)


def _rank(value: Any) -> tuple[bool, Any]:
    return value is None, 0 if value is None else value


def _keeps(value: Any, given: Filter) -> bool:
    if given.operator in ("eq", "in"):
        return value in given.values
    return value is not None and bool(_COMPARE[given.operator](value, given.values[0]))


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}

_PREFIX = b"c1:"


def cursor_text(number: int) -> str:
    """Return the opaque text that stands for a place in the order of changes."""
    return base64.urlsafe_b64encode(_PREFIX + str(number).encode()).decode().rstrip("=")


def cursor_number(text: str) -> int:
    """Return the place that an opaque cursor stands for.

    :raises CursorInvalid: this service never gives out such a text.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if raw.startswith(_PREFIX) and raw[len(_PREFIX) :].isdigit():
            number = int(raw[len(_PREFIX) :])
            if cursor_text(number) == text:
                return number
    except (binascii.Error, ValueError):
        pass
    raise CursorInvalid(f"since: {text!r} is no cursor of this service; use one it returned, or none", field="since")
