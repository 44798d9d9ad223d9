# SPDX-License-Identifier: Apache-2.0
"""The standing book against a clear of everything in every round."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_market.domain import greedy
from flocx_market.domain.book import FOREVER, Book, Span
from flocx_market.domain.critical import critical
from flocx_market.domain.explanation import explain
from flocx_market.domain.pricing import PricingOptions, Sales
from flocx_market.domain.ranking import price_time, value
from flocx_market.domain.standing import StandingBook
from flocx_market.domain.stock import Stock
from flocx_market.domain.supply import without
from tests.builders import HOUR, book_bid, book_offer, uid
from tests.unit.market.markets import bids, node_offers


def outcome(awards):
    return [(a.bid, a.contract, [offer.uuid for offer in a.offers]) for a in awards]


def prices(book, cleared, now, ranking):
    return critical(Sales(book=book, cleared=cleared, now=now, ranking=ranking), PricingOptions())


def held(book, now=0, ranking=value):
    return book.hold(now, ranking)[1].awards


class Model:
    """What is open and what is free, kept in the plainest way."""

    def __init__(self, shortest):
        self.offers, self.bids, self.shortest, self.now = {}, {}, shortest, 0

    def as_of(self, now):
        """The offers with their free windows as the market counts them: none of it before now."""
        return [
            replace(
                offer,
                free=tuple(Span(max(span.begin, now), span.end) for span in offer.free if span.end > now),
            )
            for offer in self.offers.values()
        ]

    def clear(self, ranking):
        book = Book(bids=list(self.bids.values()), offers=self.as_of(self.now), shortest=self.shortest)
        cleared = greedy.clear(book, self.now, ranking)
        for award in cleared.awards:
            del self.bids[award.bid.uuid]
            for sold in award.offers:
                blocked = Span(award.contract.begin - sold.turnaround, award.contract.end + sold.turnaround)
                for offer in list(self.offers.values()):
                    if offer.node_uuid == sold.node_uuid:
                        left = tuple(piece for span in offer.free for piece in without(span, blocked))
                        self.offers[offer.uuid] = replace(offer, free=left)
        return book, cleared


CHANGES = [
    "bid",
    "bid",
    "bid",
    "offer",
    "offer",
    "drop bid",
    "drop offer",
    "free again",
    "raise",
    "time",
    "round",
    "round",
]


@pytest.mark.parametrize("ranking", [value, price_time])
@settings(max_examples=150)
@given(data=st.data(), shortest=st.integers(0, 2))
def test_every_round_gives_the_contracts_of_a_full_clear_of_what_is_open(ranking, data, shortest):
    model = Model(shortest)
    book = StandingBook([], [], shortest=shortest)
    for step, change in enumerate(data.draw(st.lists(st.sampled_from(CHANGES), min_size=4, max_size=24))):
        known = sorted(model.offers)
        match change:
            case "bid":
                bid = data.draw(bids(step))
                model.bids[bid.uuid] = bid
                book.put_bid(bid)
            case "offer":
                for offer in data.draw(node_offers(step)):
                    model.offers[offer.uuid] = offer
                    book.put_offer(offer)
            case "drop bid" if model.bids:
                uuid = data.draw(st.sampled_from(sorted(model.bids)))
                del model.bids[uuid]
                book.drop_bid(uuid)
            case "drop offer" if known:
                uuid = data.draw(st.sampled_from(known))
                del model.offers[uuid]
                book.drop_offer(uuid)
            case "free again" if known:
                # A contract of the node was called off: all of the offer is free, or another part of it.
                offer = model.offers[data.draw(st.sampled_from(known))]
                cut = data.draw(st.integers(0, 6))
                window = Span(max(offer.window.begin, cut), offer.window.end)
                again = replace(offer, free=(window,) if window.begin < window.end else ())
                model.offers[offer.uuid] = again
                book.put_offer(again)
            case "raise" if model.bids:
                uuid = data.draw(st.sampled_from(sorted(model.bids)))
                raised = replace(model.bids[uuid], limit=model.bids[uuid].limit + 2)
                model.bids[uuid] = raised
                book.put_bid(raised)
            case "time":
                model.now += data.draw(st.integers(1, 3))
            case "round":
                full, expected = model.clear(ranking)
                asked, cleared = book.hold(model.now, ranking)
                assert outcome(cleared.awards) == outcome(expected.awards)
                assert prices(asked, cleared, model.now, ranking) == prices(full, expected, model.now, ranking)
                assert {bid.uuid for bid in book.bids} == set(model.bids)
    book.hold(model.now, ranking)
    model.clear(ranking)
    # The standing stock explains what is open as a new one does.
    fresh = Stock(model.as_of(model.now))
    for bid in book.bids:
        assert explain(book.stock, bid, model.now, shortest=shortest) == explain(
            fresh, bid, model.now, shortest=shortest
        )
    # The audit: what is open against what is left makes no contract.
    audit = Book(bids=book.bids, offers=model.as_of(model.now), shortest=shortest)
    assert greedy.clear(audit, model.now, ranking).awards == ()


def test_only_bids_that_something_new_could_serve_are_looked_at_again():
    asked = [book_bid(n, requirements=[["cpus", "==", n]]) for n in range(30)]
    book = StandingBook([], asked)
    assert held(book) == ()
    before = book.placements
    book.put_offer(book_offer(1, document={"cpus": 7}))
    assert [award.bid.uuid for award in held(book)] == [uid(5007)]
    assert book.placements - before == 1


def test_a_round_without_changes_looks_at_nothing():
    book = StandingBook([book_offer(1)], [book_bid(n) for n in range(3)])
    assert len(held(book)) == 1
    before = book.placements
    assert held(book) == ()
    assert book.placements == before


def test_the_same_offer_told_twice_wakes_nobody():
    offer = book_offer(1, reserve=99)
    book = StandingBook([offer], [book_bid(1)])
    book.hold(0, value)
    before = book.placements
    book.put_offer(replace(offer))
    book.hold(0, value)
    assert book.placements == before


def test_a_bid_that_has_lost_once_is_served_by_the_next_offer():
    book = StandingBook([], [book_bid(1, limit=5), book_bid(2, limit=4)])
    for number, winner in ((1, 5001), (2, 5002)):
        book.put_offer(book_offer(number))
        assert [award.bid.uuid for award in held(book)] == [uid(winner)]


def test_time_alone_serves_a_bid_for_the_rest_of_its_window():
    book = StandingBook([book_offer(1, free=[(2 * HOUR, FOREVER)])], [book_bid(1)])
    assert held(book) == ()
    [award] = held(book, 2 * HOUR)
    assert award.contract == Span(2 * HOUR, 10 * HOUR)
