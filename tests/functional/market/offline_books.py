# SPDX-License-Identifier: Apache-2.0
"""Books of offers and bids in files, and the command that clears them, in this process."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flocx_market.cmd import clear
from tests.builders import NOW, at, uid

Entity = dict[str, Any]

#: NOW as the command is told it.
NOW_TEXT = NOW.isoformat().replace("+00:00", "Z")


def time(hours: float) -> str:
    """Return the instant so many hours after NOW as the API writes it."""
    return at(hours).isoformat().replace("+00:00", "Z")


def offer(number: int = 1, **over: Any) -> Entity:
    """Return an offer with what clearing needs: of its own node, from now for 100 hours, at 1.5."""
    return {
        "uuid": uid(number),
        "provider_uuid": uid(9001),
        "owner_project_id": "owner-a",
        "node_uuid": uid(1000 + number),
        "node_name": f"n{number}",
        "properties": {"cpus": 32, "local_gb": 1024},
        "start_time": time(0),
        "end_time": time(100),
        "reserve_price": "1.500000",
    } | over


def bid(number: int = 1, **over: Any) -> Entity:
    """Return a bid with what clearing needs: for 1 node from now for 10 hours at up to 2."""
    return {
        "uuid": uid(5000 + number),
        "project_id": "consumer-a",
        "start_time": time(0),
        "end_time": time(10),
        "limit_price": "2.000000",
    } | over


def without(entity: Entity, field: str) -> Entity:
    """Return an entity without a field."""
    return {name: value for name, value in entity.items() if name != field}


@dataclass(frozen=True)
class Outcome:
    """What a run of the command came to."""

    status: int
    output: str
    errors: str
    out: Path

    @property
    def summary(self) -> Entity:
        """The summary of a run with ``-f json``."""
        return json.loads(self.output)

    @property
    def contracts(self) -> list[Entity]:
        """The contracts written."""
        return _lines(self.out / "contracts.jsonl")

    @property
    def explanations(self) -> list[Entity]:
        """The explanations written."""
        return _lines(self.out / "explanations.jsonl")

    @property
    def files(self) -> Mapping[str, bytes]:
        """All that is in the directory for the results, hidden or not."""
        return {path.name: path.read_bytes() for path in self.out.glob("*") if path.is_file()}


@dataclass(frozen=True)
class Books:
    """Two books in a directory."""

    directory: Path

    def write(self, offers: Iterable[Entity | str], bids: Iterable[Entity | str]) -> Books:
        """Write the books, a line for each entity; text goes in as it is."""
        for name, entities in (("offers", offers), ("bids", bids)):
            lines = (one if isinstance(one, str) else json.dumps(one) for one in entities)
            (self.directory / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return self

    def arguments(self, *more: str, out: str = "out") -> list[str]:
        """Return the command line that clears the books at NOW, with more options after it."""
        paths = {"--offers": "offers.jsonl", "--bids": "bids.jsonl", "--out": out}
        given = [word for option, name in paths.items() for word in (option, str(self.directory / name))]
        return [*given, "--now", NOW_TEXT, *more]

    def clear(self, *more: str, out: str = "out") -> Outcome:
        """Run the command on the books."""
        return run(self.arguments(*more, out=out), self.directory / out)


def run(arguments: list[str], out: Path) -> Outcome:
    """Run the command in this process."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = clear.main(arguments)
        except SystemExit as stop:
            status = stop.code
    return Outcome(int(status or 0), output.getvalue(), errors.getvalue(), out)


def _lines(path: Path) -> list[Entity]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
