# SPDX-License-Identifier: Apache-2.0
"""What placing one bid costs that is built to be expensive, against an honest one.

The books are hostile as well: every offer is free from a second of its own, so a
flexible bid has as many starts to try as there are offers. In "stairs" all are
free to the end; in "sliding" each ends as much later as it begins, so that only
a part is free at any time; "one price" has nothing to choose by. Counted are the
function calls of one placement, which do not depend on the machine; what
happens inside numpy is in the seconds only, and these are measured without
counting. Each bid is placed in books of half and of all the offers: the growth
tells by how much more than twice it costs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flocx_common.domain.json_values import digest
from flocx_market.domain.book import BookBid, BookOffer, Hardware, Span, Spread
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.requirements import parse_requirements
from flocx_market.domain.stock import Stock

_HOUR = 3600
_DAYS = 30 * 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Cost:
    """What a placement cost, and whether there was one."""

    calls: int
    seconds: float
    served: bool


#: Which books there are: whether an offer ends later the later it begins, and whether prices differ.
BOOKS = {"stairs": (False, True), "sliding": (True, True), "sliding, one price": (True, False)}


def offer(number: int, of: int, *, sliding: bool, priced: bool) -> BookOffer:
    """Return one of so many offers, with a document and a first free second of its own."""
    document = {"cpus": 32, "number": number, "rack": number // 40}
    free = Span(number + 1, 24 * _HOUR + number + of // 2 if sliding else _DAYS)
    return BookOffer(
        uuid=_uuid(1, number),
        node_uuid=_uuid(2, number),
        node_name=None,
        provider_uuid=_uuid(3, number % 4),
        owner_project_id=f"owner-{number % 20}",
        resource_class=None,
        hardware=Hardware(digest(document), document),
        reserve=1_000_000 + (number * 7919 % 1000 if priced else 0),
        min_duration=0,
        lessees=None,
        window=free,
        free=(free,),
        turnaround=0,
    )


def bid(**over: object) -> BookBid:
    """Return an honest bid for 4 nodes, with some of it changed."""
    given: dict[str, object] = {
        "uuid": _uuid(4, 0),
        "project_id": "consumer",
        "requirements": parse_requirements([["cpus", ">=", 32]]),
        "quantity": 4,
        "begin": 0,
        "end": 10 * 24 * _HOUR,
        "duration": 24 * _HOUR,
        "limit": 10_000_000,
        "spread": None,
        "together": None,
        "offer_uuids": None,
        "placed": 0,
    }
    return BookBid(**(given | over))  # type: ignore[arg-type]


def bids(count: int) -> Mapping[str, BookBid]:
    """Return what is placed among so many offers; the first is what the others are held against."""
    number, rack = compile_expression("number"), compile_expression("rack")
    everyone = frozenset(_uuid(1, number) for number in range(count))
    return {
        "honest": bid(),
        "honest, at most 2 in a rack": bid(spread=Spread(rack, 2)),
        "honest, all in a rack": bid(together=rack),
        "half of the nodes there are": bid(quantity=count // 2),
        "as many nodes as there are": bid(quantity=count),
        "one more than there are": bid(quantity=count + 1),
        "every node named": bid(offer_uuids=everyone),
        "every node named, all wanted": bid(offer_uuids=everyone, quantity=count),
        "spread that always holds, a third": bid(spread=Spread(number, 1), quantity=count // 3),
        "spread that always holds, all nodes": bid(spread=Spread(number, 1), quantity=count),
        "spread that just fails": bid(spread=Spread(rack, 39), quantity=count),
        "together that never holds": bid(together=number, quantity=2),
        "together and spread": bid(together=rack, spread=Spread(number, 1), quantity=41),
    }


def place(stock: Stock, wanted: BookBid) -> Cost:
    """Place a bid once to know the seconds, and once to count."""
    found = []

    def work() -> None:
        found.append(stock.place(wanted, 0))

    work()  # What is evaluated only once is not the cost of a placement.
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    return Cost(calls=calls(work), seconds=seconds, served=found[0] is not None)


def calls(work: Callable[[], object]) -> int:
    """Return how many functions a piece of work calls."""
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def measure(offers: int) -> dict[tuple[str, str], tuple[Cost, Cost]]:
    """Return what each bid costs in each book, among half and among all of so many offers."""
    sizes = (max(2, offers // 2), offers)
    costs = {}
    for book, (sliding, priced) in BOOKS.items():
        stocks = [
            (size, Stock([offer(number, size, sliding=sliding, priced=priced) for number in range(size)]))
            for size in sizes
        ]
        for name in bids(1):
            half, whole = (place(stock, bids(size)[name]) for size, stock in stocks)
            costs[book, name] = half, whole
            sys.stderr.write(f"{book}: {name}: {whole.calls:,} calls\n")
    return costs


def _uuid(kind: int, number: int) -> str:
    return str(uuid.UUID(int=(kind << 96) + number + (4 << 76) + (8 << 60)))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offers", type=int, default=1000, help="size of the larger book (default: %(default)s)")
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="how to print the result")
    options = parser.parse_args()
    costs = measure(options.offers)
    rows = [
        {
            "book": book,
            "bid": name,
            "served": whole.served,
            "calls": whole.calls,
            "honest_bids": round(whole.calls / costs[book, "honest"][1].calls, 1),
            "growth": round(whole.calls / half.calls, 1),
            "milliseconds": round(whole.seconds * 1000, 1),
        }
        for (book, name), (half, whole) in costs.items()
    ]
    if options.format == "json":
        sys.stdout.write(json.dumps({"offers": options.offers, "bids": rows}, indent=2) + "\n")
        return 0
    sys.stdout.write(
        f"{'book':18} {'bid':38} {'served':>6} {'calls':>12} {'honest bids':>12} {'growth':>7} {'ms':>10}\n"
    )
    for row in rows:
        sys.stdout.write(
            f"{row['book']:18} {row['bid']:38} {'yes' if row['served'] else 'no':>6} {row['calls']:12,} {row['honest_bids']:12,.1f} "
            f"{row['growth']:7.1f} {row['milliseconds']:10,.1f}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
