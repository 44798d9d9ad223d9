# SPDX-License-Identifier: Apache-2.0
"""What every clearing engine takes and promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from flocx_market.domain.book import Book, BookBid, BookOffer, Span
from flocx_market.domain.lots import Change
from flocx_market.domain.ranking import Ranking
from flocx_market.domain.stock import Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """The nodes and the window that a round gives to one bid."""

    bid: BookBid
    contract: Span
    offers: tuple[BookOffer, ...]

    @property
    def surplus(self) -> int:
        """What it is worth to both sides together: (limit - reserve) x node-seconds, in smallest price steps."""
        return sum(self.bid.limit - offer.reserve for offer in self.offers) * self.contract.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much an engine may do for one round; None is no bound.

    ``work`` is counted in steps of the engine's own, so that the same input and
    the same work give the same output, however busy the machine is. ``seconds`` of wall clock
    are the last resort against a machine that is far too slow.
    """

    work: int | None = None
    seconds: float | None = None


#: As much as it takes.
UNBOUNDED = Effort()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReport:
    """What an engine says of its own result.

    ``engine`` made the awards, which is another than the configured one where
    that fell back, ``reason`` says why. ``bound``: no clearing of this book has
    more surplus; None where nothing is claimed. ``stopped`` is ``work`` or
    ``time`` where the engine was stopped before it was done, else None.
    """

    engine: str
    bound: int | None = None
    stopped: str | None = None
    reason: str | None = None
    work: int = 0


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """What an engine made of a book: awards in ranking order, bids left open, and what is left over.

    ``evaluations`` is how often an expression was evaluated on a hardware
    document; a pass over the book takes at most one for each distinct triple
    and class of hardware. ``left_over`` is the stock the engine worked on, if
    it did on one, and ``taken`` is what the awards have changed in it, to be
    given back.
    """

    offers: Sequence[BookOffer]
    awards: tuple[Award, ...]
    left: tuple[BookBid, ...]
    evaluations: int
    report: EngineReport = field(default_factory=lambda: EngineReport(engine="greedy"))
    left_over: Stock | None = field(default=None, repr=False, compare=False)
    taken: Sequence[Change] = field(default=(), repr=False, compare=False)

    @property
    def surplus(self) -> int:
        """The surplus of all awards, in smallest price steps x seconds."""
        return sum(award.surplus for award in self.awards)

    @cached_property
    def stock(self) -> Stock:
        """What the awards have left of the offers."""
        if self.left_over is not None:
            return self.left_over
        stock = Stock(self.offers)
        for award in self.awards:
            numbers = [stock.lots.number(offer.uuid) for offer in award.offers]
            stock.lots.take([n for n in numbers if n is not None], award.contract.begin, award.contract.end)
        return stock


#: A clearing engine: (book, now in seconds, ranking, effort) -> awards and the bids left open.
#: Pure; the same input in any order gives the same output; every bid is served
#: whole or not at all; no bid stays open that what is left over could serve.
Engine = Callable[[Book, int, Ranking, Effort], Cleared]
