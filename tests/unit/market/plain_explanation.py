# SPDX-License-Identifier: Apache-2.0
"""Explanations once more, offer by offer and as plain as they can be said, for comparison.

Only the words are shared with the market.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from flocx_common.domain.json_values import JSON, canonical_json
from flocx_common.domain.money import PRICE_LIMIT, from_micros, price_text, to_micros
from flocx_market.domain.book import BookBid, BookOffer, Span
from flocx_market.domain.explanation import Explanation
from flocx_market.domain.ladder import Step
from flocx_market.domain.requirements import ORDERED, Number, Requirement, as_number, parse_requirements, relaxed
from flocx_market.domain.supply import Opening, admits, named, share_keys
from flocx_market.domain.wording import instant, literal, nodes, price, remaining, told, wanted
from tests.unit.market.plain_placement import Place, PlainSupply, earliest_with, most_at_once, place

_CLOSE = (3, 2)
_ANY_PRICE = to_micros(PRICE_LIMIT)
_SHOWN_VALUES = 3


def explain(
    supply: PlainSupply, bid: BookBid, now: int, *, shortest: int = 0, longest: int | None = None
) -> Explanation:
    """Return why ``bid`` is open, judged against what ``supply`` has left.

    :param shortest: the shortest contract allowed, in seconds.
    :param longest: the longest, in seconds; None for no bound.
    """
    if not bid.servable(now, shortest):
        sentence = "Its window is over, or too short for what is left of it."
        return Explanation(bid.uuid, sentence, (Step("window", len(supply), 0, wanted(bid, now)),), None)
    ladder = _Ladder(supply, bid, now)
    placement = place(supply, bid, now, shortest=shortest)
    if placement is not None:
        return _served(ladder, bid, Span(placement.begin, placement.end))
    change = nearest_change(supply, bid, now, shortest=shortest, longest=longest)
    nearest: dict[str, JSON] | None = None if change is None else {"change": dict(change)}
    return Explanation(bid.uuid, ladder.sentence(), tuple(ladder.steps), nearest)


def _served(ladder: _Ladder, bid: BookBid, contract: Span) -> Explanation:
    sentence = f"It can be served now: {nodes(bid.quantity)} from {instant(contract.begin)} to {instant(contract.end)}."
    return Explanation(bid.uuid, sentence, tuple(ladder.steps), None)


class _Ladder:
    """The steps of matching for one bid, each with the clause that tells what it costs."""

    def __init__(self, supply: PlainSupply, bid: BookBid, now: int) -> None:
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
        shortage = f"{nodes(left)} can be had at once, {wanted} are wanted"
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
        self._add(name, len(offers), len(kept), told(clause, len(offers) - len(kept), len(offers), where), detail)
        return kept

    def _window(self, offers: Sequence[BookOffer]) -> list[BookOffer]:
        bid, now = self._bid, self._now
        length, earliest, latest = bid.length(now), bid.starting(now), bid.latest_start(now)

        def has_room(offer: BookOffer) -> bool:
            window = offer.window
            return offer.min_duration <= length and max(window.begin, earliest) <= min(window.end - length, latest)

        detail = wanted(bid, now)
        return self._keep("window", offers, has_room, "{lost} {have} no room for " + detail, detail)

    def _requirement(self, index: int, requirement: Requirement, offers: Sequence[BookOffer]) -> list[BookOffer]:
        seen = _seen(requirement, offers)
        text = f"`{requirement}`" + (f" ({seen})" if seen else "")
        clause = "{lost} {fail} " + literal(text)
        return self._keep(
            f"requirements[{index}]",
            offers,
            lambda offer: self._supply.meets(requirement, offer.hardware),
            clause,
            text,
        )

    def _price(self, offers: Sequence[BookOffer]) -> list[BookOffer]:
        limit = self._bid.limit
        detail = f"limit {price(limit)}"
        if offers:
            detail = f"cheapest ask {price(min(offer.reserve for offer in offers))}, {detail}"
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
        detail = f"free again from {instant(min(later))}" if later else None
        clause = told(
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
            self._add("spread", most, spread, f"only {remaining(spread)} when {detail}", detail)
            most = spread
        if bid.together:
            spread_cap = bid.spread.most if bid.spread else None
            alike = most_at_once(((o.first, o.last, *share_keys(supply, bid, o.offer)) for o in openings), spread_cap)
            detail = f"all must share `{bid.together.text}`"
            self._add("together", most, alike, f"only {remaining(alike)} when {detail}", detail)


def _seen(requirement: Requirement, offers: Iterable[BookOffer]) -> str | None:
    """Return the best value that the offers have where the requirement looks, in words."""
    documents = {offer.hardware.digest: offer.hardware.document for offer in offers}
    values = [requirement.expression.evaluate(document) for document in documents.values()]
    if requirement.operator in ORDERED:
        numbers = [number for number in map(as_number, values) if number is not None]
        if not numbers:
            return "no offer says" if values else None
        upwards = (ORDERED[requirement.operator] == ">=") is not requirement.negated
        best = max(numbers) if upwards else min(numbers)
        return f"{'largest' if upwards else 'smallest'}: {canonical_json(best)}"
    counts: dict[str, int] = defaultdict(int)
    for value in values:
        counts[canonical_json(value)] += 1
    shown = sorted(counts, key=lambda text: (-counts[text], text))[:_SHOWN_VALUES]
    short = [text if len(text) <= 40 else text[:37] + "..." for text in shown]
    more = ", ..." if len(counts) > len(shown) else ""
    return f"seen: {', '.join(short)}{more}" if shown else None


def nearest_change(
    supply: PlainSupply, bid: BookBid, now: int, *, shortest: int, longest: int | None
) -> Mapping[str, JSON] | None:
    """Return the fields of the bid to change, with their new values, or None where one alone is not enough.

    One field or one triple, by the least that works. Where several would do:
    the limit if it rises to at most one and a half times, then the start, the
    quantity, a requirement, and last a higher limit.
    """
    change: Mapping[str, JSON] | None
    limit = _limit(supply, bid, now, shortest)
    if limit is not None and limit * _CLOSE[1] <= bid.limit * _CLOSE[0]:
        return {"limit_price": price_text(from_micros(limit))}
    for find in (_start, _quantity, _requirement):
        change = find(supply, bid, now, shortest, longest)
        if change is not None:
            return change
    return None if limit is None else {"limit_price": price_text(from_micros(limit))}


def _limit(supply: PlainSupply, bid: BookBid, now: int, shortest: int) -> int | None:
    """Return the lowest limit that would do: what the dearest node of the best placement asks."""
    best = place(supply, bid, now, shortest=shortest, limit=_ANY_PRICE)
    return None if best is None or best.dearest <= bid.limit else best.dearest


def _start(
    supply: PlainSupply, bid: BookBid, now: int, shortest: int, longest: int | None
) -> Mapping[str, JSON] | None:
    """Return the start nearest to the bid's own that would do."""
    origin = bid.starting(now)
    cap = bid.spread.most if bid.spread else None
    places = list(_start_places(supply, bid, now, shortest, longest))
    earlier = earliest_with(bid.quantity, [(-last, -first, g, s) for first, last, g, s in places], -origin, cap)
    # A flexible bid may start later as it is; what lies later cannot help it.
    later = earliest_with(bid.quantity, places, origin, cap) if bid.duration is None else None
    found = [start for start in (later, None if earlier is None else -earlier) if start is not None]
    if not found:
        return None
    start = min(found, key=lambda found: (abs(found - origin), found))
    return {"start_time": instant(start)}


