# SPDX-License-Identifier: Apache-2.0
"""What the nodes of a bid share, or must not: the values of ``spread`` and ``together``."""

from __future__ import annotations

from flocx_common.domain.json_values import canonical_json
from flocx_market.domain.book import BookBid, BookOffer
from flocx_market.domain.expressions import Expression


class SharedValues:
    """Values of expressions on offers, each evaluated once for all offers that cannot differ in it."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], str] = {}

    def value(self, expression: Expression, offer: BookOffer) -> str:
        """Return what ``spread`` or ``together`` compares, as canonical JSON.

        The expression sees the hardware document with one more key, ``offer``.
        """
        key = (
            expression.text,
            offer.hardware.digest,
            offer.provider_uuid,
            offer.owner_project_id,
            offer.resource_class,
        )
        known = self._known.get(key)
        if known is None:
            about = {
                "provider_uuid": offer.provider_uuid,
                "owner_project_id": offer.owner_project_id,
                "resource_class": offer.resource_class,
            }
            value = expression.evaluate({**offer.hardware.document, "offer": about})
            known = self._known[key] = canonical_json(value)
        return known

    def keys(self, bid: BookBid, offer: BookOffer) -> tuple[str, str]:
        """Return the values of ``together`` and ``spread`` for an offer, empty where the bid has no such rule."""
        group = self.value(bid.together, offer) if bid.together else ""
        return group, self.value(bid.spread.by, offer) if bid.spread else ""
