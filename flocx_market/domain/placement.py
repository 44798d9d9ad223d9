# SPDX-License-Identifier: Apache-2.0
"""Where a bid could be served."""

from __future__ import annotations

from dataclasses import dataclass, field

from flocx_market.domain.book import BookOffer


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """Where a bid could be served. Placements order from best to worst.

    ``dearest`` and ``total`` are reserves in smallest price steps; ``together``
    is the shared value as canonical JSON, empty where the bid asks for none.
    ``numbers`` are the offers as a stock numbers them.
    """

    dearest: int
    total: int
    begin: int
    together: str
    offers: tuple[BookOffer, ...] = field(compare=False)
    end: int = field(compare=False)
    numbers: tuple[int, ...] = field(compare=False, default=())
