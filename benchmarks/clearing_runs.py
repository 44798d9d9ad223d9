# SPDX-License-Identifier: Apache-2.0
"""One run of one measurement of clearing.py, in a process of its own; prints JSON.

Memory is what the process has more at its peak than after its imports.
"""

from __future__ import annotations

import argparse
import gc
import inspect
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from flocx_market.api import views
from flocx_market.domain.book import Book, BookBid, to_seconds
from flocx_market.domain.clearing import Rules, price_round
from flocx_market.domain.engine import Cleared, Effort
from flocx_market.domain.explanation import explain
from flocx_market.domain.formation import form_contract
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.domain.pricing import PricingOptions, Sales
from flocx_market.domain.requirements import parse_requirements
from flocx_market.domain.standing import StandingBook
from flocx_market.domain.stock import Stock
from flocx_market.offline.books import read_bids, read_offers

Options = argparse.Namespace
Result = dict[str, Any]


def plugin(group: str, name: str) -> Any:
    """Return what the entry point ``name`` of ``flocx_market.<group>`` stands for."""
    return entry_points(group=f"flocx_market.{group}")[name].load()


def memory(field: str) -> float:
    """Return a field of this process's memory, such as VmRSS or VmHWM, in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {field}")


@contextmanager
def timed(result: Result, name: str) -> Iterator[None]:
    """Put the seconds that a block takes into ``result``, and those of the CPU under the name with ``_cpu``."""
    began, began_cpu = time.perf_counter(), time.process_time()
    yield
    result[name] = time.perf_counter() - began
    result[f"{name}_cpu"] = time.process_time() - began_cpu


class Measured:
    """A book read and cleared, with what that took in ``result``."""

    def __init__(self, options: Options) -> None:
        before = memory("VmRSS")
        self.result: Result = {}
        self.instant = datetime.fromisoformat(options.now)
        self.now = to_seconds(self.instant)
        self.ranking = plugin("rankings", options.ranking)
        self.engine = plugin("clearing_engines", options.engine)
        if "clock" in inspect.signature(self.engine).parameters:
            # Its time is that of the CPU, so that a busy machine takes nothing away.
            self.engine = partial(self.engine, clock=time.process_time)
        with timed(self.result, "seconds_read"):
            bids = read_bids(options.bids)
            self.book = Book(offers=read_offers(options.offers, live=LiveExpressions.of(bids)), bids=bids)
        self.result["megabytes_book"] = memory("VmRSS") - before
        self.effort = Effort(seconds=options.seconds)
        with timed(self.result, "seconds"):
            self.cleared = self.clear(self.book)
        self.result["megabytes"] = memory("VmHWM") - before
        self.result |= {
            "offers": len(self.book.offers),
            "bids": len(self.book.bids),
            "documents": len({offer.hardware.digest for offer in self.book.offers}),
            "triples": len({triple.key for bid in self.book.bids for triple in bid.requirements}),
            "evaluations": self.cleared.evaluations,
            "contracts": len(self.cleared.awards),
            "left_open": len(self.cleared.left),
            "surplus": self.cleared.surplus,
            "bound": self.cleared.report.bound,
            "stopped": self.cleared.report.stopped,
        }
        self._write(options)

    def clear(self, book: Book) -> Cleared:
        """Clear a book as configured."""
        return self.engine(book, self.now, self.ranking, self.effort)

    def _write(self, options: Options) -> None:
        rules = Rules(
            engine=self.engine,
            ranking=self.ranking,
            pricing=plugin("pricing_rules", options.pricing),
            pricing_name=options.pricing,
            pricing_options=PricingOptions(),
        )
        priced = price_round(self.book, self.cleared, self.now, rules)
        if priced.refused:
            raise SystemExit(priced.refused[0][1])
        with options.contracts.open("w", encoding="utf-8") as file:
            for deal in priced.deals:
                file.write(json.dumps(views.contract(form_contract(deal, self.instant), {}, None)) + "\n")


def clear(options: Options) -> Result:
    """Time and memory of one clear."""
    return Measured(options).result


def intern(options: Options) -> Result:
    """Microseconds to parse a line of the book, and to find its document's class, one line after the other."""
    parsing = interning = 0.0
    live = LiveExpressions.of(read_bids(options.bids))
    known = HardwareClasses()
    known.unknown(live, ())
    count = 0
    with options.offers.open(encoding="utf-8") as lines:
        for line in lines:
            began = time.perf_counter()
            entity = json.loads(line)
            parsed = time.perf_counter()
            known.add(entity["uuid"], entity["properties"])
            interned = time.perf_counter()
            parsing += parsed - began
            interning += interned - parsed
            count += 1
    return {
        "documents": count,
        "classes": len({one.digest for one in known.hardware(live).values()}),
        "microseconds_parse": parsing / count * 1e6,
        "microseconds_intern": interning / count * 1e6,
    }


