# SPDX-License-Identifier: Apache-2.0
"""Columns: fields of the API, and how people read them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, TextIO

from cliff import columns

from flocx_client.osc.times import format_duration, format_time

_GREEN, _YELLOW, _RED, _PLAIN = "\033[32m", "\033[33m", "\033[31m", "\033[0m"
_COLOURS = {
    **dict.fromkeys(("available", "matched", "active", "published", "acknowledged", "ok", "offered"), _GREEN),
    **dict.fromkeys(("open", "created", "pending", "suspended", "withdrawing"), _YELLOW),
    **dict.fromkeys(("failed", "refused", "not offered", "not known", "not tried"), _RED),
}


_INITIALS = {"uuid": "UUID", "uuids": "UUIDs", "id": "ID", "ids": "IDs"}


class Display:
    """What cells need to know of the one who reads them.

    :param zone: whose times are shown.
    :param unit: returns what a price of 1 is called; asked only when a price is shown.
    :param colour: whether they can be coloured.
    """

    def __init__(self, zone: tzinfo, unit: Callable[[], str | None], *, colour: bool) -> None:
        self.zone = zone
        self.unit = unit
        self.colour = colour


#: Returns how a person reads a field, from its value, the display, and the whole thing.
Show = Callable[[Any, Display, Mapping[str, Any]], str]


class Column:
    """A field of the API, by its name there and by its title in tables."""

    def __init__(self, field: str, title: str, show: Show) -> None:
        self.field = field
        self.title = title
        self.show = show


class Cell(columns.FormattableColumn[Any]):
    """One field of one thing in a table."""

    def __init__(self, column: Column, thing: Mapping[str, Any], display: Display) -> None:
        super().__init__(thing.get(column.field))
        self._column, self._thing, self._display = column, thing, display

    def human_readable(self) -> str:
        """Return it as a person reads it."""
        return self._column.show(self._value, self._display, self._thing)


def column(field: str, show: Show | None = None, title: str | None = None) -> Column:
    """Return the column of a field; its title is the field's name, spelled out."""
    words = [_INITIALS.get(word) or word.capitalize() for word in field.split("_")]
    return Column(field, title or " ".join(words), show or text)


def colourful(stream: TextIO) -> bool:
    """Return whether a stream shows colours to somebody who wants them."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def text(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    """Show text, a number, or nothing."""
    return "" if value is None else str(value)


def status(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    """Show a status, coloured on a terminal."""
    colour = _COLOURS.get(value) if display.colour else None
    return f"{colour}{value}{_PLAIN}" if colour else text(value, display, {})


def truth(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    """Show yes or no."""
    return "yes" if value else "no"


def time(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    """Show an instant in the zone of the reader."""
    return "" if value is None else format_time(datetime.fromisoformat(value), display.zone)


def open_end(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    """Show an end that may be none."""
    return "open-ended" if value is None else time(value, display, {})


def duration(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    """Show a number of seconds."""
    return "" if value is None else format_duration(value)


def whole_window(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    """Show the length of a contract, which may be that of its window."""
    return "the whole window" if value is None else duration(value, display, {})


def hourly(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    """Show a price of a node-hour, with its unit."""
    return "" if value is None else f"{decimal(value)} {display.unit() or ''}/h".replace(" /h", "/h")


def amount(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    """Show an amount, with its unit."""
    return "" if value is None else f"{decimal(value)} {display.unit() or ''}".rstrip()


def decimal(value: str) -> str:
    """Return an exact decimal with at least two digits after the point and no zeros beyond."""
    whole, _, fraction = f"{Decimal(value):f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"


def lines(values: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    """Show a list, one entry a line."""
    return "" if values is None else "\n".join(map(str, values))


def everyone(values: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    """Show a list of projects, which may be all of them."""
    return "everyone" if values is None else lines(values, display, {})


def document(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    """Show free-form JSON, one key a line."""
    return "" if value is None else "\n".join(f"{key}: {_compact(value[key])}" for key in sorted(value))


def requirements(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    """Show requirements as they are written for ``--require``, one a line."""
    from flocx_client.osc.requirement_text import format_requirement  # noqa: PLC0415 - it takes time

    return "\n".join(format_requirement(triple) for triple in value or ())


def windows(values: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    """Show windows, one a line."""
    return "\n".join(window(one, display) for one in values or ())


def window(value: Mapping[str, Any], display: Display) -> str:
    """Return a window as people read it."""
    return f"{time(value['start_time'], display, {})} to {open_end(value['end_time'], display, {})}"


def or_else(field: str) -> Show:
    """Return how to show what may be missing: by what another field holds."""

    def show(value: Any, _display: Display, thing: Mapping[str, Any]) -> str:
        return str(value or thing.get(field) or "")

    return show


def called(field: str) -> Show:
    """Return how to show what has a name where that is known, which another field holds."""

    def show(value: Any, _display: Display, thing: Mapping[str, Any]) -> str:
        return str(thing.get(field) or value or "")

    return show


def flat(value: Any) -> Any:
    """Return a value that fits into one field of text: what has parts becomes JSON."""
    return _compact(value) if isinstance(value, dict | list) else value


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
