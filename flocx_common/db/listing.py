# SPDX-License-Identifier: Apache-2.0
"""Filters, order and keyset pages over any select, the same on every database."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from flocx_common.domain.errors import MarkerUnknown
from flocx_common.domain.paging import Filter, ListQuery, SortKey

_COMPARE: Mapping[str, Callable[[Any, Any], sa.ColumnElement[bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def page(
    connection: Connection,
    select: sa.Select[Any],
    columns: Mapping[str, sa.ColumnElement[Any]],
    query: ListQuery,
    *,
    key: str = "uuid",
) -> tuple[Sequence[Row[Any]], bool]:
    """Return the rows of one page, and whether there are more.

    :param select: what the caller may see; the marker is looked up in it, too.
    :param columns: field -> column, for every field of ``query``.
    :param key: the field that is unique and ends the order.
    :raises MarkerUnknown: the marker is not among what the caller may see.
    """
    order = _total_order(query.sort, key)
    kept = select.where(*(_condition(columns[f.field], f) for f in query.filters))
    if query.marker is not None:
        at = connection.execute(
            select.where(columns[key] == query.marker).with_only_columns(*(columns[k.field] for k in order))
        ).first()
        if at is None:
            raise MarkerUnknown(f"marker: {query.marker!r} is not the {key} of anything listed here", field="marker")
        kept = kept.where(_after(order, columns, at))
    kept = kept.order_by(*(term for k in order for term in _order_terms(columns[k.field], k))).limit(query.limit + 1)
    rows = connection.execute(kept).all()
    return rows[: query.limit], len(rows) > query.limit


def _total_order(sort: Sequence[SortKey], key: str) -> list[SortKey]:
    order: list[SortKey] = []
    for one in sort:
        if all(one.field != earlier.field for earlier in order):
            order.append(one)
        if one.field == key:
            return order
    return [*order, SortKey(key)]


def _condition(column: sa.ColumnElement[Any], given: Filter) -> sa.ColumnElement[bool]:
    if given.operator in ("eq", "in"):
        values = [value for value in given.values if value is not None]
        condition: sa.ColumnElement[bool] = column.in_(values)
        return condition if len(values) == len(given.values) else sa.or_(condition, column.is_(None))
    return _COMPARE[given.operator](column, given.values[0])


def _order_terms(column: sa.ColumnElement[Any], key: SortKey) -> list[sa.ColumnElement[Any]]:
    # Databases disagree on where null goes, so it is a key of its own.
    missing = sa.case((column.is_(None), 1), else_=0)
    return [missing.desc(), column.desc()] if key.descending else [missing.asc(), column.asc()]


def _after(
    order: Sequence[SortKey], columns: Mapping[str, sa.ColumnElement[Any]], at: Row[Any]
) -> sa.ColumnElement[bool]:
    """Return the condition that a row comes after the marker's values in the order."""
    alternatives = []
    equal: list[sa.ColumnElement[bool]] = []
    for key, value in zip(order, at, strict=True):
        column = columns[key.field]
        later = _later(column, value, descending=key.descending)
        if later is not None:
            alternatives.append(sa.and_(*equal, later))
        equal.append(column.is_(None) if value is None else column == value)
    return sa.or_(sa.false(), *alternatives)


def _later(column: sa.ColumnElement[Any], value: Any, *, descending: bool) -> sa.ColumnElement[bool] | None:
    if descending:
        return column.is_not(None) if value is None else column < value
    return None if value is None else sa.or_(column > value, column.is_(None))
