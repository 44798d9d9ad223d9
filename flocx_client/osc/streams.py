# SPDX-License-Identifier: Apache-2.0
"""Writing long lists as they come in: what is there is shown, and nothing is kept."""

from __future__ import annotations

import argparse
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TextIO

#: So many rows are shown at once.
PART = 50

#: Writes column names and rows to a stream, as the formatters of cliff do.
Emit = Callable[[Sequence[str], Iterable[Sequence[Any]], TextIO, argparse.Namespace], None]


def flushed(rows: Iterable[Sequence[Any]], out: TextIO) -> Iterator[Sequence[Any]]:
    """Yield rows; what was written of them is shown each time a part is complete."""
    for number, row in enumerate(rows):
        if number and number % PART == 0:
            out.flush()
        yield row


def write_json(names: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO, indent: int | None) -> None:
    """Write a JSON array, one object a row."""
    margin, between = ("", ", ") if indent is None else (" " * indent, ",\n")
    empty = True
    for row in rows:
        shown = json.dumps(dict(zip(names, row, strict=True)), indent=indent)
        begin = ("[" if indent is None else "[\n") if empty else between
        out.write(begin + "\n".join(margin + line for line in shown.splitlines()))
        empty = False
    out.write("[]\n" if empty else "]\n" if indent is None else "\n]\n")


def write_yaml(names: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO) -> None:
    """Write a YAML list, one mapping a row."""
    import yaml  # noqa: PLC0415 - it takes time

    empty = True
    for row in rows:
        yaml.safe_dump([dict(zip(names, row, strict=True))], stream=out, default_flow_style=False)
        empty = False
    if empty:
        out.write("[]\n")


def write_table(
    emit: Emit, names: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO, options: argparse.Namespace
) -> None:
    """Write a table part by part, with the columns as wide as the first part needs them.

    A later row that needs more has it, and sticks out.
    """
    left = iter(rows)
    part = list(islice(left, PART))
    following = list(islice(left, 1))
    if not following:
        emit(names, part, out, options)
        return
    border, *lines = _emitted(emit, names, part, options)
    out.write("\n".join([border, *lines[:-1]]) + "\n")
    widths = [len(dashes) - 2 for dashes in border.strip("+").split("+")]
    while following:
        out.flush()
        part, following = [*following, *islice(left, PART - 1)], list(islice(left, 1))
        first = [_padded(cell, width) for cell, width in zip(part[0], widths, strict=True)]
        # Their own borders and titles are left out.
        out.write("\n".join(_emitted(emit, names, [first, *part[1:]], options)[3:-1]) + "\n")
    out.write(border + "\n")


def _emitted(emit: Emit, names: Sequence[str], rows: Iterable[Sequence[Any]], options: argparse.Namespace) -> list[str]:
    stream = io.StringIO()
    emit(names, rows, stream, options)
    return stream.getvalue().splitlines()


def _padded(cell: Any, width: int) -> str:
    first, *more = str(cell).split("\n")
    seen = len(re.sub(r"\033\[[0-9]*m", "", first))
    return "\n".join([first + " " * (width - seen), *more])
