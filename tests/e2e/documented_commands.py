# SPDX-License-Identifier: Apache-2.0
"""Pages that show commands: what they show, and whether it is what happens.

In a ``console`` block a line that begins with ``$`` is a command, and the lines
that follow are what it prints on either stream. It is what a terminal showed;
of that the following may be different each time:

- ``...`` and the spaces after it stand for any text within a line;
- UUIDs, ids of projects, cursors of events, and times stand for others. The same
  UUID stands for the same each time, also in the commands.

A command ends with status 0, unless the page asks for its status with
``echo $?`` at once. What a page shows must have come about: a comment
``.. await: COMMAND`` waits until a command succeeds.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(
    r"\.\. code-block:: console\n\n(?P<block>(?:(?: +.*)?\n)+)|^\.\. await: (?P<await>.*)\n", re.MULTILINE
)

# What stands for something else, by its kind. Those in capitals stand for the same each time.
_KINDS = {
    "any": r"\.\.\. *",
    "UUID": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "PROJECT": r"\b[0-9a-f]{32}\b",
    "CURSOR": r"(?<=--since )\S+",
    "utc": r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "zone": r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\b",
}
_KIND = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _KINDS.items()))

#: Seconds that a page waits for anything.
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a page, and what the page shows of it; or something that the page waits for."""

    command: str
    shown: Sequence[str] = ()
    awaited: bool = False


@dataclass(slots=True)
class Meanings:
    """What the things of a page stand for in a run."""

    of_page: dict[str, str] = field(default_factory=dict)

    def difference(self, shown: Sequence[str], printed: Sequence[str]) -> str:
        """Return where what is printed is not what is shown, in words; empty if it is."""
        for number, line in enumerate(shown):
            if number >= len(printed):
                return f"shown, but not printed: {line}"
            if not self._stands_for(line, printed[number]):
                return f"shown:   {line}\nprinted: {printed[number]}"
        return f"printed, but not shown: {printed[len(shown)]}" if len(printed) > len(shown) else ""

    def in_command(self, command: str) -> str:
        """Return a command of the page as it is in the run."""
        return _KIND.sub(lambda match: self.of_page.get(match[0], match[0]), command)

    def _stands_for(self, shown: str, printed: str) -> bool:
        pattern, names, place = "", [], 0
        for match in _KIND.finditer(shown):
            kind = str(match.lastgroup)
            pattern += re.escape(shown[place : match.start()]) + f"({'.+?' if kind == 'any' else _KINDS[kind]})"
            names.append((kind, match[0]))
            place = match.end()
        found = re.fullmatch(pattern + re.escape(shown[place:]), printed)
        if found is None:
            return False
        return all(
            self._means(name, meaning)
            for (kind, name), meaning in zip(names, found.groups(), strict=True)
            if kind.isupper()
        )

    def _means(self, name: str, meaning: str) -> bool:
        if name not in self.of_page and meaning in self.of_page.values():
            return False
        return self.of_page.setdefault(name, meaning) == meaning


def steps(page: str) -> Sequence[Step]:
    """Return the commands of a page in order, with what it shows of each, and what it waits for."""
    found = []
    for match in _BLOCK.finditer(page):
        if match["await"]:
            found.append(Step(match["await"], awaited=True))
            continue
        lines = [line[3:].rstrip() for line in match["block"].rstrip().splitlines()]
        assert lines[0].startswith("$ "), f"output without a command: {lines[0]}"
        while lines:
            command = [lines.pop(0)[2:]]
            while command[-1].endswith("\\"):
                command.append(lines.pop(0))
            shown = []
            while lines and not lines[0].startswith("$ "):
                shown.append(lines.pop(0))
            found.append(Step("\n".join(command), _without_end(shown)))
    return found


class Shell:
    """A shell that runs the commands of a page one after the other, with variables and all."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=dict(environment),
            text=True,
        )

    def run(self, command: str) -> tuple[int, Sequence[str]]:
        """Run a command and return its exit status and the lines that it prints."""
        given, taken = self._process.stdin, self._process.stdout
        assert given is not None
        assert taken is not None
        # Its status is kept for a following "echo $?".
        given.write(f"{{ {command}\n}} </dev/null\n( status=$?; printf '\\n--ended %s\\n' $status; exit $status )\n")
        given.flush()
        lines: list[str] = []
        for line in taken:
            if ended := re.fullmatch(r"--ended (\d+)\n", line):
                # The last line break is not the command's.
                return int(ended[1]), lines if lines[-1] else lines[:-1]
            lines.append(line.rstrip())
        raise AssertionError(f"the shell has ended with {command!r}: {lines}")

    def comes_about(self, command: str, patience: int = _PATIENCE) -> bool:
        """Run a command until it succeeds, and return whether it did within so many seconds."""
        loop = f"until {{ {command}\n}} &>/dev/null; do ((SECONDS < {patience})) || break; sleep 0.2; done"
        status, _ = self.run(f"SECONDS=0; {loop}; ((SECONDS < {patience}))")
        return status == 0

    def close(self) -> None:
        """End the shell."""
        # It ends where its input does; both streams are closed.
        self._process.communicate(timeout=_PATIENCE)


def replay(page: Sequence[Step], shell: Shell) -> str:
    """Run the commands of a page and return where it is wrong, in words; empty if nowhere."""
    meanings = Meanings()
    for number, step in enumerate(page):
        command = meanings.in_command(step.command)
        if step.awaited:
            if not shell.comes_about(command):
                return f"not within {_PATIENCE} s: {command}"
            continue
        status, lines = shell.run(command)
        printed = _without_end(lines)
        difference = meanings.difference(step.shown, printed)
        if difference:
            return "\n".join([f"$ {command}", *printed, "", difference])
        asked = number + 1 < len(page) and page[number + 1].command == "echo $?"
        if status and not asked:
            return "\n".join(
                [f"$ {command}", *printed, "", f"it ends with status {status}, which the page does not tell"]
            )
    return ""


def _without_end(lines: Sequence[str]) -> Sequence[str]:
    """Return lines without the empty ones at the end, which no page shows."""
    end = len(lines)
    while end and not lines[end - 1]:
        end -= 1
    return lines[:end]
