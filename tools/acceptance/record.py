# SPDX-License-Identifier: Apache-2.0
"""What was checked in a run, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from acceptance.progress import Progress

OK, FAILED, NOT_RUN = "ok", "FAILED", "not run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check. ``seconds`` is the time since the check before it, or since its step began."""

    step: str
    check: str
    outcome: str
    seconds: float


class Record:
    """Tells of steps and checks as they happen, and remembers them for the table."""

    def __init__(self, console: Progress) -> None:
        self._console = console
        self._step = ""
        self._since = time.monotonic()
        self._outcomes: list[Outcome] = []

    def begin(self, number: int, title: str) -> None:
        """Begin a step."""
        self._step, self._since = title, time.monotonic()
        self._console.step(number, title)

    def check(self, holds: object, text: str) -> bool:
        """Note whether something holds, go on either way, and return it."""
        self._console.told(bool(holds), text)
        self._note(text, OK if holds else FAILED)
        return bool(holds)

    def skip(self, title: str, reason: str) -> None:
        """Note that a step was not played."""
        self._console.say(f"\n{title}: not run, {reason}")
        self._outcomes.append(Outcome(title, reason, NOT_RUN, 0.0))

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """What was noted, in order."""
        return list(self._outcomes)

    @property
    def failures(self) -> int:
        """How many checks did not hold, or were never made because of one that did not."""
        return sum(outcome.outcome != OK for outcome in self._outcomes)

    def as_json(self) -> Sequence[Mapping[str, object]]:
        """Return what was noted, for ``json.dumps``."""
        return [asdict(outcome) for outcome in self._outcomes]

    def show(self) -> None:
        """Write the table, each step named once and long texts cut short, and a line with the sum."""
        rows: list[Sequence[object]] = []
        last = None
        for one in self._outcomes:
            step = one.step if one.step != last else ""
            rows.append((_short(step, 44), _short(one.check, 80), one.outcome, f"{one.seconds:.1f}"))
            last = one.step
        self._console.say()
        self._console.table(["step", "check", "outcome", "seconds"], rows)
        held = len(self._outcomes) - self.failures
        self._console.say(f"\n{held} of {len(self._outcomes)} checks held")

    def _note(self, text: str, outcome: str) -> None:
        now = time.monotonic()
        self._outcomes.append(Outcome(self._step, text, outcome, round(now - self._since, 2)))
        self._since = now


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."
