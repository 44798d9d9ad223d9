# SPDX-License-Identifier: Apache-2.0
"""``--wait``: how long, and what is seen of it on a terminal."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from flocx_client.osc.options import seconds
from flocx_client.osc.times import format_duration

if TYPE_CHECKING:
    from flocx_client.waiting import Progress

_PATIENCE = "10m"


def add_wait(parser: argparse.ArgumentParser, until: str) -> None:
    """Add ``--wait`` and ``--timeout``."""
    parser.add_argument("--wait", action="store_true", help=f"Wait until {until}")
    add_timeout(parser)


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """Add ``--timeout``."""
    parser.add_argument(
        "--timeout",
        metavar="<duration>",
        type=seconds,
        default=_PATIENCE,
        help=f"Wait at most so long, by default {_PATIENCE}; what is waited for goes on when the wait ends",
    )


class ProgressLine:
    """One line on a terminal that is written over again and again; nothing elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0

    def show(self, text: str) -> None:
        """Show a text in place of the last one."""
        if self._stream.isatty():
            self._stream.write(f"\r{text:<{self._shown}}")
            self._stream.flush()
            self._shown = len(text)

    def waited(self, what: str, seen: Progress) -> None:
        """Show how far what is waited for has come."""
        self.show(f"{what} is {seen.entity['status']}, waiting for {format_duration(int(seen.seconds))}")

    def clear(self) -> None:
        """Leave an empty line."""
        if self._shown:
            self._stream.write(f"\r{'':<{self._shown}}\r")
            self._stream.flush()
            self._shown = 0


@contextmanager
def progress_line(stream: TextIO) -> Iterator[ProgressLine]:
    """Give a line of progress that is gone in the end."""
    line = ProgressLine(stream)
    try:
        yield line
    finally:
        line.clear()
