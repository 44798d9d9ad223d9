# SPDX-License-Identifier: Apache-2.0
"""The OpenStack client in this process."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote, as JSON."""
        return json.loads(self.out)

    @property
    def csv(self) -> list[dict[str, str]]:
        """What it wrote, as CSV with titles."""
        return list(csv.DictReader(io.StringIO(self.out)))


class Stream(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self.terminal = terminal

    def isatty(self) -> bool:
        """Return whether it is one."""
        return self.terminal


def openstack(
    *words: str, given: str = "", terminal: bool = False, out: Stream | None = None, err: Stream | None = None
) -> Ended:
    """Run ``openstack`` as its script does, and return how it ended."""
    out, err = out or Stream(terminal=terminal), err or Stream(terminal=terminal)
    with _own_logging(), warnings.catch_warnings():
        # What it and its libraries warn of is theirs.
        warnings.simplefilter("ignore")
        from openstackclient.shell import OpenStackShell

        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            shell = OpenStackShell()
            shell.NAME = "openstack"
            shell.stdin = io.StringIO(given)
            try:
                status = shell.run(list(words))
            except SystemExit as end:
                status = end.code
    return Ended(int(status or 0), out.getvalue(), err.getvalue())


#: The loggers of what serves the requests of the commands, in another process as a rule.
_SERVICES = [logging.getLogger(name) for name in ("flocx_common", "flocx_market", "flocx_provider")]

#: The loggers of libraries, which the services keep quiet.
_LIBRARIES = [logging.getLogger(name) for name in ("keystoneauth", "requests", "stevedore", "urllib3")]


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    """Give the shell the root logger for itself, and put it back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    for logger in _SERVICES:
        logger.propagate = False
    levels = {logger: logger.level for logger in _LIBRARIES}
    for logger in _LIBRARIES:
        logger.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        for logger in _SERVICES:
            logger.propagate = True
        for logger, before in levels.items():
            logger.setLevel(before)
