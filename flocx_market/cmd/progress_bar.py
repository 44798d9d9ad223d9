# SPDX-License-Identifier: Apache-2.0
"""How far a long command is, where somebody is looking."""

from __future__ import annotations

from typing import TextIO

_WIDTH = 30


class ProgressBar:
    """A bar on a terminal, one line for each thing that is done; nothing where ``stream`` is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = ""

    def __call__(self, what: str, done: int, of: int) -> None:
        """Show that ``done`` of ``of`` are done."""
        if not self._stream.isatty():
            return
        filled = _WIDTH * done // of
        line = f"\r{what:<17} [{'#' * filled}{'.' * (_WIDTH - filled)}] {100 * done // of:3d} %"
        if line != self._shown:
            self._shown = line
            self._stream.write(line + ("\n" if done >= of else ""))
            self._stream.flush()
