# SPDX-License-Identifier: Apache-2.0
"""Why a bid is open: what each step of matching costs it, in numbers and in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from flocx_common.domain.json_values import JSON, canonical_json
from flocx_market.domain.book import BookBid, Span
from flocx_market.domain.engine import Award
from flocx_market.domain.ladder import Ladder, Step
from flocx_market.domain.nearest import nearest_change
from flocx_market.domain.stock import Stock
from flocx_market.domain.wording import instant, nodes, wanted


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a bid is open.

    ``steps`` are in the order of evaluation, each ``before`` the last one's
    ``after``: offers up to the free time, nodes at once from the quantity on.
    ``nearest`` is the least change of one field or one triple with which the
    bid could be served from what is left, as ``{"change": {field: value}}``.
    """

    bid_uuid: str | None
    sentence: str
    steps: tuple[Step, ...]
    nearest: Mapping[str, JSON] | None


def explain(stock: Stock, bid: BookBid, now: int, *, shortest: int = 0, longest: int | None = None) -> Explanation:
    """Return why ``bid`` is open, judged against what ``stock`` has left.

    :param shortest: the shortest contract allowed, in seconds.
    :param longest: the longest, in seconds; None for no bound.
    """
    if not bid.servable(now, shortest):
        sentence = "Its window is over, or too short for what is left of it."
        return Explanation(bid.uuid, sentence, (Step("window", stock.groups.total, 0, wanted(bid, now)),), None)
    ladder = Ladder(stock, bid, now)
    if ladder.steps[-1].after >= bid.quantity:
        placement = stock.place(bid, now, shortest=shortest)
        assert placement is not None, "enough nodes at once are a placement"
        return _served(ladder, bid, Span(placement.begin, placement.end))
    change = nearest_change(stock, bid, now, ladder.reach, ladder.openings, shortest=shortest, longest=longest)
    nearest: dict[str, JSON] | None = None if change is None else {"change": dict(change)}
    return Explanation(bid.uuid, ladder.sentence(), tuple(ladder.steps), nearest)


def explain_award(stock: Stock, award: Award, now: int) -> Explanation:
    """Return what is to be said of a bid that the round serves.

    :param stock: as it was before the round.
    """
    return _served(Ladder(stock, award.bid, now), award.bid, award.contract)


def _served(ladder: Ladder, bid: BookBid, contract: Span) -> Explanation:
    begin, end = instant(contract.begin), instant(contract.end)
    sentence = f"It can be served now: {nodes(bid.quantity)} from {begin} to {end}."
    return Explanation(bid.uuid, sentence, tuple(ladder.steps), None)


def as_json(explanation: Explanation) -> dict[str, JSON]:
    """Return the explanation in the shape of the API."""
    return {
        "bid_uuid": explanation.bid_uuid,
        "sentence": explanation.sentence,
        "steps": [
            {"step": step.step, "before": step.before, "after": step.after, "detail": step.detail}
            for step in explanation.steps
        ],
        "nearest": None if explanation.nearest is None else json.loads(canonical_json(explanation.nearest)),
    }