def late(options: Options) -> Result:
    """Microseconds of the round that a bid makes which comes when the book has been cleared.

    Some bids are held back and come late, one after the other, each a second
    time with its duration inside a window three times as long. A contract is
    priced and a bid that stays open explained, which is counted, and told apart.
    """
    measured = Measured(options)
    step = max(2, len(measured.book.bids) // options.sample)
    held_back = {bid.uuid for bid in sorted(measured.book.bids, key=lambda bid: bid.uuid)[::step]}
    on_time = [bid for bid in measured.book.bids if bid.uuid not in held_back]
    measured.clear(replace(measured.book, bids=on_time))
    standing = StandingBook(measured.book.offers, on_time)
    standing.hold(measured.now, measured.ranking)
    rule = plugin("pricing_rules", "critical")
    rounds: dict[str, list[float]] = {}
    telling: dict[str, list[float]] = {}
    for bid in measured.book.bids:
        if bid.uuid in held_back:
            for kind, one in (("", bid), ("flexible ", flexible(bid, measured.now))):
                began = time.perf_counter()
                standing.put_bid(one)
                asked, cleared = standing.hold(measured.now, measured.ranking)
                held = time.perf_counter()
                if cleared.awards:
                    rule(
                        Sales(book=asked, cleared=cleared, now=measured.now, ranking=measured.ranking), PricingOptions()
                    )
                else:
                    explain(standing.stock, one, measured.now)
                ended = time.perf_counter()
                standing.drop_bid(one.uuid)
                what = kind + ("matched" if cleared.awards else "open")
                rounds.setdefault(what, []).append(ended - began)
                telling.setdefault(what, []).append(ended - held)
    measured.result["late"] = {
        kind: {
            "bids": len(taken),
            "microseconds": statistics.median(taken) * 1e6,
            "most": max(taken) * 1e6,
            "microseconds_told": statistics.median(telling[kind]) * 1e6,
        }
        for kind, taken in sorted(rounds.items())
    }
    return measured.result


def flexible(bid: BookBid, now: int) -> BookBid:
    """Return a bid that has its duration inside a window three times as long."""
    length = bid.length(now)
    return replace(bid, duration=length, end=bid.starting(now) + 3 * length)


def price(options: Options) -> Result:
    """Seconds and placements of a clear, and of pricing its contracts."""
    placements = [0]
    placing = Stock.place

    def counted(*args: Any, **more: Any) -> Any:
        placements[0] += 1
        return placing(*args, **more)

    Stock.place = counted  # type: ignore[method-assign]
    try:
        measured = Measured(options)
        placements[0] = 0
        with timed(measured.result, "seconds"):
            measured.clear(measured.book)
        measured.result["placements"], placements[0] = placements[0], 0
        sales = Sales(book=measured.book, cleared=measured.cleared, now=measured.now, ranking=measured.ranking)
        rule = plugin("pricing_rules", options.pricing)
        with timed(measured.result, "seconds_price"):
            rule(sales, PricingOptions())
        measured.result["placements_price"] = placements[0]
    finally:
        Stock.place = placing  # type: ignore[method-assign]
    return measured.result


def explanation(options: Options) -> Result:
    """Seconds to explain all bids left open, and all of a book of which no bid can be served.

    The first ones prepare what all others use, so a sample would count that too often.
    """
    measured = Measured(options)
    result = measured.result
    result["bids_explain"], result["seconds_explain"] = explaining(measured, measured.cleared)
    total = len(measured.book.offers)
    hopeless = [unservable(bid, number, total) for number, bid in enumerate(measured.book.bids)]
    none = measured.clear(replace(measured.book, bids=hopeless))
    if none.awards:
        raise SystemExit("a bid that no offer can serve was served")
    result["bids_explain_none"], result["seconds_explain_none"] = explaining(measured, none)
    return result


def explaining(measured: Measured, cleared: Cleared) -> tuple[int, float]:
    """Return how many bids were explained, and the seconds for all of them."""
    taken: Result = {}
    with timed(taken, "seconds"):
        for bid in cleared.left:
            explain(cleared.stock, bid, measured.now)
    return len(cleared.left), taken["seconds"]


def unservable(bid: BookBid, number: int, offers: int) -> BookBid:
    """Return a bid as it is but for a limit, a requirement or a quantity that nobody can meet, in turn."""
    if number % 3 == 0:
        return replace(bid, limit=0)
    if number % 3 == 1:
        return replace(bid, requirements=(*bid.requirements, *parse_requirements([["cpus", ">", 10**9]])))
    return replace(bid, quantity=offers + 1)


TASKS: dict[str, Callable[[Options], Result]] = {
    "clear": clear,
    "intern": intern,
    "late": late,
    "price": price,
    "explanation": explanation,
}


def main(args: Sequence[str] | None = None) -> int:
    """Run the task of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=sorted(TASKS))
    for name in ("offers", "bids", "contracts"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="FILE")
    parser.add_argument("--now", required=True, metavar="TIME")
    parser.add_argument("--engine", default="greedy")
    parser.add_argument("--ranking", default="value")
    parser.add_argument("--pricing", default="reserve")
    parser.add_argument("--seconds", type=float, default=None, help="CPU seconds an engine may take")
    parser.add_argument("--sample", type=int, default=200)
    options = parser.parse_args(args)
    gc.collect()
    sys.stdout.write(json.dumps(TASKS[options.task](options)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
