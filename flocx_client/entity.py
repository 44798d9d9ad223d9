# SPDX-License-Identifier: Apache-2.0
"""Things as the services tell of them: JSON by key, and typed by attribute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")
E = TypeVar("E", bound="Entity")


class Field(Generic[T]):
    """An attribute of an entity: what its key holds, as the type it stands for."""

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read = read
        self._name = ""

    def __set_name__(self, owner: type[Entity], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, entity: None, owner: type[Entity]) -> Self: ...

    @overload
    def __get__(self, entity: Entity, owner: type[Entity]) -> T: ...

    def __get__(self, entity: Entity | None, owner: type[Entity]) -> Self | T:
        if entity is None:
            return self
        try:
            value = entity[self._name]
        except KeyError:
            raise AttributeError(f"the service told no {self._name} of this {owner.__name__}") from None
        return self._read(value)

    def __set__(self, entity: Entity, value: object) -> None:
        raise AttributeError(f"{self._name} is what the service told; it changes by a call of the service")


class Entity(dict[str, Any]):
    """One thing as a service tells of it.

    By key it is the JSON of the answer, with everything that a newer service
    may have added. By attribute it is typed: times are aware UTC datetimes,
    prices are :class:`~decimal.Decimal`, what may be null is None.

    :ivar etag: for ``if_match``, to change only what has not changed since; None
        for what a list told, or a part of something else.
    """

    etag: str | None = None

    @property
    def id(self) -> str:
        """What the thing is called everywhere: its UUID."""
        return str(self["uuid"])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON as a plain dictionary."""
        return dict(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict.__repr__(self)})"


def instant_from(text: str) -> datetime:
    """Return the instant of a timestamp, as aware UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def text() -> Field[str]:
    """Return a field of text."""
    return Field(str)


def optional_text() -> Field[str | None]:
    """Return a field of text or None."""
    return Field(_optional(str))


def count() -> Field[int]:
    """Return a field of a whole number."""
    return Field(int)


def optional_count() -> Field[int | None]:
    """Return a field of a whole number or None."""
    return Field(_optional(int))


def flag() -> Field[bool]:
    """Return a field that is true or false."""
    return Field(bool)


def price() -> Field[Decimal]:
    """Return a field of a price or an amount."""
    return Field(Decimal)


def optional_price() -> Field[Decimal | None]:
    """Return a field of a price or an amount, or None."""
    return Field(_optional(Decimal))


def instant() -> Field[datetime]:
    """Return a field of an instant, as aware UTC."""
    return Field(instant_from)


def optional_instant() -> Field[datetime | None]:
    """Return a field of an instant or None."""
    return Field(_optional(instant_from))


def document() -> Field[dict[str, Any]]:
    """Return a field of free-form JSON by key."""
    return Field(dict)


def optional_document() -> Field[dict[str, Any] | None]:
    """Return a field of free-form JSON by key, or None."""
    return Field(_optional(dict[str, Any]))


def texts() -> Field[list[str]]:
    """Return a field of a list of texts."""
    return Field(list)


def optional_texts() -> Field[list[str] | None]:
    """Return a field of a list of texts or None."""
    return Field(_optional(list[str]))


def part(kind: type[E]) -> Field[E]:
    """Return a field of another entity."""
    return Field(kind)


def optional_part(kind: type[E]) -> Field[E | None]:
    """Return a field of another entity, or None."""
    return Field(_optional(kind))


def parts(kind: type[E]) -> Field[list[E]]:
    """Return a field of a list of other entities."""
    return Field(lambda values: [kind(value) for value in values])


def _optional(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else read(value)