def _start_places(supply: PlainSupply, bid: BookBid, now: int, shortest: int, longest: int | None) -> Iterator[Place]:
    """Yield, for each free window, the starts with which it could serve the bid."""
    for offer in supply.candidates(bid):
        group, share = share_keys(supply, bid, offer)
        for free in supply.free(offer):
            if bid.duration is not None:
                if offer.min_duration > bid.duration:
                    continue
                first, last = max(free.begin, now), free.end - bid.duration
            elif free.end < bid.end:
                continue
            else:
                first = max(free.begin, now, bid.end - longest if longest is not None else now)
                last = bid.end - max(offer.min_duration, shortest, 1)
            if first <= last:
                yield first, last, group, share


def _quantity(
    supply: PlainSupply, bid: BookBid, now: int, shortest: int, longest: int | None
) -> Mapping[str, JSON] | None:
    """Return the most nodes that can be had at once, where that is fewer than wanted but not none."""
    places = (
        (opening.first, opening.last, *share_keys(supply, bid, opening.offer))
        for opening in supply.openings(supply.candidates(bid), bid, now)
    )
    most = most_at_once(places, bid.spread.most if bid.spread else None)
    return {"quantity": most} if 0 < most < bid.quantity else None


def _requirement(
    supply: PlainSupply, bid: BookBid, now: int, shortest: int, longest: int | None
) -> Mapping[str, JSON] | None:
    """Return the requirements with one of them relaxed, or else with one left out."""
    left_out = None
    for index, requirement in enumerate(bid.requirements):
        without = (*bid.requirements[:index], *bid.requirements[index + 1 :])
        freed = replace(bid, requirements=without)
        if place(supply, freed, now, shortest=shortest) is None:
            continue
        value = _tightest(supply, freed, requirement, now, shortest)
        if value is not None:
            triples = [list(r.triple) for r in bid.requirements]
            return {"requirements": [*triples[:index], relaxed(requirement, value), *triples[index + 1 :]]}
        if left_out is None:
            left_out = [list(r.triple) for r in without]
    return None if left_out is None else {"requirements": left_out}  # type: ignore[dict-item]


def _tightest(supply: PlainSupply, freed: BookBid, requirement: Requirement, now: int, shortest: int) -> Number | None:
    """Return the value nearest to what ``requirement`` asks that would do in its place."""
    if requirement.operator not in ORDERED or requirement.negated:
        return None
    documents = {offer.hardware.digest: offer.hardware.document for offer in supply.candidates(freed)}
    numbers = {as_number(requirement.expression.evaluate(document)) for document in documents.values()}
    at_least = requirement.operator in (">", ">=")
    # From the tightest to the loosest: what works stays working further on.
    values = sorted((number for number in numbers if number is not None), reverse=at_least)
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        triple = parse_requirements([relaxed(requirement, values[middle])])
        tried = replace(freed, requirements=(*freed.requirements, *triple))
        if place(supply, tried, now, shortest=shortest) is None:
            low = middle + 1
        else:
            high = middle
    return values[low] if low < len(values) else None
