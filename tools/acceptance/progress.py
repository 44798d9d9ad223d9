# SPDX-License-Identifier: Apache-2.0
"""Progress that also reads well in the log of a machine, and does not stand in the way of the end."""

from __future__ import annotations

import io
import sys
import time

from quickstart.console import Console

#: Seconds between two lines about the same waiting where there is no terminal.
_QUIET = 10


class Progress(Console):
    """The quickstart's console, with fewer lines about waiting where nobody watches them move.

    :raises BrokenPipeError: nobody reads any more, from the method that notices; from then on
        nothing is written, so that all can still be removed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._next_line = 0.0

    def say(self, text: str = "") -> None:
        """Write a line."""
        try:
            super().say(text)
        except BrokenPipeError:
            sys.stdout = io.StringIO()
            raise

    def told(self, holds: bool, text: str) -> None:
        """Tell whether something holds, and go on."""
        self.say(f"   {self._in('32', 'ok') if holds else self._in('31', 'FAILED')} {text}")

    def _progress(self, text: str) -> None:
        now = time.monotonic()
        if self._terminal:
            super()._progress(text)
        elif not text:
            self._next_line = 0.0
        elif not self._next_line:
            self._next_line = now + _QUIET
        elif now >= self._next_line:
            self._next_line = now + _QUIET
            self.say(text)
