# SPDX-License-Identifier: Apache-2.0
"""Python environments of pinned packages, made once and kept in the cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quickstart.console import Console

from acceptance.errors import CannotRun

_PINS = Path(__file__).resolve().parent / "pins"

#: Seconds that making one environment may take.
_TIMEOUT = 1800
#: Written last, so an environment without it is half made.
_COMPLETE = ".complete"


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment."""

    path: Path

    def script(self, name: str) -> str:
        """Return the path of a command in it."""
        return str(self.path / "bin" / name)

    @property
    def python(self) -> str:
        """The path of its Python."""
        return self.script("python")


class Environments:
    """Makes environments in a cache directory, and finds them there again."""

    def __init__(self, cache: Path, console: Console) -> None:
        self._cache, self._console = cache, console

    def ensure(self, name: str) -> Environment:
        """Return the environment of ``pins/NAME.txt``, made now if the cache does not have it.

        :raises CannotRun: it cannot be made.
        """
        pins = _PINS / f"{name}.txt"
        arguments = ["--no-deps", "--requirement", str(pins)]
        return Environment(
            self._kept(name, pins.read_bytes(), lambda path: self._make(name, Environment(path), arguments))
        )

    def packages(self, name: str) -> Path:
        """Return a directory with the packages of ``pins/NAME.txt`` alone, made now if the cache does not have it.

        On ``PYTHONPATH`` it adds them to any environment.

        :raises CannotRun: it cannot be made.
        """
        pins = _PINS / f"{name}.txt"
        return self._kept(name, pins.read_bytes(), lambda path: self._into(name, path, ["--requirement", str(pins)]))

    def install(self, source: Path, target: Path) -> None:
        """Install a checkout into a directory, without what it needs.

        :raises CannotRun: it cannot be installed.
        """
        self._cache.mkdir(parents=True, exist_ok=True)
        self._into(source.name, target, [str(source)])

    def _into(self, name: str, target: Path, arguments: Sequence[str]) -> None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        self._run_all(name, [[*pip, "install", "--quiet", "--no-deps", "--target", str(target), *arguments]])

    def _kept(self, name: str, contents: bytes, make: Callable[[Path], None]) -> Path:
        """Return the directory of the cache for these contents, made now if it is not there as a whole."""
        self._cache.mkdir(parents=True, exist_ok=True)
        key = hashlib.sha256(b"\n".join([sys.version.encode(), contents])).hexdigest()[:16]
        path = self._cache / f"{name}-{key}"
        complete = path / _COMPLETE
        with self._alone(name):
            if not complete.exists():
                shutil.rmtree(path, ignore_errors=True)
                make(path)
                complete.touch()
        return path

    def _make(self, name: str, environment: Environment, arguments: Sequence[str]) -> None:
        pip = [environment.python, "-m", "pip", "--disable-pip-version-check"]
        self._run_all(
            name,
            [
                [sys.executable, "-m", "venv", str(environment.path)],
                [*pip, "install", "--quiet", *arguments],
                [*pip, "check"],
            ],
        )

    def _run_all(self, name: str, commands: Sequence[Sequence[str]]) -> None:
        log = self._cache / f"{name}.log"
        log.write_bytes(b"")
        for command in commands:
            if self._run(name, command, log):
                last = log.read_text(encoding="utf-8", errors="replace").strip()[-1000:]
                raise CannotRun(f"{name} cannot be installed: {' '.join(command)}\n{last}")

    def _run(self, name: str, command: Sequence[str], log: Path) -> int:
        """Run a command to its end and return its status; if we are stopped meanwhile, so is it."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            return self._console.wait(f"installing {name}", process.poll, _TIMEOUT, 0.2)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Hold the lock of one name while the block runs."""
        with (self._cache / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._console.say(f"waiting for another run that installs {name}")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def cache_directory() -> Path:
    """Return where environments are kept: ``flocx-acceptance`` in the user's cache directory."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flocx-acceptance"
