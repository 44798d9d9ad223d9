# SPDX-License-Identifier: Apache-2.0
"""A bound on the surplus of a book, proven with all the time it takes.

No clearing of the book has more surplus than what is printed. It comes from the
relaxation that the engine "optimal" begins with: first prices found bid by bid,
until that brings little, then linear programs, until no option is missing, the
last program is worth as much as the bound but for --gap, or the time is over.
With whole seconds that have no common step, starts are rounded, which only makes
the bound larger. Prints one JSON object for each book: the bound in prices x
hours, exact in smallest price steps x seconds, the worth of the last linear
program, how many were solved, and whether it ended before the time was over.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from flocx_common.api.values import time_from
from flocx_market.domain.book import to_seconds
from flocx_market.domain.optimal.problem import state
from flocx_market.domain.optimal.relaxation import Relaxation
from flocx_market.domain.optimal.solver import Solver
from flocx_market.offline.books import read_bids, read_offers

# Passes over the bids that are made at a time, and the share of the bound that
# they have to bring it down by to be followed by more.
_PASSES, _LITTLE = 5, 1e-3


def bound(book: Path, now: int, seconds: float, turnaround: int, gap: float) -> dict[str, object]:
    """Return what can be proven of a directory with offers.jsonl and bids.jsonl."""
    bids = [bid for bid in read_bids(book / "bids.jsonl") if bid.servable(now, 0)]
    offers = read_offers(book / "offers.jsonl", turnaround)
    began = time.monotonic()
    told: dict[str, object] = {"book": str(book)}
    problem = state(sorted(bids, key=lambda bid: bid.uuid), sorted(offers, key=lambda offer: offer.uuid), now)
    relaxation = Relaxation(problem, Solver(), parts=12)
    before = 2 * relaxation.bound
    while before - relaxation.bound >= _LITTLE * before and time.monotonic() - began < seconds:
        before = relaxation.bound
        for _ in range(_PASSES):
            relaxation.descend()
        relaxation.settle()
    worth, programs, complete = 0.0, 0, False
    while not complete and time.monotonic() - began < seconds:
        relaxed = relaxation.step(seconds - (time.monotonic() - began))
        if relaxed is None:
            break
        worth, programs = relaxed.worth, programs + 1
        complete = relaxation.complete or worth >= (1 - gap) * relaxation.bound
    return told | {
        "bound": round(relaxation.bound / 3.6e9, 6),
        "bound_exact": relaxation.bound,
        "last_program": round(worth / 3.6e9, 6),
        "programs": programs,
        "complete": complete,
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> None:
    """Read the command line and print the bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "books", nargs="+", type=Path, metavar="DIR", help="directories with offers.jsonl and bids.jsonl"
    )
    parser.add_argument("--now", required=True, metavar="TIME", help="the time of the round")
    parser.add_argument("--seconds", type=float, default=600, help="for each book, at most (default: %(default)s)")
    parser.add_argument("--gap", type=float, default=1e-4, help="share that may be missing (default: %(default)s)")
    parser.add_argument(
        "--turnaround", type=int, default=0, help="seconds between two contracts (default: %(default)s)"
    )
    options = parser.parse_args()
    now = to_seconds(time_from(options.now, "--now"))
    for book in options.books:
        print(json.dumps(bound(book, now, options.seconds, options.turnaround, options.gap)), flush=True)


if __name__ == "__main__":
    main()
