# SPDX-License-Identifier: Apache-2.0
"""Why a bid is open: what each step of matching costs it, in numbers and in one sentence."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from flocx_common.domain.json_values import JSON, canonical_json
from flocx_common.domain.money import from_micros, price_text
from flocx_market.domain.book import Book, BookBid, BookOffer, Span, to_instant
from flocx_market.domain.engine import Award
from flocx_market.domain.greedy import place
from flocx_market.domain.nearest import nearest_change
from flocx_market.domain.requirements import ORDERED, Requirement, as_number
from flocx_market.domain.supply import Opening, Supply, admits, named, share_keys
from flocx_market.domain.tally import most_at_once

_SHOWN_VALUES = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One step of matching: how many came in, how many were left, and what to know about it."""

    step: str
    before: int
    after: int
    detail: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a bid is open.

    ``steps`` are in the order of evaluation, each ``before`` the last one's
    ``after``: offers up to the free time, nodes at once from the quantity on.
    ``nearest`` is the least change of one field or one triple with which the
    bid could be served from what is left, as ``{"change": {field: value}}``.
    """

    bid_uuid: str | None
    sentence: str
    steps: tuple[Step, ...]
    nearest: Mapping[str, JSON] | None


def explain(supply: Supply, bid: BookBid, now: int, *, shortest: int = 0, longest: int | None = None) -> Explanation:
    """Return why ``bid`` is open, judged against what ``supply`` has left.

    :param shortest: the shortest contract allowed, in seconds.
    :param longest: the longest, in seconds; None for no bound.
    """
    if not bid.servable(now, shortest):
        sentence = "Its window is over, or too short for what is left of it."
        return Explanation(bid.uuid, sentence, (Step("window", len(supply), 0, _wanted(bid, now)),), None)
    ladder = _Ladder(supply, bid, now)
    placement = place(supply, bid, now, shortest=shortest)
    if placement is not None:
        return _served(ladder, bid, Span(placement.begin, placement.end))
    change = nearest_change(supply, bid, now, shortest=shortest, longest=longest)
    nearest: dict[str, JSON] | None = None if change is None else {"change": dict(change)}
    return Explanation(bid.uuid, ladder.sentence(), tuple(ladder.steps), nearest)


def explain_award(award: Award, book: Book, now: int) -> Explanation:
    """Return what is to be said of a bid that the round serves; the steps are those before the round."""
    return _served(_Ladder(Supply(book.offers), award.bid, now), award.bid, award.contract)


def _served(ladder: _Ladder, bid: BookBid, contract: Span) -> Explanation:
    sentence = f"It can be served now: {_nodes(bid.quantity)} from {_z(contract.begin)} to {_z(contract.end)}."
    return Explanation(bid.uuid, sentence, tuple(ladder.steps), None)


class _Ladder:
    """The steps of matching for one bid, each with the clause that tells what it costs."""

    def __init__(self, supply: Supply, bid: BookBid, now: int) -> None:
        self.steps: list[Step] = []
        self._clauses: list[str] = []
        self._supply, self._bid, self._now = supply, bid, now
        offers = self._window(list(supply.offers()))
        offers = self._keep("lessee", offers, lambda o: admits(o, bid), "{lost} {are} not open to the project")
        if bid.offer_uuids is not None:
            offers = self._keep("offer_uuids", offers, lambda o: named(o, bid), "{lost} {are} not among those named")
        for index, requirement in enumerate(bid.requirements):
            offers = self._requirement(index, requirement, offers)
        offers = self._price(offers)
        openings = supply.openings(offers, bid, now)
        self._free_time(offers, openings)
        self._at_once(openings)

    def sentence(self) -> str:
        """Return one sentence that begins with the step that costs most."""
        if not self.steps[0].before:
            return "No offer is on the market."
        dearest = max(range(len(self.steps)), key=lambda i: (self.steps[i].before - self.steps[i].after, i))
        left, wanted = self.steps[-1].after, self._bid.quantity
        shortage = f"{_nodes(left)} can be had at once, {wanted} are wanted"
        if self.steps[dearest].before == self.steps[dearest].after:
            return f"{shortage[0].upper()}{shortage[1:]}."
        clause = self._clauses[dearest]
        clause = clause[0].upper() + clause[1:]
        return f"{clause}; {shortage}." if left else f"{clause}."

    def _add(self, name: str, before: int, after: int, clause: str, detail: str | None) -> None:
        self.steps.append(Step(name, before, after, detail))
        self._clauses.append(clause)

    def _keep(
        self,
        name: str,
        offers: Sequence[BookOffer],
        keeps: Callable[[BookOffer], bool],
        clause: str,
        detail: str | None = None,
    ) -> list[BookOffer]:
        kept = [offer for offer in offers if keeps(offer)]
        where = "on the market" if name == "window" else "in the window"
        self._add(name, len(offers), len(kept), _told(clause, len(offers) - len(kept), len(offers), where), detail)
        return kept

    def _window(self, offers: Sequence[BookOffer]) -> list[BookOffer]:
        bid, now = self._bid, self._now
        length, earliest, latest = bid.length(now), bid.starting(now), bid.latest_start(now)

        def has_room(offer: BookOffer) -> bool:
            window = offer.window
            return offer.min_duration <= length and max(window.begin, earliest) <= min(window.end - length, latest)

        detail = _wanted(bid, now)
        return self._keep("window", offers, has_room, "{lost} {have} no room for " + detail, detail)

    def _requirement(self, index: int, requirement: Requirement, offers: Sequence[BookOffer]) -> list[BookOffer]:
        seen = _seen(requirement, offers)
        text = f"`{requirement}`" + (f" ({seen})" if seen else "")
        clause = "{lost} {fail} " + text.replace("{", "{{").replace("}", "}}")
        return self._keep(
            f"requirements[{index}]",
            offers,
            lambda offer: self._supply.meets(requirement, offer.hardware),
            clause,
            text,
        )

    def _price(self, offers: Sequence[BookOffer]) -> list[BookOffer]:
        limit = self._bid.limit
        detail = f"limit {_price(limit)}"
        if offers:
            detail = f"cheapest ask {_price(min(offer.reserve for offer in offers))}, {detail}"
        return self._keep(
            "price", offers, lambda offer: offer.reserve <= limit, "{lost} {ask} more (" + detail + ")", detail
        )

    def _free_time(self, offers: Sequence[BookOffer], openings: Sequence[Opening]) -> None:
        free = {opening.offer.uuid for opening in openings}
        taken = [offer for offer in offers if offer.uuid not in free]
        later = [
            span.begin
            for offer in taken
            for span in self._supply.free(offer)
            if span.begin > self._bid.starting(self._now)
        ]
        detail = f"free again from {_z(min(later))}" if later else None
        clause = _told(
            "{lost} {are} taken in that time", len(taken), len(offers), "that fits" if len(offers) == 1 else "that fit"
        )
        self._add("free_time", len(offers), len(free), f"{clause} ({detail})" if detail else clause, detail)

    def _at_once(self, openings: Sequence[Opening]) -> None:
        """Count nodes that are free at once: any, spread, and together."""
        bid, supply = self._bid, self._supply
        before = len({opening.offer.uuid for opening in openings})
        most = most_at_once((o.first, o.last, "", "") for o in openings)
        detail = f"{bid.quantity} wanted"
        self._add("quantity", before, most, f"only {most} of {before} are free in one common window", detail)
        if bid.spread:
            by, cap = bid.spread.by, bid.spread.most
            spread = most_at_once(((o.first, o.last, "", supply.shared_value(by, o.offer)) for o in openings), cap)
            detail = f"at most {cap} may share `{by.text}`"
            self._add("spread", most, spread, f"only {_remaining(spread)} when {detail}", detail)
            most = spread
        if bid.together:
            spread_cap = bid.spread.most if bid.spread else None
            alike = most_at_once(((o.first, o.last, *share_keys(supply, bid, o.offer)) for o in openings), spread_cap)
            detail = f"all must share `{bid.together.text}`"
            self._add("together", most, alike, f"only {_remaining(alike)} when {detail}", detail)


def _seen(requirement: Requirement, offers: Iterable[BookOffer]) -> str | None:
    """Return the best value that the offers have where the requirement looks, in words."""
    documents = {offer.hardware.digest: offer.hardware.document for offer in offers}
    values = [requirement.expression.evaluate(document) for document in documents.values()]
    if requirement.operator in ORDERED:
        numbers = [number for number in map(as_number, values) if number is not None]
        if not numbers:
            return "no offer says" if values else None
        upwards = (ORDERED[requirement.operator] == ">=") is not requirement.negated
        return f"largest: {max(numbers)}" if upwards else f"smallest: {min(numbers)}"
    counts: dict[str, int] = defaultdict(int)
    for value in values:
        counts[canonical_json(value)] += 1
    shown = sorted(counts, key=lambda text: (-counts[text], text))[:_SHOWN_VALUES]
    short = [text if len(text) <= 40 else text[:37] + "..." for text in shown]
    more = ", ..." if len(counts) > len(shown) else ""
    return f"seen: {', '.join(short)}{more}" if shown else None


_SINGULAR = {"are": "is", "have": "has", "fail": "fails", "ask": "asks"}


def _told(clause: str, lost: int, before: int, where: str) -> str:
    """Return a clause about ``lost`` of ``before`` offers, with its verb in the right number."""
    if before == 1:
        subject = f"the only offer {where}"
    else:
        subject = f"all {before} offers {where}" if lost == before else f"{lost} of {before} offers {where}"
    singular = before == 1 or (lost == 1 and lost != before)
    return clause.format(lost=subject, **{plural: one if singular else plural for plural, one in _SINGULAR.items()})


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _remaining(count: int) -> str:
    return f"{_nodes(count)} {'remains' if count == 1 else 'remain'}"


def _wanted(bid: BookBid, now: int) -> str:
    return f"{_length(bid.length(now))} between {_z(bid.starting(now))} and {_z(bid.end)}"


def _length(seconds: int) -> str:
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(max(seconds, 0), size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def _price(micros: int) -> str:
    text = price_text(from_micros(micros))
    return text.rstrip("0").rstrip(".")


def _z(seconds: int) -> str:
    return to_instant(seconds).isoformat().replace("+00:00", "Z")


def as_json(explanation: Explanation) -> dict[str, JSON]:
    """Return the explanation in the shape of the API."""
    return {
        "bid_uuid": explanation.bid_uuid,
        "sentence": explanation.sentence,
        "steps": [
            {"step": step.step, "before": step.before, "after": step.after, "detail": step.detail}
            for step in explanation.steps
        ],
        "nearest": None if explanation.nearest is None else json.loads(canonical_json(explanation.nearest)),
    }
