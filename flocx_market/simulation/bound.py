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

import numpy as np
import numpy.typing as npt

from flocx_market.domain.book import BookOffer
from flocx_market.simulation.conversion import Asked

_Matrix = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.intp]

#: Length of a bucket in seconds.
BUCKET = 24 * 3600
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
    use = _least_use(possible)
    size = np.array([one.node_seconds for one in possible], float)
    admitted = np.array([kinds.admitted(one) for one in possible])
    gain = np.array([[one.bid.limit - reserve for reserve in kinds.reserves] for one in possible], float)
    capacity = np.array(kinds.counts, float)[:, None] * use.lengths[None, :]

    done = 0

    def another() -> None:
        nonlocal done
        done += 1
        step(done, 2 * STEPS)

    def lowest(values: _Matrix, achieved: int) -> int:
        scale = float(values.max(initial=0)) or 1.0
        found = _lagrangian(np.where(admitted, values / scale, -np.inf), use, capacity, achieved / scale, another)
        # A bound must not be lost to rounding.
        return math.ceil(Fraction(found) * Fraction(scale) * (1 + Fraction(1, 10**9)))

    everything = sum(one.node_seconds for one in possible)
    best_gains = sum(
        one.node_seconds
        * max(one.bid.limit - reserve for reserve, fits in zip(kinds.reserves, row, strict=True) if fits)
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
                all(requirement.holds(document) for requirement in one.bid.requirements) for document in self._documents
            ]
        return [
            meets and reserve <= one.bid.limit for meets, reserve in zip(self._known[key], self.reserves, strict=True)
        ]

    def enough_for(self, one: Asked) -> bool:
        """Tell whether there are enough nodes for a bid at all; else nothing ever serves it."""
        fitting = sum(count for count, fits in zip(self.counts, self.admitted(one), strict=True) if fits)
        return 0 < one.bid.quantity <= fitting


@dataclass(frozen=True, slots=True, kw_only=True)
class _LeastUse:
    """The least node-seconds of each bucket that a contract of each bid takes, where it takes any.

    Entries are in order of ``bid``; ``bucket`` and ``amount`` go with it.
    ``users`` are the bids that have entries, which begin at ``starts``.
    """

    bids: int
    lengths: _Matrix
    bid: _Indices
    bucket: _Indices
    amount: _Matrix
    users: _Indices
    starts: _Indices

    def costs(self, prices: _Matrix) -> _Matrix:
        """Return what each bid (row) pays for its use at each kind's (row of ``prices``) prices of buckets."""
        paid = np.zeros((self.bids, len(prices)))
        if len(self.users):
            each = prices.T[self.bucket] * self.amount[:, None]
            paid[self.users] = np.add.reduceat(each, self.starts, axis=0)
        return paid

    def taken(self, chosen: _Indices, served: npt.NDArray[np.bool_], kinds: int) -> _Matrix:
        """Return what is used of each bucket (column) of each kind (row) when the served bids use the chosen kinds."""
        count = len(self.lengths)
        counted = served[self.bid]
        where = (chosen[self.bid] * count + self.bucket)[counted]
        used: _Matrix = np.bincount(where, weights=self.amount[counted], minlength=kinds * count).astype(float)
        return used.reshape(kinds, count)


def _least_use(asked: Sequence[Asked]) -> _LeastUse:
    begin = np.array([one.begin for one in asked], float)[:, None]
    end = np.array([one.bid.end for one in asked], float)[:, None]
    length = np.array([one.bid.length(one.begin) for one in asked], float)[:, None]
    first, last = float(begin.min()), float(end.max())
    count = max(1, min(MOST_PAIRS // len(asked), math.ceil((last - first) / BUCKET)))
    edges = np.linspace(first, last, count + 1)
    left, right = edges[None, :-1], edges[None, 1:]
    seconds = np.minimum(np.minimum(right - left, length), np.minimum(begin + length - left, right - (end - length)))
    bid, bucket = np.nonzero(seconds > 0)
    users, starts = np.unique(bid, return_index=True)
    quantity = np.array([one.bid.quantity for one in asked], float)
    return _LeastUse(
        bids=len(asked),
        lengths=edges[1:] - edges[:-1],
        bid=bid,
        bucket=bucket,
        amount=seconds[bid, bucket] * quantity[bid],
        users=users,
        starts=starts,
    )


def _lagrangian(values: _Matrix, use: _LeastUse, capacity: _Matrix, achieved: float, step: Callable[[], None]) -> float:
    """Return a low value of the dual: the sum of what every bid gains at some prices, and what the buckets cost.

    :param values: what serving a bid (row) from a kind (column) is worth; -inf where it cannot be.
    :param capacity: what a kind (row) has of a bucket (column).
    """
    rows = np.arange(len(values))
    prices = np.zeros(capacity.shape)
    best, since, share = np.inf, 0, 1.0
    for _ in range(STEPS):
        step()
        profit = values - use.costs(prices)
        chosen = profit.argmax(axis=1)
        gained = profit[rows, chosen]
        found = float(np.maximum(gained, 0).sum() + (prices * capacity).sum())
        if found < best * (1 - 1e-6):
            best, since = found, 0
        else:
            since += 1
            if since == PATIENCE:
                share, since = share / 2, 0
        slack = capacity - use.taken(chosen, gained > 0, len(capacity))
        # Where nothing is wanted and nothing is charged there is nowhere to go.
        slack[(prices <= 0) & (slack > 0)] = 0
        norm = float((slack * slack).sum())
        if norm == 0 or found <= achieved:
            break
        prices = np.maximum(prices - share * (found - achieved) / norm * slack, 0)
    return best
