# SPDX-License-Identifier: Apache-2.0
"""The ``openstack`` client, run as people run it: in a process of its own, with clouds.yaml."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from quickstart.console import StoryFailed

from acceptance.marked import mark
from acceptance.progress import Progress
from acceptance.site import Site

#: The client, with the plugins that the checkout brings.
OPENSTACK = str(Path(sys.executable).parent / "openstack")
_TIMEOUT = 180


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended: its exit status, and what it printed."""

    status: int
    output: str
    errors: str

    @property
    def done(self) -> bool:
        """Whether it did all that it was asked for."""
        return self.status == 0

    def json(self) -> Any:
        """Return what it printed with ``-f json``.

        :raises StoryFailed: it printed something else.
        """
        try:
            return json.loads(self.output)
        except ValueError:
            raise StoryFailed(f"status {self.status}, no JSON: {(self.errors or self.output).strip()[-500:]}") from None

    @property
    def complaint(self) -> str:
        """The last line of what it had to say against it."""
        return self.errors.strip().rpartition("\n")[2]


class Running:
    """A command that was begun."""

    def __init__(
        self, console: Progress, words: str, process: subprocess.Popen[bytes], files: tuple[IO[bytes], IO[bytes]]
    ):
        self._console, self._words, self._process, self._files = console, words, process, files

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._read(0)

    def wait(self, timeout: float = _TIMEOUT) -> Answer:
        """Wait for its end.

        :raises StoryFailed: it takes longer than ``timeout`` seconds; it is killed then.
        """
        try:
            status = self._console.wait(f"waiting for {self._words}", self._process.poll, timeout, 0.02)
        finally:
            self.stop()
        return Answer(status, self._read(0), self._read(1))

    def stop(self) -> None:
        """End it, if it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _read(self, number: int) -> str:
        file = self._files[number]
        # Not by its position, which it shares with the process that writes.
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")


class OpenStackClient:
    """Runs commands, and tells each."""

    def __init__(self, site: Site, console: Progress) -> None:
        self._site, self._console = site, console

    def begin(self, cloud: str, *words: str, region: str | None = None) -> Running:
        """Begin a command as somebody of clouds.yaml."""
        where = ["--os-region-name", region] if region else []
        command = ["--os-cloud", cloud, *where, *words]
        text = shlex.join(["openstack", *command])
        self._console.seen(f"$ {text}")
        # They go with what was begun.
        files = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        process = subprocess.Popen(
            [OPENSTACK, *command],
            stdin=subprocess.DEVNULL,
            stdout=files[0],
            stderr=files[1],
            cwd=self._site.state,
            env=self._environment(),
            start_new_session=True,
        )
        return Running(self._console, shlex.join(words[:3]), process, files)

    def run(self, cloud: str, *words: str, region: str | None = None, timeout: float = _TIMEOUT) -> Answer:
        """Run a command to its end, whatever that is."""
        return self.begin(cloud, *words, region=region).wait(timeout)

    def read(self, cloud: str, *words: str, region: str | None = None, timeout: float = _TIMEOUT) -> Any:
        """Run a command that must succeed, and return what it tells.

        :raises StoryFailed: it does not succeed.
        """
        answer = self.run(cloud, *words, "-f", "json", region=region, timeout=timeout)
        if not answer.done:
            raise StoryFailed(f"openstack {shlex.join(words)}: status {answer.status}: {answer.errors.strip()[-500:]}")
        return answer.json()

    def do(self, cloud: str, *words: str, region: str | None = None, timeout: float = _TIMEOUT) -> None:
        """Run a command that must succeed and tells nothing.

        :raises StoryFailed: it does not succeed.
        """
        answer = self.run(cloud, *words, region=region, timeout=timeout)
        if not answer.done:
            raise StoryFailed(f"openstack {shlex.join(words)}: status {answer.status}: {answer.errors.strip()[-500:]}")

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self._site.state / "home"),
            "OS_CLIENT_CONFIG_FILE": f"{self._site.state}/clouds.yaml",
            "PYTHONWARNINGS": "ignore",
            **mark(self._site.state),
        }
