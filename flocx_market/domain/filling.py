# SPDX-License-Identifier: Apache-2.0
"""Taking nodes in their order until a bid has enough, within its rules about racks and sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

from flocx_market.domain.book import BookBid

T = TypeVar("T")


def fill(bid: BookBid, nodes: Iterable[tuple[tuple[str, str], T]]) -> Iterator[tuple[str, list[T]]]:
    """Yield, for each value of ``together`` that has enough nodes, the nodes taken in order of preference.

    Nodes whose ``spread`` value is full are left out.

    :param nodes: in order of preference: the values of ``together`` and
        ``spread`` of each (empty where the bid has no such rule), and the node.
    """
    taken: dict[str, list[T]] = defaultdict(list)
    shares: dict[tuple[str, str], int] = defaultdict(int)
    for (value, share), node in nodes:
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
