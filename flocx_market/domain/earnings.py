# SPDX-License-Identifier: Apache-2.0
"""What a node would have earned at which price, judged by what was sold of nodes like it.

Bids take the cheapest nodes that they can. A node that had asked a price would
have had the place of one like it that asked as much or more and was sold. It
would have been paid at least what it asked, whatever the pricing rule.

What goes in is when nodes were taken and what their owners ask, which whoever
may use the offers sees in their free windows and reserve prices. What was paid,
and who paid it, stays out: under most pricing rules that follows from limit
prices, of bids that were served and of bids that are still open.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flocx_market.domain.book import Span
from flocx_market.domain.capacity import STEPS, evenly


@dataclass(frozen=True, slots=True)
class Sale:
    """A node was taken for ``span``, and its owner asks ``asked`` for it."""

    span: Span
    asked: int


@dataclass(frozen=True, slots=True)
class EarningsStep:
    """At ``price`` a node could have been sold ``contracts`` times, for ``seconds`` together."""

    price: int
    seconds: int
    contracts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """Steps by price, with less time in each; ``cut`` says that some between the first and the last were left out."""

    by_price: Sequence[EarningsStep] = ()
    cut: bool = False


def earnings(sales: Iterable[Sale], within: Span, *, turnaround: int = 0, most_steps: int = STEPS) -> Earnings:
    """Return for how long one node could have been sold inside ``within``, at each price that was asked.

    Of the sales at a price or above, those are chosen that come to most time
    without overlapping; weighted interval scheduling, as in Kleinberg and Tardos,
    "Algorithm Design" (2005), section 6.1.

    :param turnaround: seconds that the node needs between two contracts.
    :param most_steps: so many steps at the most, 2 or more; the first, the last and evenly spaced ones between.
    """
    known: dict[tuple[int, int], int] = {}
    asked_prices = set()
    for sale in sales:
        begin, end = max(sale.span.begin, within.begin), min(sale.span.end, within.end)
        if begin < end:
            asked_prices.add(sale.asked)
            # Of those for one and the same time only the dearest counts.
            known[begin, end] = max(known.get((begin, end), 0), sale.asked)
    by_end = sorted(known.items(), key=lambda item: (item[0][1], item[0][0]))
    prices = sorted(asked_prices)
    steps = []
    for price in evenly(prices, most_steps):
        seconds, contracts = _longest([span for span, asked in by_end if asked >= price], turnaround)
        steps.append(EarningsStep(price, seconds, contracts))
    return Earnings(by_price=tuple(steps), cut=len(prices) > most_steps)


def _longest(spans: Sequence[tuple[int, int]], turnaround: int) -> tuple[int, int]:
    """Return (seconds, how many) of the spans, in order of their ends, that come to most; of equal ones the fewest."""
    ends: list[int] = []
    # The best of the spans so far: after as many of them as the index says.
    best = [(0, 0)]
    for begin, end in spans:
        seconds, count = best[bisect_right(ends, begin - turnaround)]
        taken = seconds + end - begin, count - 1
        ends.append(end)
        best.append(max(best[-1], taken))
    return best[-1][0], -best[-1][1]
