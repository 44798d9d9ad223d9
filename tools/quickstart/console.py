# SPDX-License-Identifier: Apache-2.0
"""Telling the story: steps, what was seen, checks, and progress where there is waiting."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class StoryFailed(Exception):
    """A step did not turn out as it must."""


class Console:
    """Writes to a terminal or a file; colours and moving progress only on a terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._terminal and "NO_COLOR" not in os.environ

    def say(self, text: str = "") -> None:
        """Write a line."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def step(self, number: int, title: str) -> None:
        """Begin a step of the story."""
        self.say()
        self.say(self._in("1", f"{number}  {title}"))

    def seen(self, text: str) -> None:
        """Tell what was seen."""
        self.say(f"   {text}")

    def check(self, holds: object, text: str) -> None:
        """Tell that something holds.

        :raises StoryFailed: it does not.
        """
        if not holds:
            self.say(f"   {self._in('31', 'FAILED')} {text}")
            raise StoryFailed(text)
        self.say(f"   {self._in('32', 'ok')} {text}")

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write a small table."""
        lines = [list(titles), *([str(cell) for cell in row] for row in rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
        for line in lines:
            self.seen("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def wait(self, what: str, probe: Callable[[], T | None], timeout: float, pause: float = 0.02) -> T:
        """Wait until ``probe`` returns something, showing that time passes, and return it.

        :raises StoryFailed: it did not within ``timeout`` seconds.
        """
        began = time.monotonic()
        shown = began
        while True:
            found = probe()
            now = time.monotonic()
            if found is not None:
                self._progress("")
                return found
            if now - began > timeout:
                self._progress("")
                raise StoryFailed(f"{what}: not within {timeout:.0f} s")
            if now - shown >= 1:
                shown = now
                self._progress(f"   ... {what} ({now - began:.0f} s)")
            time.sleep(pause)

    def _progress(self, text: str) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write(f"\r{text[:width].ljust(width)}\r")
        elif text:
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def _in(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text
