# SPDX-License-Identifier: Apache-2.0
"""flocx-market-simulate: replay real demand, site by site and together."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flocx_common.extras import fail, missing_extra, needs_extra
from flocx_market.cmd.progress_bar import ProgressBar

if TYPE_CHECKING:
    from flocx_market.simulation.conversion import Knobs
    from flocx_market.simulation.sensitivity import Variation
    from flocx_market.simulation.study import Study

_DESCRIPTION = """\
Replay a trace of reservations in simulated time through the market's own core:
sites are owners, their nodes are offers, reservations are bids. Three worlds
are compared: every site alone, the exchange of all sites, and a bound that no
market exceeds that knows all bids beforehand.

Writes summary.json, worlds.csv, owners.csv, prices.csv and bids.csv into DIR,
and plots as SVG and PNG. The same files, knobs and seed give the same results,
byte for byte.
"""

_LONGEST_HOURS, _MOST = 100_000, 1000


@needs_extra("market")
def main(args: Sequence[str] | None = None) -> int:
    """Replay the trace; exit status 2 when a file, or an argument, cannot be used.

    :param args: the command line without the program's name; None for the process's own.
    """
    from flocx_common.domain.errors import ConfigurationInvalid  # noqa: PLC0415
    from flocx_market import bootstrap  # noqa: PLC0415
    from flocx_market.offline.results import together  # noqa: PLC0415
    from flocx_market.simulation import results  # noqa: PLC0415
    from flocx_market.simulation.sensitivity import sensitivity  # noqa: PLC0415
    from flocx_market.simulation.study import market_of, read_traces, study  # noqa: PLC0415
    from flocx_market.simulation.traces import TraceInvalid  # noqa: PLC0415

    began = time.perf_counter()
    options = _parser().parse_args(args)
    draw = None if options.no_plots else _plots()
    progress = ProgressBar(sys.stderr)
    try:
        rules = bootstrap.rules(engine=options.engine, ranking=options.ranking, pricing=options.pricing, k=options.k)
        knobs = _knobs(options)
        traces = read_traces(options.reservations, options.capacity, options.node_types)
        market = market_of(traces, knobs, options.begin, options.until)
        done = study(traces, market, rules, knobs, progress)
        seeds = range(options.seed, options.seed + options.seeds)
        variations = (
            list(sensitivity(traces, knobs, rules, seeds, options.begin, options.until, progress))
            if options.sensitivity
            else []
        )
        named = {name: str(getattr(options, name)) for name in ("engine", "ranking", "pricing", "k")}
        told = results.summary(traces, done, knobs, named)
        with together(options.out) as directory:
            results.write(directory, told, done, variations)
            if draw is not None:
                draw(directory, told, done, variations)
    except TraceInvalid as error:
        fail(str(error), 2)
    except OSError as error:
        fail(f"--out: {error.filename or options.out}: {error.strerror}", 2)
    except ConfigurationInvalid as error:
        # The settings of the service are options here.
        fail(error.detail.replace("[clearing] ", "--", 1), 2)
    seconds = round(time.perf_counter() - began, 1)
    if options.format == "json":
        sys.stdout.write(json.dumps({**told, "seconds": seconds}, indent=2) + "\n")
    else:
        sys.stdout.write(_text(told, seconds))
    return 0


def _plots() -> Callable[[Path, Mapping[str, Any], Study, Sequence[Variation]], None]:
    try:
        from flocx_market.simulation import plots  # noqa: PLC0415 - optional
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("flocx"):
            raise
        fail(missing_extra("flocx-market-simulate", error.name, "simulate") + "; or leave them out with --no-plots")
    return plots.write


def _knobs(options: argparse.Namespace) -> Knobs:
    from flocx_market.simulation.conversion import Knobs  # noqa: PLC0415
    from flocx_market.simulation.demand import Attempts, Rows  # noqa: PLC0415

    return Knobs(
        seed=options.seed,
        rows=Rows(options.rows),
        attempts=Attempts(options.attempts),
        within=int(options.within * 60),
        spread=options.spread,
        patience=int(options.patience * 3600),
        flexible=options.flexible,
        supply=options.supply,
        turnaround=options.turnaround,
        gather=options.gather,
    )


def _text(told: Mapping[str, Any], seconds: float) -> str:
    columns = ("world", "asked", "served", "share", "bids served", "mean wait, h", "surplus")
    rows = [
        (
            row["world"],
            f"{row['asked_node_hours']:,.0f}",
            f"{row['served_node_hours']:,.0f}",
            f"{row['served_share']:.1%}",
            "" if row["served_bids"] is None else f"{row['served_bids']} of {row['bids']}",
            "" if row["mean_wait_hours"] is None else f"{row['mean_wait_hours']:.2f}",
            f"{row['surplus']:,.0f}",
        )
        for row in told["worlds"]
    ]
    used = [
        (one["owner"], str(one["nodes"]), f"{one['alone_utilization']:.1%}", f"{one['exchange_utilization']:.1%}")
        for one in told["owners"]
    ]
    return (
        f"{told['span']['from']} to {told['span']['until']}: {told['trace']['reservations']} reservations, "
        f"{told['trace']['bids']} bids, {told['trace']['nodes_offered']} nodes\n\n"
        f"node-hours\n{_table(columns, rows)}\n"
        f"utilization\n{_table(('owner', 'nodes', 'alone', 'exchange'), used)}\n"
        f"{seconds} seconds\n"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, *rows]
    first, *others = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join([line[0].ljust(first), *map(str.rjust, line[1:], others)]).rstrip() + "\n" for line in lines
    )


def _number(low: str, high: str | None, what: str) -> Callable[[str], Decimal]:
    def read(text: str) -> Decimal:
        try:
            number = Decimal(text)
            if number.is_finite() and Decimal(low) <= number and (high is None or number <= Decimal(high)):
                return number
        except InvalidOperation:
            pass
        raise argparse.ArgumentTypeError(f"{text}: {what} is expected")

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and low <= int(text[:20]) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text}: a whole number from {low} to {high} is expected")

    return read


def _time(text: str) -> int:
    from flocx_market.domain.book import to_seconds  # noqa: PLC0415
    from flocx_market.simulation.traces import instant  # noqa: PLC0415

    try:
        return to_seconds(instant(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flocx-market-simulate", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    share = _number("0", "1", "a number from 0 to 1")
    hours = _number("0", str(_LONGEST_HOURS), f"a number from 0 to {_LONGEST_HOURS}")
    seconds = _whole(0, 366 * 24 * 3600)

    add = parser.add_argument
    add("--reservations", type=Path, required=True, metavar="FILE", help="what users of the sites asked for, CSV")
    add("--capacity", type=Path, required=True, metavar="FILE", help="how many nodes of each type there are, CSV")
    add(
        "--node-types", type=Path, metavar="FILE", help="what node types are, CSV (default: the table that comes along)"
    )
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    add("--from", dest="begin", type=_time, metavar="TIME", help="leave out what was submitted before")
    add("--until", type=_time, metavar="TIME", help="leave out what was submitted then or later")
    add("--seed", type=_whole(0, 10**9), default=1, help="of everything that is drawn (default: %(default)s)")
    add(
        "--rows",
        choices=("all", "not-refused", "approved"),
        default="all",
        help="which reservations are looked at (default: %(default)s)",
    )
    add(
        "--attempts",
        choices=("last", "first", "each"),
        default="last",
        help="which of several attempts at one thing becomes a bid (default: %(default)s)",
    )
    add(
        "--within",
        type=_number("0", str(_LONGEST_HOURS * 60), f"a number from 0 to {_LONGEST_HOURS * 60}"),
        default=Decimal(60),
        metavar="MINUTES",
        help="how soon after another an attempt at the same thing follows (default: %(default)s)",
    )
    add(
        "--spread",
        type=_number("0", str(_MOST), f"a number from 0 to {_MOST}"),
        default=Decimal(1),
        help="limit prices lie evenly between the asked type's price and that times 1 + this (default: %(default)s)",
    )
    add(
        "--patience",
        type=hours,
        default=Decimal(16),
        metavar="HOURS",
        help="half of what a bid waits at most for its start, which is drawn evenly (default: %(default)s)",
    )
    add(
        "--flexible",
        type=share,
        default=Decimal("0.5"),
        metavar="SHARE",
        help="of bids, those that take other hardware which has at least as much (default: %(default)s)",
    )
    add(
        "--supply",
        type=share,
        default=Decimal(1),
        metavar="SHARE",
        help="of each site's nodes, those on offer (default: %(default)s)",
    )
    add(
        "--turnaround",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="what a node needs between two contracts (default: %(default)s)",
    )
    add(
        "--gather",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="how long bids wait for each other before a round (default: %(default)s)",
    )
    add("--ranking", default="value", help="which bid is served first (default: %(default)s)")
    add("--engine", default="greedy", help="how bids are matched (default: %(default)s)")
    add("--pricing", default="critical", help="what a node costs (default: %(default)s)")
    add(
        "--k",
        type=share,
        default=Decimal("0.5"),
        help="for --pricing k_double: the share of the way from reserve to limit (default: %(default)s)",
    )
    add("--sensitivity", action="store_true", help="replay it also with other knobs and seeds, one knob at a time")
    add(
        "--seeds",
        type=_whole(1, 100),
        default=3,
        metavar="N",
        help="for --sensitivity: how many seeds (default: %(default)s)",
    )
    add("--no-plots", action="store_true", help="no pictures; they need the extra simulate")
    add("-f", "--format", choices=("text", "json"), default="text", help="how to print the summary")
    return parser
