# SPDX-License-Identifier: Apache-2.0
"""The rules a round's contracts keep, one function each: they yield what breaks the rule, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from check_books import Answers, Bid, Entity, Offer


@dataclass(frozen=True, slots=True)
class Part:
    """An allocation with the offer it is from; its window in seconds, prices and amounts in millionths."""

    offer: Offer
    entity: Entity
    begin: int
    end: int
    price: int
    amount: int


@dataclass(frozen=True, slots=True)
class Deal:
    """A contract with the bid it serves; its window in seconds, price and amount in millionths."""

    uuid: str
    bid: Bid
    entity: Entity
    begin: int
    end: int
    price: int
    amount: int
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Round:
    """What a rule may look at besides the contract."""

    now: int
    turnaround: int
    answers: Answers


Rule = Callable[[Deal, Round], Iterator[str]]


def quantity(deal: Deal, of: Round) -> Iterator[str]:
    """As many nodes as the bid wants, all distinct."""
    wanted, nodes = deal.bid.quantity, {part.offer.node for part in deal.parts}
    if not wanted == len(deal.parts) == deal.entity.get("quantity"):
        yield f"{len(deal.parts)} nodes and a quantity of {deal.entity.get('quantity')}, the bid wants {wanted}"
    if len(nodes) != len(deal.parts):
        yield "a node is there twice"


def names(deal: Deal, of: Round) -> Iterator[str]:
    """Lessee, nodes, providers and owners are those of the bid and the offers."""
    if deal.entity.get("lessee_project_id") != deal.bid.project:
        yield f"lessee_project_id {deal.entity.get('lessee_project_id')} is not the bid's project"
    for part in deal.parts:
        offer = part.offer
        wanted = {
            "contract_uuid": deal.uuid,
            "node_uuid": offer.node,
            "provider_uuid": offer.provider,
            "owner_project_id": offer.owner,
        }
        for name, value in wanted.items():
            if part.entity.get(name) != value:
                yield f"{name} {part.entity.get(name)} of the allocation from offer {offer.uuid} is not {value}"


def window(deal: Deal, of: Round) -> Iterator[str]:
    """The bid's whole window, or its duration inside it; a start that has passed means now."""
    bid, earliest = deal.bid, max(deal.bid.begin, of.now)
    if bid.duration is None:
        if (deal.begin, deal.end) != (earliest, bid.end):
            yield f"[{deal.begin}, {deal.end}) is not the bid's [{earliest}, {bid.end})"
    elif deal.end - deal.begin != bid.duration or deal.begin < earliest or deal.end > bid.end:
        yield f"[{deal.begin}, {deal.end}) is not {bid.duration} s inside the bid's [{earliest}, {bid.end})"


def one_window(deal: Deal, of: Round) -> Iterator[str]:
    """All allocations begin and end with the contract."""
    for part in deal.parts:
        if (part.begin, part.end) != (deal.begin, deal.end):
            yield f"the allocation from offer {part.offer.uuid} has a window of its own"


def free_time(deal: Deal, of: Round) -> Iterator[str]:
    """The window lies inside one free window of every offer."""
    for part in deal.parts:
        if not any(begin <= deal.begin and deal.end <= end for begin, end in part.offer.free):
            yield f"offer {part.offer.uuid} is not free in [{deal.begin}, {deal.end})"


def min_duration(deal: Deal, of: Round) -> Iterator[str]:
    """The contract is no shorter than an owner allows."""
    for part in deal.parts:
        if deal.end - deal.begin < part.offer.min_duration:
            yield f"{deal.end - deal.begin} s, offer {part.offer.uuid} wants at least {part.offer.min_duration}"


def lessee(deal: Deal, of: Round) -> Iterator[str]:
    """The bid's project is allowed, and is not the owner itself."""
    for part in deal.parts:
        if part.offer.lessees is not None and deal.bid.project not in part.offer.lessees:
            yield f"offer {part.offer.uuid} is not open to {deal.bid.project}"
        if part.offer.owner == deal.bid.project:
            yield f"offer {part.offer.uuid} is of the bid's own project"


def offer_uuids(deal: Deal, of: Round) -> Iterator[str]:
    """Only offers that the bid names, where it names any."""
    for part in deal.parts:
        if deal.bid.offers is not None and part.offer.uuid not in deal.bid.offers:
            yield f"the bid does not name offer {part.offer.uuid}"


