# SPDX-License-Identifier: Apache-2.0
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flocx_market.domain.book import FOREVER
from flocx_market.domain.price_order import PriceOrder

KINDS, SELLERS = 3, 2

windows = st.tuples(st.integers(0, 8), st.integers(1, 6) | st.just(FOREVER)).map(lambda w: (w[0], w[0] + w[1]))
lots = st.tuples(st.integers(0, KINDS - 1), st.integers(0, SELLERS - 1), st.integers(0, 5), windows)
masks = st.lists(st.booleans(), min_size=KINDS, max_size=KINDS)


class Lots:
    """Lots put in and taken out, in an order of prices and in a plain mapping."""

    def __init__(self, order):
        self.order, self.there, self.kinds, self.gone = order, {}, [], []

    def put(self, kind, seller, reserve, window):
        again = [lot for lot in self.gone if self.kinds[lot] == kind]
        lot = again[-1] if again else len(self.kinds)
        if again:
            self.gone.remove(lot)
        else:
            self.kinds.append(kind)
        self.there[lot] = (kind, seller, reserve, *window)
        self.order.put(lot, kind, seller, reserve, *window)

    def drop(self, place):
        if self.there:
            lot = sorted(self.there)[place % len(self.there)]
            del self.there[lot]
            self.gone.append(lot)
            self.order.drop(lot)


@given(st.data(), st.integers(1, 4), st.integers(0, 6), st.integers(1, 3) | st.none())
def test_lots_that_fit_come_once_and_none_before_a_cheaper_one(data, first, unordered, wanted):
    market = Lots(PriceOrder(first, unordered, looked_at=1))
    for _ in range(data.draw(st.integers(1, 4))):
        for lot in data.draw(st.lists(lots, max_size=12)):
            market.put(*lot)
        for place in data.draw(st.lists(st.integers(0, 20), max_size=6)):
            market.drop(place)
        kinds, sellers = data.draw(masks), data.draw(masks)[:SELLERS]
        limit, latest, ends = (data.draw(st.integers(0, most)) for most in (6, 9, 12))
        length = data.draw(st.none() | st.integers(1, 5))

        parts = market.order.parts(
            np.array(kinds), np.array(sellers), limit=limit, latest=latest, ends=ends, length=length, wanted=wanted
        )

        found = [part.tolist() for part in parts]
        expected = {
            lot
            for lot, (kind, seller, reserve, begin, end) in market.there.items()
            if kinds[kind] and sellers[seller] and reserve <= limit and begin <= latest and end >= ends
            if length is None or end - begin >= length
        }
        assert sorted(lot for part in found for lot in part) == sorted(expected)
        asked = [sorted(market.there[lot][2] for lot in part) for part in found if part]
        assert all(before[-1] < after[0] for before, after in pairwise(asked))
        assert wanted is not None or len(found) == 1


def test_who_wants_few_lots_gets_the_cheapest_without_the_rest():
    order = PriceOrder(first=10, unordered=0)
    for lot in range(1000):
        order.put(lot, 0, 0, (lot * 7) % 1000, 0, 10)
    part = next(order.parts(np.array([True]), np.array([True]), limit=1000, latest=0, ends=10, length=None, wanted=1))
    assert sorted((lot * 7) % 1000 for lot in part.tolist()) == list(range(len(part)))
    assert len(part) < 100


def test_lots_put_in_late_come_with_those_that_ask_as_much():
    order = PriceOrder(first=4, unordered=3, looked_at=1)

    def parts():
        every = {"limit": 99, "latest": 0, "ends": 10, "length": None, "wanted": 1}
        return [sorted(part.tolist()) for part in order.parts(np.array([True]), np.array([True]), **every)]

    for lot in range(8):
        order.put(lot, 0, 0, lot, 0, 10)
    assert parts() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    order.put(8, 0, 0, 2, 0, 10)
    order.put(9, 0, 0, 6, 0, 10)
    assert parts() == [[0, 1, 2, 3, 8], [4, 5, 6, 7, 9]]
