# SPDX-License-Identifier: Apache-2.0
"""Query strings: declared parameters, filters on listed fields, order, limit and marker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flocx_common.api.schemas import Schema
from flocx_common.api.values import price_from, time_from, uuid_from
from flocx_common.domain.errors import Invalid
from flocx_common.domain.paging import Filter, FilterOperator, ListQuery, SortKey

#: What a listed field holds, which says how a filter's text is read.
Kind = Literal["text", "uuid", "integer", "price", "time", "truth", "project"]

_OPERATORS: tuple[FilterOperator, ...] = ("eq", "in", "gt", "gte", "lt", "lte")
_MOST_VALUES = 100
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared query parameter: how its text is read, and its schema in the document."""

    read: Callable[[str, str], Any]
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class ListSpec:
    """What a list can be filtered and sorted by, and in which order it comes by default."""

    fields: Mapping[str, Kind]
    default_sort: tuple[SortKey, ...]
    #: Fields that are shown under another name than they are stored by.
    stored_as: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How many entities a page has when the client does not say, and at most."""

    default: int
    maximum: int


def read_parameters(given: Mapping[str, list[str]], declared: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return the declared parameters that were given, read.

    :raises Invalid: one is unknown, given twice, missing or unreadable.
    """
    for name in given:
        if name not in declared:
            raise Invalid(
                f"{name}: unknown query parameter; known are {', '.join(sorted(declared)) or 'none'}", field=name
            )
    values = {}
    for name, parameter in declared.items():
        texts = given.get(name, [])
        if len(texts) > 1:
            raise Invalid(f"{name}: given {len(texts)} times; once is expected", field=name)
        if texts:
            values[name] = parameter.read(texts[0], name)
        elif parameter.required:
            raise Invalid(f"{name}: required but missing", field=name)
    return values


def list_parameters(spec: ListSpec, limits: PageLimits) -> dict[str, Parameter]:
    """Return the parameters that every list has: filters, sort, limit and marker."""
    parameters = {
        name: Parameter(
            lambda text, field, kind=kind: _filter(text, field, kind),  # type: ignore[misc]
            {
                "type": "string",
                "description": f"Keep what has this {kind}; in:, gt:, gte:, lt: and lte: before it compare.",
            },
        )
        for name, kind in spec.fields.items()
    }
    keys = ", ".join(spec.fields)
    parameters["sort"] = Parameter(
        lambda text, _: _sort(text, spec),
        {"type": "string", "description": f"key:asc,key2:desc of the keys {keys}."},
    )
    parameters["limit"] = Parameter(
        lambda text, name: min(integer(text, name, low=1), limits.maximum),
        {"type": "integer", "minimum": 1, "description": f"Entities a page, at most {limits.maximum}."},
    )
    parameters["marker"] = Parameter(
        uuid_from, {"type": "string", "description": "The uuid of the entity the page starts after."}
    )
    return parameters


def list_query(
    values: Mapping[str, Any], spec: ListSpec, limits: PageLimits, resolve: Callable[[str], str]
) -> ListQuery:
    """Return the query that the values of list parameters mean.

    :param resolve: project name or id -> id.
    """
    filters = []
    for name, kind in spec.fields.items():
        if name in values:
            found: Filter = values[name]
            chosen = tuple(resolve(str(v)) for v in found.values) if kind == "project" else found.values
            filters.append(Filter(spec.stored_as.get(name, name), found.operator, chosen))
    sort = tuple(
        SortKey(spec.stored_as.get(k.field, k.field), k.descending) for k in values.get("sort", spec.default_sort)
    )
    return ListQuery(
        filters=tuple(filters), sort=sort, limit=values.get("limit", limits.default), marker=values.get("marker")
    )


def integer(text: str, name: str, *, low: int = 0, high: int = _LARGEST) -> int:
    """Return the whole number that text writes.

    :raises Invalid: it is none, or out of range.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise Invalid(f"{name}: {text!r}: a whole number from {low} to {high} is expected", field=name)
    return int(text)


def seconds(text: str, name: str) -> float:
    """Return the seconds that text writes, as a decimal number.

    :raises Invalid: it is none.
    """
    whole, _, fraction = text.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= 6 for part in (whole, fraction or "0")):
        raise Invalid(f"{name}: {text!r}: a number of seconds is expected", field=name)
    return float(text)


def _filter(text: str, name: str, kind: Kind) -> Filter:
    operator: FilterOperator = "eq"
    for known in _OPERATORS:
        if text.startswith(f"{known}:"):
            operator, text = known, text[len(known) + 1 :]
            break
    texts = text.split(",") if operator == "in" else [text]
    if len(texts) > _MOST_VALUES:
        raise Invalid(f"{name}: {len(texts)} values, at most {_MOST_VALUES} are allowed", field=name)
    return Filter(name, operator, tuple(_read(one, name, kind) for one in texts))


def _read(text: str, name: str, kind: Kind) -> object:
    match kind:
        case "uuid":
            return uuid_from(text, name)
        case "integer":
            return integer(text, name)
        case "price":
            return price_from(text, name)
        case "time":
            return time_from(text, name)
        case "truth":
            if text.lower() not in ("true", "false"):
                raise Invalid(f"{name}: {text!r}: true or false is expected", field=name)
            return text.lower() == "true"
    return text


def _sort(text: str, spec: ListSpec) -> tuple[SortKey, ...]:
    keys = []
    for part in text.split(","):
        name, _, direction = part.partition(":")
        if name not in spec.fields:
            raise Invalid(f"sort: {name!r} is no key; known are {', '.join(spec.fields)}", field="sort")
        if direction not in ("", "asc", "desc"):
            raise Invalid(f"sort: {direction!r}: asc or desc is expected", field="sort")
        keys.append(SortKey(name, direction == "desc"))
    return tuple(keys)
