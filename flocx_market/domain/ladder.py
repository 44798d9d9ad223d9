# SPDX-License-Identifier: Apache-2.0
"""The steps of matching for one bid: how many offers, then nodes, each of them leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from flocx_market.domain.book import BookBid
from flocx_market.domain.lots import Column, Mask
from flocx_market.domain.openings import Openings, Reach
from flocx_market.domain.requirements import ORDERED, Requirement
from flocx_market.domain.stock import Stock
from flocx_market.domain.tally import most_at_once
from flocx_market.domain.wording import instant, literal, nodes, price, remaining, told, wanted

_SHOWN_VALUES = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One step of matching: how many came in, how many were left, and what to know about it."""

    step: str
    before: int
    after: int
    detail: str | None


class Ladder:
    """The steps of matching for one bid, each with the clause that tells what it costs.

    ``reach`` is what of the stock could serve the bid, ``openings`` where it
    could be served if its limit were left aside.

    :param bid: one whose window has room for its contract.
    """

    def __init__(self, stock: Stock, bid: BookBid, now: int) -> None:
        self.steps: list[Step] = []
        self._clauses: list[Callable[[], str]] = []
        self._stock, self._bid, self._now, self._groups = stock, bid, now, stock.groups
        self.reach = Reach(stock, bid, now)
        self.openings = self.reach.openings(self.reach.kinds)
        # Groups of offers, and how many offers of each are still in.
        rows = self._window()
        rows, counts = self._lessee(rows)
        if bid.offer_uuids is not None:
            rows, counts = self._named(rows)
        rows, counts = self._requirements(rows, counts)
        rows = self._price(rows, counts)
        self._at_once(self._free_time(rows))

    def sentence(self) -> str:
        """Return one sentence that begins with the step that costs most."""
        if not self.steps[0].before:
            return "No offer is on the market."
        dearest = max(range(len(self.steps)), key=lambda i: (self.steps[i].before - self.steps[i].after, i))
        left, asked = self.steps[-1].after, self._bid.quantity
        shortage = f"{nodes(left)} can be had at once, {asked} are wanted"
        if self.steps[dearest].before == self.steps[dearest].after:
            return f"{shortage[0].upper()}{shortage[1:]}."
        clause = self._clauses[dearest]()
        clause = clause[0].upper() + clause[1:]
        return f"{clause}; {shortage}." if left else f"{clause}."

    def _add(self, name: str, after: int, clause: Callable[[], str], detail: str | None) -> None:
        before = self.steps[-1].after if self.steps else self._groups.total
        self.steps.append(Step(name, before, after, detail))
        self._clauses.append(clause)

    def _keep(self, name: str, after: int, clause: str, detail: str | None = None) -> None:
        """Add a step that leaves so many offers."""
        before = self.steps[-1].after if self.steps else self._groups.total
        where = "in the window" if self.steps else "on the market"
        self._add(name, after, lambda: told(clause, before - after, before, where), detail)

    def _window(self) -> Column:
        bid, now, groups, used = self._bid, self._now, self._groups, self._groups.used
        length, earliest, latest = bid.length(now), bid.starting(now), bid.latest_start(now)
        begin, end = groups.begin[:used], groups.end[:used]
        has_room = begin <= latest
        has_room &= end >= earliest + length
        has_room &= groups.least[:used] <= length
        if bid.duration is not None:
            has_room &= end - begin >= length
        rows = np.flatnonzero(has_room)
        detail = wanted(bid, now)
        self._keep("window", int(groups.count[rows].sum()), "{lost} {have} no room for " + detail, detail)
        return rows

    def _lessee(self, rows: Column) -> tuple[Column, np.ndarray]:
        groups = self._groups
        rows = rows[self._stock.admitting(self._bid.project_id)[groups.seller[rows]]]
        counts = groups.count[rows]
        self._keep("lessee", int(counts.sum()), "{lost} {are} not open to the project")
        return rows, counts

    def _named(self, rows: Column) -> tuple[Column, np.ndarray]:
        """From here on each named offer counts on its own."""
        assert self.reach.named is not None
        still_in = self._marked(rows)
        rows = self._groups.rows(self.reach.named)
        rows = rows[still_in[rows]]
        self._keep("offer_uuids", len(rows), "{lost} {are} not among those named")
        return rows, np.ones(len(rows))

    def _requirements(self, rows: Column, counts: np.ndarray) -> tuple[Column, np.ndarray]:
        if not self._bid.requirements:
            return rows, counts
        kind = self._groups.kind[rows]
        of_kinds = np.bincount(kind, weights=counts, minlength=len(self._stock.lots.hardware))
        for index, (requirement, meets) in enumerate(zip(self._bid.requirements, self.reach.meets, strict=True)):
            seen = self._seen(requirement, of_kinds > 0)
            text = f"`{requirement}`" + (f" ({seen})" if seen else "")
            of_kinds = np.where(meets, of_kinds, 0)
            self._keep(f"requirements[{index}]", int(of_kinds.sum()), "{lost} {fail} " + literal(text), text)
        left = np.flatnonzero(self.reach.kinds[kind])
        return rows[left], counts[left]

    def _price(self, rows: Column, counts: np.ndarray) -> Column:
        limit, reserve = self._bid.limit, self._groups.reserve[rows]
        detail = f"limit {price(limit)}"
        if self.steps[-1].after:
            detail = f"cheapest ask {price(int(reserve[counts > 0].min()))}, {detail}"
        asked = reserve <= limit
        self._keep("price", int(counts[asked].sum()), "{lost} {ask} more (" + detail + ")", detail)
        return rows[asked]

    def _free_time(self, rows: Column) -> Openings:
        affordable = self.openings.up_to(self._bid.limit)
        before, free = self.steps[-1].after, self.reach.offers(affordable)
        later = self.reach.free_again(self._marked(rows)) if free < before else None
        detail = None if later is None else f"free again from {instant(later)}"

        def clause() -> str:
            fit = "that fits" if before == 1 else "that fit"
            text = told("{lost} {are} taken in that time", before - free, before, fit)
            return f"{text} ({detail})" if detail else text

        self._add("free_time", free, clause, detail)
        return affordable

    def _at_once(self, openings: Openings) -> None:
        """Count nodes that are free at once: any, spread, and together."""
        bid, places, before = self._bid, openings.places, self.steps[-1].after
        most = most_at_once(replace(places, group=None, share=None, cap=None))
        detail = f"{bid.quantity} wanted"
        self._add("quantity", most, lambda: f"only {most} of {before} are free in one common window", detail)
        if bid.spread:
            spread = most_at_once(replace(places, group=None))
            about = f"at most {bid.spread.most} may share `{bid.spread.by.text}`"
            self._add("spread", spread, lambda: f"only {remaining(spread)} when {about}", about)
        if bid.together:
            alike = most_at_once(places)
            shared = f"all must share `{bid.together.text}`"
            self._add("together", alike, lambda: f"only {remaining(alike)} when {shared}", shared)

    def _marked(self, rows: Column) -> Mask:
        """Return, for each group of offers, whether it is one of these."""
        marked = np.zeros(self._groups.used, np.bool_)
        marked[rows] = True
        return marked

    def _seen(self, requirement: Requirement, present: Mask) -> str | None:
        """Return the best value that the offers have where the requirement looks, in words.

        :param present: for each kind of hardware, whether an offer has it.
        """
        if not present.any():
            return None
        if requirement.operator in ORDERED:
            numbers = self._stock.listed.numbers(requirement.expression)
            ranks = numbers.rank[present & (numbers.rank >= 0)]
            if not len(ranks):
                return "no offer says"
            upwards = (ORDERED[requirement.operator] == ">=") is not requirement.negated
            if upwards:
                return f"largest: {numbers.listed[int(ranks.max())]}"
            return f"smallest: {numbers.listed[int(ranks.min())]}"
        texts = self._stock.listed.texts(requirement.expression)
        counts = np.bincount(texts.rank[present], minlength=len(texts.listed))
        # The most frequent first; of those equally frequent the first as text.
        often = np.argsort(-counts, kind="stable")[:_SHOWN_VALUES]
        shown = [texts.listed[place] for place in often.tolist() if counts[place]]
        short = [text if len(text) <= 40 else text[:37] + "..." for text in shown]
        more = ", ..." if np.count_nonzero(counts) > len(shown) else ""
        return f"seen: {', '.join(short)}{more}"
