# SPDX-License-Identifier: Apache-2.0
"""Pricing rules: what each node of a contract costs, between its reserve and the bid's limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from flocx_market.domain.book import BookBid, BookOffer


@dataclass(frozen=True, slots=True)
class Sale:
    """Nodes that a round gives to a bid, before they have a price."""

    bid: BookBid
    offers: tuple[BookOffer, ...]


@dataclass(frozen=True, slots=True)
class PricingOptions:
    """Numbers the rules take from the configuration.

    ``k`` is the share of the span between reserve and limit that goes to the
    owner under ``k_double``, from 0 to 1.
    """

    k: Decimal = Decimal("0.5")


#: Prices in smallest steps, one for each of the sale's offers in their order.
PricingRule = Callable[[Sale, PricingOptions], Sequence[int]]


def reserve(sale: Sale, options: PricingOptions) -> Sequence[int]:
    """Price each node at what its owner asked (posted price)."""
    return [offer.reserve for offer in sale.offers]


def limit(sale: Sale, options: PricingOptions) -> Sequence[int]:
    """Price each node at the bid's limit (pay as bid)."""
    return [sale.bid.limit for _ in sale.offers]


def k_double(sale: Sale, options: PricingOptions) -> Sequence[int]:
    """Price each node at the share ``k`` of the way from its reserve to the limit, rounded half-even.

    The k-double auction of Chatterjee and Samuelson, "Bargaining under
    incomplete information", Operations Research 31 (1983).
    """

    def between(low: int) -> int:
        share = (options.k * (sale.bid.limit - low)).to_integral_value(ROUND_HALF_EVEN)
        return low + int(share)

    return [between(offer.reserve) for offer in sale.offers]
