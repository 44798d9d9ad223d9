# SPDX-License-Identifier: Apache-2.0
"""Taking nodes in their order until a bid has enough, within its rules about racks and sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

from flocx_market.domain.book import BookBid

T = TypeVar("T")


def fill(
    bid: BookBid, nodes: Iterable[tuple[int, tuple[str, str], T]], dearest: int | None
) -> Iterator[tuple[str, list[T]]]:
    """Yield, for each value of ``together`` that has enough nodes, the nodes taken in order of preference.

    Nodes whose ``spread`` value is full are left out.

    :param nodes: in order of preference: what each asks, its values of
        ``together`` and ``spread`` (empty where the bid has no such rule), and the node.
    :param dearest: what is dearer than this need not be looked at.
    """
    taken: dict[str, list[T]] = defaultdict(list)
    shares: dict[tuple[str, str], int] = defaultdict(int)
    for reserve, (value, share), node in nodes:
        if dearest is not None and reserve > dearest:
            return
        chosen = taken[value]
        if len(chosen) == bid.quantity:
            continue
        if bid.spread:
            if shares[value, share] == bid.spread.most:
                continue
            shares[value, share] += 1
        chosen.append(node)
        if len(chosen) == bid.quantity:
            yield value, chosen
            if not bid.together:
                return
