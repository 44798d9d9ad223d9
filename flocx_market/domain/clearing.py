# SPDX-License-Identifier: Apache-2.0
"""A round: what an engine awards, at the prices of a rule."""

from __future__ import annotations

from dataclasses import dataclass

from flocx_market.domain.book import Book
from flocx_market.domain.engine import UNBOUNDED, Award, Cleared, Effort, Engine
from flocx_market.domain.pricing import Priced, PricingOptions, PricingRule, Sales
from flocx_market.domain.ranking import Ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The three choices that make a market: who is first, who gets what, who pays what."""

    engine: Engine
    ranking: Ranking
    pricing: PricingRule
    pricing_name: str
    pricing_options: PricingOptions
    effort: Effort = UNBOUNDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An award with its prices: one for each offer, in smallest price steps."""

    award: Award
    prices: tuple[int, ...]
    price_rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round thought through: deals in ranking order, and what the engine left.

    ``refused`` are awards whose prices left the span between reserve and limit;
    no contract is made from them, and the texts say what the rule gave.
    """

    cleared: Cleared
    deals: tuple[Deal, ...]
    refused: tuple[tuple[Award, str], ...]


def clear(book: Book, now: int, rules: Rules) -> Cleared:
    """Return what the configured engine makes of a book."""
    return rules.engine(book, now, rules.ranking, rules.effort)


def hold_round(book: Book, now: int, rules: Rules) -> Round:
    """Clear a book and price what is awarded. Pure: nothing is stored."""
    return price_round(book, clear(book, now, rules), now, rules)


def price_round(book: Book, cleared: Cleared, now: int, rules: Rules) -> Round:
    """Return the deals of what an engine has cleared."""
    sales = Sales(book=book, cleared=cleared, now=now, ranking=rules.ranking)
    deals, refused = [], []
    for award, priced in zip(cleared.awards, rules.pricing(sales, rules.pricing_options), strict=True):
        if _within(award, priced):
            deals.append(Deal(award=award, prices=priced.prices, price_rule=priced.rule or rules.pricing_name))
        else:
            # A rule that does this is a defect; it must not cost anybody else the round.
            refused.append((award, f"pricing rule {rules.pricing_name} gave {priced.prices}"))
    return Round(cleared=cleared, deals=tuple(deals), refused=tuple(refused))


def _within(award: Award, priced: Priced) -> bool:
    return len(priced.prices) == len(award.offers) and all(
        offer.reserve <= price <= award.bid.limit for offer, price in zip(award.offers, priced.prices, strict=True)
    )
