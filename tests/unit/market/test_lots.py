# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from flocx_market.domain.lots import Lots
from tests.builders import book_offer, uid

HORIZON = 30


@st.composite
def alike(draw) -> list:
    """Offers of which many differ in nothing but the node; some nodes have two."""
    offers = []
    for number in range(draw(st.integers(1, 8))):
        cut = draw(st.sampled_from([None, None, None, 12]))
        windows = [(0, HORIZON)] if cut is None else [(0, cut), (cut, HORIZON)]
        free = (
            draw(st.sampled_from([[(0, HORIZON)], [(0, HORIZON)], [(0, 10), (20, HORIZON)]])) if cut is None else None
        )
        for place, window in enumerate(windows):
            offers.append(
                book_offer(
                    10 * number + place,
                    node_uuid=uid(1000 + number),
                    free=free or [window],
                    reserve=draw(st.sampled_from([1, 1, 1, 2])),
                    turnaround=draw(st.sampled_from([0, 0, 1])) if cut is None else 1,
                )
            )
    return draw(st.permutations(offers))


def contents(lots: Lots) -> dict:
    """What lots hold, by seller, reserve and window: the offers, in order."""
    found = {}
    for lot in range(lots.used):
        uuids = [lots.offers[number].uuid for number in lots.members[lot]]
        assert lots.count[lot] == len(uuids)
        if uuids:
            key = (
                lots.sellers[lots.seller[lot]],
                *(int(column[lot]) for column in (lots.reserve, lots.begin, lots.end)),
            )
            assert key not in found
            found[key] = uuids
    return found


def anew(lots: Lots, gone=()) -> Lots:
    """Lots of the same offers with what is free of them now."""
    return Lots(
        replace(offer, free=lots.free(number)) for number, offer in enumerate(lots.offers) if number not in gone
    )


@given(alike(), st.data())
def test_what_is_taken_leaves_the_lots_that_the_rest_makes_and_comes_back_whole(offers, data):
    lots = Lots(offers)
    before, changes = contents(lots), []
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, HORIZON - 1))
        end = data.draw(st.integers(begin + 1, HORIZON))
        able = [
            number
            for number in range(len(offers))
            if any(span.begin <= begin and end <= span.end for span in lots.free(number))
        ]
        if able:
            taken = data.draw(st.lists(st.sampled_from(able), unique=True, min_size=1))
            changes.append(lots.take(taken, begin, end))
        assert contents(lots) == contents(anew(lots))
    for change in reversed(changes):
        lots.give_back(change)
    assert contents(lots) == before


@given(alike(), alike(), st.data())
def test_offers_come_and_go_one_by_one_as_if_they_had_been_there_from_the_start(first, more, data):
    lots, gone = Lots(first), set()
    later = [replace(offer, uuid=uid(int(offer.uuid[-4:], 16) + 500)) for offer in more]
    for offer in later:
        lots.add(offer)
    for number in data.draw(st.lists(st.integers(0, len(lots.offers) - 1), unique=True)):
        lots.discard(number)
        gone.add(number)
    assert contents(lots) == contents(anew(lots, gone))
    for number in set(range(len(lots.offers))) - gone:
        node = lots.offers[number].node_uuid
        expected = [n for n, offer in enumerate(lots.offers) if offer.node_uuid == node and n not in gone]
        assert sorted(lots.on_node(number)) == expected
