# SPDX-License-Identifier: Apache-2.0
"""flocx-market-clear: clear books from files, for replay and what-if."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from flocx_common.extras import fail, needs_extra

_DESCRIPTION = """\
Clear a book of offers and a book of bids with the market's own engine, without
a market. Books are in the API's JSON, one entity a line, as GET /v1/offers and
GET /v1/bids show them; fields that clearing does not need may be left out.

Writes DIR/contracts.jsonl (contracts with their allocations) and
DIR/explanations.jsonl (why each bid left open is open), and prints a summary.
The same books and the same time give the same files, byte for byte.
"""


@needs_extra("market")
def main(args: Sequence[str] | None = None) -> int:
    """Clear the books; exit status 2 when one of them, or an argument, cannot be used.

    :param args: the command line without the program's name; None for the process's own.
    """
    from flocx_common.api.values import time_from  # noqa: PLC0415
    from flocx_common.domain.errors import ConfigurationInvalid, Invalid  # noqa: PLC0415
    from flocx_market import bootstrap  # noqa: PLC0415
    from flocx_market.domain.engine import Effort  # noqa: PLC0415
    from flocx_market.offline.books import BooksInvalid  # noqa: PLC0415
    from flocx_market.offline.run import clear_books  # noqa: PLC0415

    options = _parser().parse_args(args)
    try:
        rules = bootstrap.rules(
            engine=options.engine,
            ranking=options.ranking,
            pricing=options.pricing,
            k=options.k,
            pricing_budget=options.pricing_budget,
            effort=Effort(work=options.work_limit),
        )
        now = time_from(options.now, "--now")
        summary = clear_books(
            options.offers,
            options.bids,
            now,
            rules,
            options.out,
            _progress,
            questions=options.capacity,
            turnaround=options.turnaround,
        )
    except BooksInvalid as error:
        fail(str(error), 2)
    except OSError as error:
        fail(f"--out: {error.filename or options.out}: {error.strerror}", 2)
    except ConfigurationInvalid as error:
        # The settings of the service are options here.
        fail(error.detail.replace("[clearing] ", "--", 1), 2)
    except Invalid as error:
        fail(error.detail, 2)
    about = {"now": options.now, "ranking": options.ranking, "engine": options.engine, "pricing": options.pricing}
    shown = summary.as_json(about)
    if options.format == "json":
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        seconds = shown.pop("seconds")
        rows = {**shown, **{f"seconds to {stage}": value for stage, value in seconds.items()}}
        width = max(len(name) for name in rows)
        sys.stdout.write("".join(f"{name.ljust(width)}  {value}\n" for name, value in rows.items()))
    return 0


def _progress(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty() and (done % 50 == 0 or done == of):
        sys.stderr.write(f"\r{what}: {done} of {of}" + ("\n" if done == of else ""))


def _share(text: str) -> Decimal:
    try:
        share = Decimal(text)
        if 0 <= share <= 1:
            return share
    except InvalidOperation:
        pass
    raise argparse.ArgumentTypeError(f"{text}: a number from 0 to 1 is expected")


def _count(text: str) -> int:
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: a whole number of at least 0 is expected")


def _steps(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: a whole number above 0 is expected")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flocx-market-clear", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--offers", type=Path, required=True, metavar="FILE", help="the book of offers, JSON lines")
    parser.add_argument("--bids", type=Path, required=True, metavar="FILE", help="the book of bids, JSON lines")
    parser.add_argument(
        "--now", required=True, metavar="TIME", help="the time of the round, such as 2026-12-01T08:00:00Z"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    parser.add_argument(
        "--capacity",
        type=Path,
        metavar="FILE",
        help="a book of questions, JSON lines with the fields of a bid: how many nodes could be had at which price "
        "before the round; the answers go to DIR/capacity.jsonl",
    )
    parser.add_argument("--ranking", default="value", help="which bid is served first (default: %(default)s)")
    parser.add_argument("--engine", default="greedy", help="how bids are matched (default: %(default)s)")
    parser.add_argument("--pricing", default="critical", help="what a node costs (default: %(default)s)")
    parser.add_argument(
        "--k",
        type=_share,
        default=Decimal("0.5"),
        help="for --pricing k_double: the share of the way from reserve to limit (default: %(default)s)",
    )
    parser.add_argument(
        "--pricing-budget",
        type=_count,
        metavar="N",
        help="for --pricing critical: placements it may try; contracts beyond them pay the reserve (default: no bound)",
    )
    parser.add_argument(
        "--work-limit",
        type=_steps,
        metavar="N",
        help="steps the engine may take, counted by itself; greedy ignores it (default: as many as it needs)",
    )
    parser.add_argument(
        "--turnaround",
        type=_count,
        default=0,
        metavar="S",
        help="seconds that every node needs between two contracts (default: %(default)s)",
    )
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="how to print the summary")
    return parser
