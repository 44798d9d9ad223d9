# SPDX-License-Identifier: Apache-2.0
"""The words of explanations: counts, lengths, prices and instants as people read them."""

from __future__ import annotations

from flocx_common.domain.money import from_micros, price_text
from flocx_market.domain.book import BookBid, to_instant

_SINGULAR = {"are": "is", "have": "has", "fail": "fails", "ask": "asks"}


def told(clause: str, lost: int, before: int, where: str) -> str:
    """Return a clause about ``lost`` of ``before`` offers, with its verb in the right number.

    :param clause: names the offers as ``{lost}`` and its verb by its plural, ``{are}``.
    """
    if before == 1:
        subject = f"the only offer {where}"
    else:
        subject = f"all {before} offers {where}" if lost == before else f"{lost} of {before} offers {where}"
    singular = before == 1 or (lost == 1 and lost != before)
    return clause.format(lost=subject, **{plural: one if singular else plural for plural, one in _SINGULAR.items()})


def literal(text: str) -> str:
    """Return a text that stands for itself in a clause."""
    return text.replace("{", "{{").replace("}", "}}")


def nodes(count: int) -> str:
    """Return a number of nodes."""
    return "1 node" if count == 1 else f"{count} nodes"


def remaining(count: int) -> str:
    """Return that so many nodes remain."""
    return f"{nodes(count)} {'remains' if count == 1 else 'remain'}"


def wanted(bid: BookBid, now: int) -> str:
    """Return how long a bid's contract would be, and between when."""
    return f"{_length(bid.length(now))} between {instant(bid.starting(now))} and {instant(bid.end)}"


def _length(seconds: int) -> str:
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(max(seconds, 0), size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def price(micros: int) -> str:
    """Return a price given in smallest steps, without trailing zeros."""
    text = price_text(from_micros(micros))
    return text.rstrip("0").rstrip(".")


def instant(seconds: int) -> str:
    """Return an instant in UTC."""
    return to_instant(seconds).isoformat().replace("+00:00", "Z")
