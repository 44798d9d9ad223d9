# SPDX-License-Identifier: Apache-2.0
"""Measure the clearing engine: scale, late bids, quality, pricing, explanations.

Figures are counts, and ratios within one run, so that they hold on another
machine; seconds and megabytes stand beside them. Each is the median of several
runs, each run a process of its own. The contracts of every run are checked by
check.py; a broken rule ends the benchmark.

Books come from a generator: markets.py beside this script, or another with the
same command line, given with --generator SCRIPT (it takes --market --offers
--bids --classes --seed --flexible --rules --identity --out). Or they are taken from
--books DIR, where each is in a folder of its own:
  DIR/<market>-<offers>x<bids>-<seed>[-classes<K>][-flexible<SHARE>][-rules<SHARE>][-identity]
with offers.jsonl and bids.jsonl. Figures compare only when the books are the
same. Bounds come from bound.py beside this script, where it is there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from clearing_books import Library
from clearing_sections import SECTIONS, Bench, Figure

_HERE = Path(__file__).parent


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as text in columns."""
    rows = [("section", "what", "market", "figure", "target", "", "")]
    rows += [
        (
            figure.section,
            figure.what,
            figure.market,
            "-" if figure.value is None else f"{shown(figure.value)} {figure.unit}".rstrip(),
            figure.target or "",
            "" if figure.met is None else ("met" if figure.met else "MISSED"),
            figure.detail,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def shown(value: float) -> str:
    """Return a figure with three digits that matter, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def measure(names: Sequence[str], bench: Bench) -> list[Figure]:
    """Return the figures of sections, telling each on stderr when it is known."""
    figures = []
    for name in names:
        for figure in SECTIONS[name](bench):
            # Targets are for books of full size.
            figures.append(figure if bench.shrink == 1 else replace(figure, target=None, met=None))
            sys.stderr.write(table(figures[-1:]).splitlines()[1] + "\n")
    return figures


def main(args: Sequence[str] | None = None) -> int:
    """Measure and print."""
    options = _parser().parse_args(args)
    names = list(SECTIONS) if "all" in options.sections else list(dict.fromkeys(options.sections))
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(
            library=Library(options.books, options.generator, options.keep or Path(scratch) / "books"),
            scratch=Path(scratch),
            runs=options.runs,
            seeds=tuple(options.seeds),
            sample=options.sample,
            shrink=options.shrink,
            million=options.million,
            plain=options.plain,
            seconds=tuple(options.seconds),
        )
        figures = measure(names, bench)
    sys.stdout.write(table(figures))
    if options.json is not None:
        about = {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "runs": options.runs,
            "seeds": options.seeds,
            "shrink": options.shrink,
        }
        shown_figures = [asdict(figure) for figure in figures]
        options.json.write_text(json.dumps({**about, "figures": shown_figures}, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="+", choices=[*SECTIONS, "all"], help="what to measure")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--books", type=Path, metavar="DIR", help="a folder of folders of books")
    where.add_argument(
        "--generator", type=Path, default=_HERE / "markets.py", metavar="SCRIPT", help="what makes books"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep books and bounds that are made, for the next time"
    )
    parser.add_argument("--runs", type=_count, default=3, metavar="N", help="runs of each kind (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 6, 7, 8, 9], metavar="S", help="default: 5 to 9")
    parser.add_argument(
        "--sample", type=_count, default=200, metavar="N", help="late bids timed (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        nargs="+",
        default=[10, 60],
        metavar="S",
        help="CPU seconds that an engine that searches may take in 'quality' (default: 10 60)",
    )
    parser.add_argument("--million", action="store_true", help="with 1,000,000 offers in 'scale' as well")
    parser.add_argument("--plain", action="store_true", help="documents without what tells node from node")
    parser.add_argument("--shrink", type=_count, default=1, metavar="N", help="divide all sizes by N, to try it out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON, too")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: a number of at least 1 is expected")
    return number


if __name__ == "__main__":
    sys.exit(main())
