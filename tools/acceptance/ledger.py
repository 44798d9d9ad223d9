# SPDX-License-Identifier: Apache-2.0
"""What a run has made outside its state directory, written down before it is made, so that any next run can undo it."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from acceptance.databases import drop_databases
from acceptance.errors import CannotRun
from acceptance.marked import kill_marked

_LOCK = "lock"


class Ledger:
    """The ledger of one state directory."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._path = state / "databases.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs away from the state directory while the block runs, and begin with an empty one.

        What an earlier run left because it was killed is removed first.

        :raises CannotRun: another run is there, or what is there is not ours to remove.
        """
        if self._state.exists() and any(self._state.iterdir()) and not (self._state / _LOCK).exists():
            raise CannotRun(f"{self._state} is not empty and no run's; --state-dir takes another place")
        self._state.mkdir(parents=True, exist_ok=True)
        with (self._state / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CannotRun(f"another run is in {self._state}; --state-dir takes another place") from None
            if left := self.undo():
                raise CannotRun(f"an earlier run left what cannot be removed: {', '.join(left)}")
            for entry in self._state.iterdir():
                if entry.name != _LOCK:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            yield

    def remember(self, kind: str, database: str) -> None:
        """Write down that a database is about to be made on a kind of server."""
        self._path.write_text(json.dumps([*self._databases(), (kind, database)]), encoding="utf-8")

    def undo(self) -> Sequence[str]:
        """Kill the processes and drop the databases that are still there; return in words what could not be."""
        left = [f"process {process.pid} ({process.command})" for process in kill_marked(self._state)]
        left += [f"database {name}" for name in drop_databases(self._databases())]
        if not left:
            self._path.unlink(missing_ok=True)
        return left

    def _databases(self) -> Sequence[tuple[str, str]]:
        if not self._path.exists():
            return []
        return [(kind, name) for kind, name in json.loads(self._path.read_text(encoding="utf-8"))]
