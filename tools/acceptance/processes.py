# SPDX-License-Identifier: Apache-2.0
"""The processes of a run: started, watched, stopped, each with a log and a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from quickstart.console import Console, StoryFailed

from acceptance.errors import CannotRun
from acceptance.marked import mark

_START_TIMEOUT = 120
_COMMAND_TIMEOUT = 300
_STOP_TIMEOUT = 15
#: Characters of a log that are shown when something went wrong.
_LAST_WORDS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A process that stays: its name, its command, and how to tell that it is ready."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process that ends: what it is for, and its command."""

    purpose: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Processes:
    """The processes of one run."""

    def __init__(self, state: Path, console: Console) -> None:
        self._state, self._console = state, console
        self._services: dict[str, Service] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        """Return where a service or command writes its log."""
        return self._state / "log" / f"{name.replace(' ', '-')}.log"

    def run(self, *chains: Sequence[Command]) -> None:
        """Run commands, those of a chain one after the other, as many chains at a time as there are processors.

        :raises CannotRun: one fails.
        """
        waiting = [list(chain) for chain in chains]
        running: list[tuple[Command, list[Command], subprocess.Popen[bytes]]] = []

        def advance() -> bool | None:
            for entry in list(running):
                command, rest, process = entry
                if process.poll() is not None:
                    running.remove(entry)
                    if process.returncode:
                        raise CannotRun(
                            f"{command.purpose} has failed with status {process.returncode}; "
                            f"{self._last_words(command.purpose)}"
                        )
                    if rest:
                        waiting.insert(0, rest)
            while waiting and len(running) < (os.cpu_count() or 1):
                command, *rest = waiting.pop(0)
                running.append((command, rest, self._popen(command.purpose, command.command, command.environment)))
            return None if running else True

        try:
            self._console.wait(f"setting up {chains[0][0].purpose}", advance, _COMMAND_TIMEOUT, 0.05)
        finally:
            for _, _, process in running:
                _signal(process, signal.SIGKILL)
                process.wait()

    def start(self, *services: Service) -> None:
        """Start services together, and wait until all are ready.

        :raises CannotRun: one ends or does not get ready.
        """
        for service in services:
            self._services[service.name] = service
            self._running[service.name] = self._popen(service.name, service.command, service.environment)
        for service in services:
            try:
                self._console.wait(f"waiting for {service.name}", partial(self._ready, service), _START_TIMEOUT, 0.1)
            except StoryFailed as error:
                raise CannotRun(f"{error}; {self._last_words(service.name)}") from None

    def restart(self, *names: str) -> None:
        """Start services that were stopped again, and wait until they are ready."""
        self.start(*(self._services[name] for name in names))

    def stop(self, *names: str) -> None:
        """Stop services; those named later are told later."""
        for name in names:
            _signal(self._running[name], signal.SIGTERM)
        deadline = time.monotonic() + _STOP_TIMEOUT
        for name in names:
            self._end(self._running.pop(name), deadline)

    def kill(self, name: str) -> None:
        """End a service as a crash would."""
        self._end(self._running.pop(name), 0)

    def stop_all(self, hurry: Callable[[], bool]) -> None:
        """Stop everything, the last started first; ``hurry`` tells when there is no more time to do it gently."""
        running = list(reversed(self._running.items()))
        self._running.clear()
        for _, process in running:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_TIMEOUT
        while any(process.poll() is None for _, process in running) and time.monotonic() < deadline and not hurry():
            time.sleep(0.05)
        for _, process in running:
            self._end(process, 0)

    @property
    def stopped(self) -> Sequence[str]:
        """The services that were started once, and do not run now, in the order in which they were started."""
        return [name for name in self._services if name not in self._running]

    def process_ids(self) -> Mapping[str, int]:
        """Return the process ids of the running services by name."""
        return {name: process.pid for name, process in self._running.items()}

    def check_alive(self) -> None:
        """Raise when a service has ended by itself.

        :raises CannotRun: one has; the text has the last lines of its log.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise CannotRun(f"{name} has ended with status {process.returncode}; {self._last_words(name)}")

    def _ready(self, service: Service) -> bool | None:
        self.check_alive()
        return True if service.ready() else None

    def _popen(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        log = self.log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                cwd=self._state,
                # Nothing of the caller's but the path: no proxy, no credentials, no settings of another cloud.
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "LANG": "C.UTF-8",
                    "HOME": str(self._state / "home"),
                    "PYTHONWARNINGS": "ignore",
                    **environment,
                    **mark(self._state),
                },
                # A session of its own, so that Ctrl-C reaches us first and all of it can be ended together.
                start_new_session=True,
            )

    def _end(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(deadline - time.monotonic(), 0))
        # What it has started may outlive it; its group goes as a whole.
        _signal(process, signal.SIGKILL)
        process.wait()

    def _last_words(self, name: str) -> str:
        path = self.log(name)
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return f"the end of {path}:\n{text.strip()[-_LAST_WORDS:]}"


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
