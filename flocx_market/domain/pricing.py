# SPDX-License-Identifier: Apache-2.0
"""Pricing rules: what each node of a contract costs, between its reserve and the bid's limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from flocx_market.domain.book import Book
from flocx_market.domain.engine import Cleared
from flocx_market.domain.ranking import Ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """What a rule prices: the awards of a round, and the book they were made from."""

    book: Book
    cleared: Cleared
    now: int
    ranking: Ranking


@dataclass(frozen=True, slots=True)
class Priced:
    """The prices of one award in smallest steps, one for each of its offers in their order.

    ``rule`` is what is written on the contract where it is not the configured rule's name.
    """

    prices: tuple[int, ...]
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class PricingOptions:
    """Numbers the rules take from the configuration.

    ``k`` is the share of the span between reserve and limit that goes to the
    owner under ``k_double``, from 0 to 1. ``budget`` is how many placements the
    rule ``critical`` may try in one round; None for no bound.
    """

    k: Decimal = Decimal("0.5")
    budget: int | None = None


#: A pricing rule: one :class:`Priced` for each award of the round, in their order.
PricingRule = Callable[[Sales, PricingOptions], Sequence[Priced]]


def reserve(sales: Sales, options: PricingOptions) -> Sequence[Priced]:
    """Price each node at what its owner asked (posted price)."""
    return [Priced(tuple(offer.reserve for offer in award.offers)) for award in sales.cleared.awards]


def limit(sales: Sales, options: PricingOptions) -> Sequence[Priced]:
    """Price each node at the bid's limit (pay as bid)."""
    return [Priced((award.bid.limit,) * len(award.offers)) for award in sales.cleared.awards]


def k_double(sales: Sales, options: PricingOptions) -> Sequence[Priced]:
    """Price each node at the share ``k`` of the way from its reserve to the limit, rounded half-even.

    The k-double auction of Chatterjee and Samuelson, "Bargaining under
    incomplete information", Operations Research 31 (1983).
    """

    def between(low: int, high: int) -> int:
        return low + int((options.k * (high - low)).to_integral_value(ROUND_HALF_EVEN))

    return [
        Priced(tuple(between(offer.reserve, award.bid.limit) for offer in award.offers))
        for award in sales.cleared.awards
    ]