def requirements(deal: Deal, of: Round) -> Iterator[str]:
    """All triples hold on every node."""
    for part in deal.parts:
        for triple in deal.bid.triples:
            if not of.answers.triple(triple, part.offer):
                yield f"{triple} does not hold on offer {part.offer.uuid}"


def price(deal: Deal, of: Round) -> Iterator[str]:
    """Every node is within reserve and limit, and as the named rule says where it leaves no choice."""
    rule, limit = deal.entity.get("price_rule"), deal.bid.limit
    for part in deal.parts:
        if not part.offer.reserve <= part.price <= limit:
            yield f"{part.price} for offer {part.offer.uuid} is not from {part.offer.reserve} to {limit} (millionths)"
        elif rule in ("reserve", "limit") and part.price != (part.offer.reserve if rule == "reserve" else limit):
            yield f"{part.price} for offer {part.offer.uuid} is not what the rule {rule} says (millionths)"
    if rule == "critical" and len({part.price for part in deal.parts}) > 1:
        yield "the rule critical has one price for all nodes"


def amount(deal: Deal, of: Round) -> Iterator[str]:
    """Each allocation costs price x hours, rounded half-even to six digits."""
    for part in deal.parts:
        due = _half_even(part.price * (deal.end - deal.begin), 3600)
        if part.amount != due:
            yield f"{part.amount} for offer {part.offer.uuid} is not {due} (millionths)"


def total(deal: Deal, of: Round) -> Iterator[str]:
    """The contract's amount is the sum of its allocations' amounts."""
    due = sum(part.amount for part in deal.parts)
    if deal.amount != due:
        yield f"amount {deal.amount} is not the sum, {due} (millionths)"


def mean(deal: Deal, of: Round) -> Iterator[str]:
    """The contract's clearing price is the mean of its allocations', rounded half-even."""
    due = _half_even(sum(part.price for part in deal.parts), len(deal.parts)) if deal.parts else 0
    if deal.price != due:
        yield f"clearing_price {deal.price} is not the mean, {due} (millionths)"


def spread(deal: Deal, of: Round) -> Iterator[str]:
    """At most so many nodes share a value."""
    if deal.bid.spread is not None:
        by, most = deal.bid.spread
        counts = Counter(of.answers.value(by, part.offer) for part in deal.parts)
        for value, count in sorted(counts.items()):
            if count > most:
                yield f"{count} nodes share {value} of {by}, at most {most} may"


def together(deal: Deal, of: Round) -> Iterator[str]:
    """All nodes share a value."""
    if deal.bid.together is not None:
        values = {of.answers.value(deal.bid.together, part.offer) for part in deal.parts}
        if len(values) > 1:
            yield f"{len(values)} values of {deal.bid.together}, one is wanted"


#: Rules of one contract by name, in the order in which they are looked at.
RULES: Mapping[str, Rule] = {
    "quantity": quantity,
    "names": names,
    "window": window,
    "one_window": one_window,
    "free_time": free_time,
    "min_duration": min_duration,
    "lessee": lessee,
    "offer_uuids": offer_uuids,
    "requirements": requirements,
    "price": price,
    "amount": amount,
    "total": total,
    "mean": mean,
    "spread": spread,
    "together": together,
}


def between_contracts(deals: list[Deal], turnaround: int) -> Iterator[tuple[Deal, str, str]]:
    """Yield (contract, rule, problem) where contracts of a node overlap or follow too soon."""
    of_node: dict[str, list[Deal]] = {}
    for deal in deals:
        for part in deal.parts:
            of_node.setdefault(part.offer.node, []).append(deal)
    for node, on_it in of_node.items():
        on_it.sort(key=lambda deal: (deal.begin, deal.end, deal.uuid))
        before = on_it[0]
        for deal in on_it[1:]:
            # A node twice in one contract is found by the rule of quantity.
            if deal is not before and deal.begin < before.end:
                yield deal, "overlap", f"node {node} is in contract {before.uuid} until {before.end}"
            elif deal is not before and deal.begin < before.end + turnaround:
                gap = deal.begin - before.end
                yield deal, "turnaround", f"node {node} has {gap} s after contract {before.uuid}, not {turnaround}"
            before = max(before, deal, key=lambda one: one.end)


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2))
