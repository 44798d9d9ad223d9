# SPDX-License-Identifier: Apache-2.0
"""An upper bound on what any market could have done that knew every bid beforehand.

The relaxation lets a bid be served in part, from any mix of the nodes that meet
it. Time is cut into buckets. Wherever its contract lies in its window, a bid of
q nodes keeps each of them busy for at least

    m = min(bucket, duration, earliest end - bucket's begin, bucket's end - latest start)

of a bucket (energetic reasoning; Baptiste, Le Pape and Nuijten, "Constraint-Based
Scheduling", 2001, chapter 3), and no bucket has more node-hours than nodes x
hours. Every set of contracts satisfies these constraints, so that their best
value bounds every engine, ranking and order of arrival.

The linear program is not solved but bounded through its Lagrangian dual: any
set of prices for the node-hours of buckets gives a valid bound (weak duality), and
subgradient steps look for prices that give a low one (Held, Wolfe and Crowder,
"Validation of subgradient optimization", Mathematical Programming 6 (1974)).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from flocx_market.domain.book import BookOffer
from flocx_market.simulation.conversion import Asked

_Matrix = npt.NDArray[np.float64]

#: Length of a bucket in seconds.
BUCKET = 12 * 3600
#: The most pairs of a bid and a bucket; beyond it buckets are longer, and the bound is as valid and less tight.
MOST_PAIRS = 10_000_000
#: Subgradient steps, and after how many without a better bound they are halved.
STEPS = 400
PATIENCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """No market serves more node-seconds, nor has more surplus (smallest price steps x node-seconds)."""

    node_seconds: int
    surplus: int


def bound(
    asked: Sequence[Asked], offers: Sequence[BookOffer], served: Bound, step: Callable[[int, int], None]
) -> Bound:
    """Return an upper bound over every way to serve these bids from these offers.

    :param served: what some way did achieve. It guides the search and has no
        part in why the bound is one.
    :param step: called with how many of how many subgradient steps are done.
    """
    kinds = _Kinds(offers)
    possible = [one for one in asked if kinds.enough_for(one)]
    if not possible:
        return Bound(node_seconds=0, surplus=0)
    least = _least_use(possible)
    size = np.array([one.node_seconds for one in possible], float)
    admitted = np.array([kinds.admitted(one) for one in possible])
    gain = np.array([[one.bid.limit - reserve for reserve in kinds.reserves] for one in possible], float)
    quantity = np.array([one.bid.quantity for one in possible], float)
    capacity = np.array(kinds.counts, float)[:, None] * least.buckets[None, :]

    done = 0

    def another() -> None:
        nonlocal done
        done += 1
        step(done, 2 * STEPS)

    def lowest(values: _Matrix, achieved: int) -> int:
        scale = float(values.max(initial=0)) or 1.0
        found = _lagrangian(
            np.where(admitted, values / scale, -np.inf), quantity[:, None] * least.seconds, capacity, achieved / scale, another
        )
        # A bound must not be lost to rounding.
        return math.ceil(Fraction(found) * Fraction(scale) * (1 + Fraction(1, 10**9)))

    everything = sum(one.node_seconds for one in possible)
    best_gains = sum(
        one.node_seconds * max(one.bid.limit - reserve for reserve, fits in zip(kinds.reserves, row, strict=True) if fits)
        for one, row in zip(possible, admitted.tolist(), strict=True)
    )
    found = Bound(
        node_seconds=min(everything, lowest(np.broadcast_to(size[:, None], admitted.shape), served.node_seconds)),
        surplus=min(best_gains, lowest(gain * size[:, None], served.surplus)),
    )
    step(2 * STEPS, 2 * STEPS)
    return found


class _Kinds:
    """Offers that no bid can tell apart, counted."""

    def __init__(self, offers: Sequence[BookOffer]) -> None:
        counts = Counter((offer.hardware.digest, offer.reserve) for offer in offers)
        documents = {offer.hardware.digest: offer.hardware.document for offer in offers}
        keys = sorted(counts)
        self.counts = [counts[key] for key in keys]
        self.reserves = [reserve for _, reserve in keys]
        self._documents = [documents[digest] for digest, _ in keys]
        self._known: dict[tuple[str, ...], list[bool]] = {}

    def admitted(self, one: Asked) -> list[bool]:
        """Return which kinds could serve a bid, as far as hardware and price go."""
        key = tuple(requirement.key for requirement in one.bid.requirements)
        if key not in self._known:
            self._known[key] = [
                all(requirement.holds(document) for requirement in one.bid.requirements)
                for document in self._documents
            ]
        return [
            meets and reserve <= one.bid.limit for meets, reserve in zip(self._known[key], self.reserves, strict=True)
        ]

    def enough_for(self, one: Asked) -> bool:
        """Tell whether there are enough nodes for a bid at all; else nothing ever serves it."""
        fitting = sum(count for count, fits in zip(self.counts, self.admitted(one), strict=True) if fits)
        return 0 < one.bid.quantity <= fitting


@dataclass(frozen=True, slots=True)
class _LeastUse:
    """The least seconds of each bucket that a contract of each bid takes, and how long the buckets are."""

    seconds: _Matrix
    buckets: _Matrix


def _least_use(asked: Sequence[Asked]) -> _LeastUse:
    begin = np.array([one.begin for one in asked], float)[:, None]
    end = np.array([one.bid.end for one in asked], float)[:, None]
    length = np.array([one.bid.length(one.begin) for one in asked], float)[:, None]
    first, last = float(begin.min()), float(end.max())
    count = max(1, min(MOST_PAIRS // len(asked), math.ceil((last - first) / BUCKET)))
    edges = np.linspace(first, last, count + 1)
    left, right = edges[None, :-1], edges[None, 1:]
    seconds = np.minimum(np.minimum(right - left, length), np.minimum(begin + length - left, right - (end - length)))
    return _LeastUse(np.maximum(seconds, 0.0), edges[1:] - edges[:-1])


def _lagrangian(values: _Matrix, use: _Matrix, capacity: _Matrix, achieved: float, step: Callable[[], None]) -> float:
    """Return a low value of the dual: the sum of what every bid gains at some prices, and what the buckets cost.

    :param values: what serving a bid (row) from a kind (column) is worth; -inf where it cannot be.
    :param use: what a bid (row) takes of a bucket (column) at least.
    :param capacity: what a kind (row) has of a bucket (column).
    """
    rows = np.arange(len(values))
    prices = np.zeros(capacity.shape)
    best, since, share = np.inf, 0, 1.0
    for _ in range(STEPS):
        step()
        profit = values - use @ prices.T
        chosen = profit.argmax(axis=1)
        gained = profit[rows, chosen]
        found = float(np.maximum(gained, 0).sum() + (prices * capacity).sum())
        if found < best * (1 - 1e-6):
            best, since = found, 0
        else:
            since += 1
            if since == PATIENCE:
                share, since = share / 2, 0
        slack = capacity - _taken(chosen, gained > 0, use, len(capacity))
        # Where nothing is wanted and nothing is charged there is nowhere to go.
        slack[(prices <= 0) & (slack > 0)] = 0
        norm = float((slack * slack).sum())
        if norm == 0 or found <= achieved:
            break
        prices = np.maximum(prices - share * (found - achieved) / norm * slack, 0)
    return best


def _taken(chosen: npt.NDArray[Any], served: npt.NDArray[np.bool_], use: _Matrix, kinds: int) -> _Matrix:
    picks = np.zeros((kinds, len(chosen)))
    picks[chosen[served], np.flatnonzero(served)] = 1.0
    return picks @ use
