# SPDX-License-Identifier: Apache-2.0
"""Tiny random markets in which every rule of matching occurs."""

from __future__ import annotations

from hypothesis import strategies as st

from flocx_market.domain.book import FOREVER, BookBid, BookOffer, Span, Spread
from flocx_market.domain.expressions import compile_expression
from tests.builders import book_bid, book_offer, uid

HORIZON = 12
DOCUMENTS = [{"cpus": 16, "rack": "a"}, {"cpus": 32, "rack": "a"}, {"cpus": 32, "rack": "b"}, {"rack": None}]
REQUIREMENTS = [[["cpus", ">=", 32]], [["rack", "eq", "a"]], [["cpus", ">", 64]], [["rack", "!", None]]]
RULES = ["rack", "offer.provider_uuid", "offer.owner_project_id"]


@st.composite
def node_offers(draw, number: int) -> list[BookOffer]:
    """The offers of one node: one, or two that do not overlap."""
    turnaround = draw(st.sampled_from([0, 0, 1, 2]))
    cuts = sorted(draw(st.sets(st.integers(0, HORIZON), min_size=2, max_size=4)))
    windows = [(cuts[0], cuts[1])] if len(cuts) < 4 else [(cuts[0], cuts[1]), (cuts[2], cuts[3])]
    if draw(st.booleans()):
        windows[-1] = (windows[-1][0], FOREVER)
    common = {
        "node_uuid": uid(1000 + number),
        "document": draw(st.sampled_from(DOCUMENTS)),
        "owner_project_id": draw(st.sampled_from(["owner-a", "owner-b"])),
        "provider_uuid": uid(draw(st.integers(9001, 9002))),
        "turnaround": turnaround,
    }
    return [
        book_offer(
            10 * number + place,
            free=[window],
            reserve=draw(st.integers(0, 4)),
            min_duration=draw(st.sampled_from([0, 0, 3])),
            lessees=draw(st.sampled_from([None, None, frozenset({"consumer-a"}), frozenset({"owner-b"})])),
            **common,
        )
        for place, window in enumerate(windows)
    ]


@st.composite
def bids(draw, number: int) -> BookBid:
    """One bid with any of the rules."""
    begin = draw(st.integers(-3, HORIZON - 2))
    end = begin + draw(st.integers(1, HORIZON))
    duration = draw(st.one_of(st.none(), st.integers(1, end - begin)))
    rule = draw(st.sampled_from(RULES))
    return book_bid(
        number,
        project_id=draw(st.sampled_from(["consumer-a", "consumer-b", "owner-b"])),
        requirements=draw(st.sampled_from([[], [], [], *REQUIREMENTS])),
        quantity=draw(st.integers(1, 3)),
        begin=begin,
        end=end,
        duration=duration,
        limit=draw(st.integers(0, 6)),
        spread=draw(st.sampled_from([None, None, Spread(compile_expression(rule), 1)])),
        together=draw(st.sampled_from([None, None, compile_expression(rule)])),
        offer_uuids=draw(st.sampled_from([None, None, None, frozenset({uid(0), uid(10), uid(20)})])),
        placed=draw(st.integers(0, 3)),
    )


@st.composite
def books(draw, most_bids: int = 4, most_nodes: int = 4) -> tuple[list[BookBid], list[BookOffer]]:
    """Bids and offers."""
    nodes = draw(st.integers(1, most_nodes))
    offers = [offer for number in range(nodes) for offer in draw(node_offers(number))]
    asked = [draw(bids(number)) for number in range(draw(st.integers(1, most_bids)))]
    return asked, offers


def free_after(stock, offers) -> dict[str, tuple[Span, ...]]:
    """The free windows left, by offer, in order of time."""
    free = {offer.uuid: stock.lots.free(stock.lots.number(offer.uuid)) for offer in offers}
    return {uuid: tuple(sorted(spans, key=lambda span: span.begin)) for uuid, spans in free.items()}
