# SPDX-License-Identifier: Apache-2.0
"""Where the books of clearing.py come from, and the bounds that go with them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
#: A script that takes --now TIME and a folder of books and prints {"bound": ...}: no clearing of these books has more
#: surplus, in price x node-hours as the summary of flocx-market-clear counts it.
BOUND = _HERE / "bound.py"
#: The time of every round.
NOW = "2027-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a market is like, seed apart."""

    market: str
    offers: int
    bids: int
    classes: int = 50
    flexible: float = 0.0
    rules: float = 0.0
    identity: bool = False

    @property
    def title(self) -> str:
        """The market in words, as the tables and the targets have it."""
        flexible = ", half flexible" if self.flexible else ""
        rules = f", {100 * self.rules:g}% with rules" if self.rules else ""
        return f"{self.market} {self.offers:,} x {self.bids:,}{flexible}{rules}"

    def shrunk(self, by: int) -> Shape:
        """Return the market with its counts divided."""
        return Shape(
            self.market,
            max(20, self.offers // by),
            max(20, self.bids // by),
            max(2, self.classes // by),
            self.flexible,
            self.rules,
            self.identity,
        )

    def folder(self, seed: int) -> str:
        """The name of the folder that has such books."""
        name = f"{self.market}-{self.offers}x{self.bids}-{seed}"
        if self.classes != 50:
            name += f"-classes{self.classes}"
        if self.flexible:
            name += f"-flexible{self.flexible:g}"
        if self.rules:
            name += f"-rules{self.rules:g}"
        return f"{name}-identity" if self.identity else name


@dataclass(frozen=True, slots=True)
class Books:
    """A folder with offers.jsonl and bids.jsonl."""

    directory: Path

    @property
    def arguments(self) -> list[str]:
        """The books and the time, as every script takes them."""
        return [
            *("--offers", str(self.directory / "offers.jsonl")),
            *("--bids", str(self.directory / "bids.jsonl")),
            *("--now", NOW),
        ]


class Library:
    """Books by shape and seed: from a folder that has them, or made by a generator and kept.

    :param given: a folder of books by :meth:`Shape.folder`, or None.
    :param generator: a script with the command line of markets.py.
    :param kept: where books and bounds that are made are kept.
    """

    def __init__(self, given: Path | None, generator: Path, kept: Path) -> None:
        self._given, self._generator, self._kept = given, generator, kept

    def books(self, shape: Shape, seed: int) -> Books:
        """Return the books of a shape and a seed.

        :raises SystemExit: they are in no folder, and the generator fails.
        """
        name = shape.folder(seed)
        if self._given is not None:
            if not (self._given / name / "offers.jsonl").exists():
                raise SystemExit(f"clearing.py: --books: {self._given / name} has no offers.jsonl")
            return Books(self._given / name)
        directory = self._kept / name
        if not (directory / "made").exists():
            sys.stderr.write(f"making {name}\n")
            words = ["--market", shape.market, "--offers", shape.offers, "--bids", shape.bids, "--seed", seed]
            words += ["--classes", shape.classes, "--flexible", shape.flexible, "--rules", shape.rules]
            words += ["--out", directory]
            run([str(self._generator), *map(str, words), *(["--identity"] if shape.identity else [])])
            (directory / "made").touch()
        return Books(directory)

    def bound(self, books: Books) -> float | None:
        """Return the bound on the surplus of these books in price x node-hours; None where nothing computes one."""
        if not BOUND.exists():
            return None
        known = self._kept / "bounds" / f"{books.directory.name}.json"
        if not known.exists():
            sys.stderr.write(f"bounding {books.directory.name}\n")
            known.parent.mkdir(parents=True, exist_ok=True)
            known.write_text(run([str(BOUND), "--now", NOW, str(books.directory)]))
        return float(json.loads(known.read_text())["bound"])


def run(words: list[str]) -> str:
    """Run a script and return what it prints.

    :raises SystemExit: it fails; with what it says of that.
    """
    done = subprocess.run([sys.executable, *words], capture_output=True, check=False, text=True)
    if done.returncode:
        raise SystemExit(f"clearing.py: {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout
