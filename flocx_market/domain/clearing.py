# SPDX-License-Identifier: Apache-2.0
"""What every clearing engine promises, and how its awards become contracts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from flocx_market.domain.book import Book, BookBid, BookOffer, Span
from flocx_market.domain.pricing import PricingOptions, PricingRule, Sale
from flocx_market.domain.ranking import Ranking
from flocx_market.domain.supply import Supply


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """The nodes and the window that a round gives to one bid."""

    bid: BookBid
    contract: Span
    offers: tuple[BookOffer, ...]


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """What an engine made of a book: awards in ranking order, bids left open, and what is left over.

    ``evaluations`` is how many (requirement, hardware) pairs were evaluated.
    """

    offers: Sequence[BookOffer]
    awards: tuple[Award, ...]
    left: tuple[BookBid, ...]
    evaluations: int

    @cached_property
    def supply(self) -> Supply:
        """What the awards have left of the offers."""
        supply = Supply(self.offers)
        for award in self.awards:
            for offer in award.offers:
                supply.take(offer, award.contract)
        return supply


#: A clearing engine: (book, now in seconds, ranking) -> awards and the bids left open.
#: Pure; the same input in any order gives the same output; every bid is served
#: whole or not at all; no bid stays open that what is left over could serve.
Engine = Callable[[Book, int, Ranking], Cleared]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The three choices that make a market: who is first, who gets what, who pays what."""

    engine: Engine
    ranking: Ranking
    pricing: PricingRule
    pricing_name: str
    pricing_options: PricingOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An award with its prices: one for each offer, in smallest price steps."""

    award: Award
    prices: tuple[int, ...]
    price_rule: str


def priced(award: Award, rules: Rules) -> Deal:
    """Return the award with the prices of the configured rule.

    :raises ValueError: the rule left the span between reserve and limit; a rule
        that does is a defect, and no contract is made from it.
    """
    prices: Sequence[int] = rules.pricing(Sale(award.bid, award.offers), rules.pricing_options)
    within = all(offer.reserve <= price <= award.bid.limit for offer, price in zip(award.offers, prices, strict=True))
    if not within:
        raise ValueError(f"pricing rule {rules.pricing_name} gave {prices} for bid {award.bid.uuid}")
    return Deal(award=award, prices=tuple(prices), price_rule=rules.pricing_name)
