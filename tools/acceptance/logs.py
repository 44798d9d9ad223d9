# SPDX-License-Identifier: Apache-2.0
"""What a service has logged since a moment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FAILED = re.compile(r"\] (\w+) failed and will be tried again: (.*)")
_WORKS = re.compile(r"\] (\w+) works again")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a job of a manager told of its trouble: why it fails, line by line, and how often that it works again."""

    reasons: Sequence[str]
    recovered: int

    @property
    def told_well(self) -> bool:
        """Whether it told of each reason once, and once that it is over."""
        return len(set(self.reasons)) == len(self.reasons) > 0 and self.recovered == 1


class Log:
    """A log from the moment on at which this was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin = path.stat().st_size if path.exists() else 0

    @property
    def text(self) -> str:
        """What was written since."""
        with self._path.open("rb") as file:
            file.seek(self._begin)
            return file.read().decode(errors="replace")

    def troubles(self) -> Mapping[str, Trouble]:
        """Return what each job of a manager told of its trouble."""
        text = self.text
        failed = _FAILED.findall(text)
        works = Counter(_WORKS.findall(text))
        return {
            job: Trouble([reason for name, reason in failed if name == job], works[job])
            for job in sorted({name for name, _ in failed} | set(works))
        }

    def provision_states(self, node: str) -> Sequence[str]:
        """Return the states that Ironic told it has moved a node to, in order."""
        return re.findall(rf'Node {re.escape(node)} moved to provision state "([^"]+)"', self.text)

    @property
    def tracebacks(self) -> int:
        """How many errors nobody foresaw."""
        return self.text.count("Traceback (most recent call last)")

    @property
    def errors(self) -> int:
        """How many lines tell of an error."""
        return self.text.count(" ERROR ")
