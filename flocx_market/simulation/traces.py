# SPDX-License-Identifier: Apache-2.0
"""The files a replay starts from: reservations that were asked for, nodes there are, and what their types are."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from flocx_common.domain.errors import Invalid
from flocx_common.domain.money import to_micros, to_price
from flocx_market.domain.book import to_seconds

T = TypeVar("T")
Row = Mapping[str, str]

#: The most nodes that a line may speak of.
MOST_NODES = 1_000_000
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class TraceInvalid(Exception):
    """A trace cannot be used; the text names file, line, field and expectation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What a user of a site asked for; times in seconds since 1970."""

    submitted: int
    site: str
    project: str
    node_type: str
    nodes: int
    begin: int
    end: int
    refused: bool
    approved: bool

    @property
    def wording(self) -> tuple[str, str, str, int, int, int]:
        """What tells one reservation from another, whenever it was sent."""
        return self.site, self.project, self.node_type, self.nodes, self.begin, self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Nodes of one type; ``site`` and ``reserve`` (smallest price steps) are None where the file does not say."""

    node_type: str
    nodes: int
    site: str | None
    reserve: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeType:
    """What is known of a node type."""

    name: str
    architecture: str
    cores: int
    memory_gb: int
    gpus: int


def read_reservations(path: Path) -> Sequence[Reservation]:
    """Return the reservations of a file, in its order. Times without an offset are UTC.

    :raises TraceInvalid: a column is missing, or a line cannot be used.
    """
    columns = ("submitted_at", "site", "project", "node_type", "nodes", "start", "end", "refused", "approved")
    return list(_rows(path, columns, _reservation))


def read_capacity(path: Path) -> Sequence[Capacity]:
    """Return the nodes of a file; the columns ``site`` and ``reserve_price`` may be there.

    :raises TraceInvalid: a column is missing, a line cannot be used, or a type occurs twice at a site.
    """
    found: dict[tuple[str, str | None], Capacity] = {}

    def read(row: Row) -> None:
        capacity = _capacity(row)
        if found.setdefault((capacity.node_type, capacity.site), capacity) is not capacity:
            raise Invalid(f"node_type: {capacity.node_type} is there already")

    for _ in _rows(path, ("node_type", "nodes"), read):
        pass
    sited = {capacity.node_type for capacity in found.values() if capacity.site is not None}
    for capacity in found.values():
        if capacity.site is None and capacity.node_type in sited:
            raise TraceInvalid(f"{path}: site: {capacity.node_type} has a line with a site and one without")
    return list(found.values())


def read_node_types(path: Path | None) -> Mapping[str, NodeType]:
    """Return what is known of node types; None for the table that comes with FLOCX.

    :raises TraceInvalid: a column is missing, a line cannot be used, or a type occurs twice.
    """
    found: dict[str, NodeType] = {}

    def read(row: Row) -> None:
        kind = NodeType(
            name=_text(row, "node_type"),
            architecture=_text(row, "architecture"),
            cores=_count(row, "cores"),
            memory_gb=_count(row, "memory_gb"),
            gpus=_count(row, "gpus"),
        )
        if found.setdefault(kind.name, kind) is not kind:
            raise Invalid(f"node_type: {kind.name} is there already")

    source = path or files("flocx_market.simulation").joinpath("node_types.csv")
    for _ in _rows(source, ("node_type", "architecture", "cores", "memory_gb", "gpus"), read):
        pass
    return found


def instant(text: str) -> datetime:
    """Return an ISO 8601 time or date; without an offset it is UTC.

    :raises ValueError: it is none, has a fraction of a second, or is not between the years 1970 and 9000.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"a time such as 2018-03-01 12:00:00 is expected, not {text!r}") from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    # Compared before it is converted: near the ends of the calendar that fails.
    if not _EARLIEST <= found < _LATEST:
        raise ValueError(f"a time between the years 1970 and 9000 is expected, not {text!r}")
    if found.microsecond:
        raise ValueError(f"whole seconds are expected, not {text!r}")
    return found.astimezone(UTC)


def _reservation(row: Row) -> Reservation:
    return Reservation(
        submitted=_time(row, "submitted_at"),
        site=_text(row, "site"),
        project=_text(row, "project"),
        node_type=_text(row, "node_type"),
        nodes=_count(row, "nodes"),
        begin=_time(row, "start"),
        end=_time(row, "end"),
        refused=_flag(row, "refused"),
        approved=_flag(row, "approved"),
    )


def _capacity(row: Row) -> Capacity:
    price = row.get("reserve_price") or None
    try:
        reserve = None if price is None else to_micros(to_price(Decimal(price)))
    except (ValueError, ArithmeticError):
        raise Invalid(f"reserve_price: a price with at most 6 fractional digits is expected, not {price!r}") from None
    return Capacity(
        node_type=_text(row, "node_type"), nodes=_count(row, "nodes"), site=row.get("site") or None, reserve=reserve
    )


def _rows(path: Path | Traversable, columns: Sequence[str], read: Callable[[Row], T]) -> Iterator[T]:
    try:
        with path.open("rb") as file:
            # The mark with which some programs begin a file is no part of the first column's name.
            lines = csv.reader(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), strict=True)
            header = next(lines, [])
            missing = [column for column in columns if column not in header]
            if missing:
                raise TraceInvalid(f"{path}: line 1: {missing[0]}: the column is missing")
            for fields in lines:
                if not fields:
                    continue
                try:
                    if len(fields) != len(header):
                        raise Invalid(f"{len(header)} fields are expected, not {len(fields)}")
                    yield read(dict(zip(header, fields, strict=True)))
                except Invalid as error:
                    raise TraceInvalid(f"{path}: line {lines.line_num}: {error.detail}") from None
    except OSError as error:
        raise TraceInvalid(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TraceInvalid(f"{path}: UTF-8 is expected") from None
    except csv.Error as error:
        raise TraceInvalid(f"{path}: line {lines.line_num}: no CSV: {error}") from None


def _text(row: Row, field: str) -> str:
    if not row[field].strip():
        raise Invalid(f"{field}: text is expected, not {row[field]!r}")
    return row[field].strip()


def _count(row: Row, field: str) -> int:
    text = row[field].strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= MOST_NODES):
        raise Invalid(f"{field}: a whole number from 0 to {MOST_NODES} is expected, not {row[field]!r}")
    return int(text)


def _flag(row: Row, field: str) -> bool:
    if row[field].strip() not in ("0", "1"):
        raise Invalid(f"{field}: 0 or 1 is expected, not {row[field]!r}")
    return row[field].strip() == "1"


def _time(row: Row, field: str) -> int:
    try:
        return to_seconds(instant(row[field].strip()))
    except ValueError as error:
        raise Invalid(f"{field}: {error}") from None
