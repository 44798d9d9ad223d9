# SPDX-License-Identifier: Apache-2.0
"""What flocx-market-clear decides: what the service would decide, and only what the rules of the market allow."""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.money import from_micros, price_text
from flocx_market.domain.book import FOREVER
from flocx_market.domain.ranking import price_time, value
from flocx_market.domain.requirements import parse_requirements
from tests.builders import NOW, at
from tests.functional.market.offline_books import Books, time
from tests.unit.market import reference
from tests.unit.market.markets import books as small_books

RANKINGS = {"value": value, "price_time": price_time}
PRICINGS = ("critical", "reserve", "limit", "k_double")


def nameless(entity):
    """An entity without the names of projects, which a book has none of."""
    if isinstance(entity, list):
        return [nameless(item) for item in entity]
    if isinstance(entity, dict):
        return {key: nameless(item) for key, item in entity.items() if not key.endswith("_project_name")}
    return entity


class TestTheSameAsTheService:
    """Books as the API shows them, cleared by the command and by a round."""

    @pytest.fixture
    def fill(self, trade):
        """Return what fills the market with offers and bids of every kind."""

        def fill(seed):
            draw = random.Random(seed)
            for number in range(1, 13):
                trade.offer(
                    number,
                    owner_project_id=draw.choice(["owner-a", "owner-b"]),
                    properties={"cpus": draw.choice([16, 32, 64]), "rack": draw.choice("ab")},
                    start_time=time(draw.randrange(4)),
                    end_time=draw.choice([None, time(24), time(100)]),
                    reserve_price=f"{draw.randrange(1, 30) / 10}",
                    min_duration=draw.choice([0, 7200]),
                    lessee_project_ids=draw.choice([None, None, None, ["consumer-b"]]),
                )
            self.bid_more(trade, draw)

        return fill

    def bid_more(self, trade, draw, earliest=0):
        for _ in range(10):
            begin = earliest + draw.randrange(6)
            length = draw.randrange(1, 8)
            trade.bid(
                draw.choice(["consumer-a", "consumer-b"]),
                quantity=draw.choice([1, 1, 2, 3]),
                start_time=time(begin),
                end_time=time(begin + length * draw.choice([1, 3])),
                duration=draw.choice([None, length * 3600]),
                limit_price=f"{draw.randrange(1, 40) / 10}",
                requirements=draw.choice([[], [["cpus", ">=", 32]], [["rack", "eq", "a"]], [["cpus", ">", 64]]]),
                spread=draw.choice([None, None, {"by": "rack", "max": 1}]),
                together=draw.choice([None, None, {"by": "offer.owner_project_id"}]),
            )

    def book_of(self, market, directory):
        """The books, as an administrator gets them from the API."""
        directory.mkdir()
        show = market.browser("admin").get
        offers = show("/v1/offers?limit=1000").json["offers"]
        bids = show("/v1/bids?limit=1000&sort=uuid").json["bids"]
        return Books(directory).write(offers, bids)

    def round_of(self, market):
        """The contracts that a round of the service makes, by uuid."""
        show = market.browser("admin").get
        before = {one["uuid"] for one in show("/v1/contracts?limit=1000").json["contracts"]}
        market.round()
        made = show("/v1/contracts?limit=1000&sort=uuid").json["contracts"]
        return [one for one in made if one["uuid"] not in before]

    @pytest.mark.parametrize("seed", range(4))
    def test_a_round_and_the_next_one_make_the_contracts_of_the_command(self, trade, fill, tmp_path, seed):
        fill(seed)
        self.decided_alike(trade.market, tmp_path / "first")
        # Soon enough that nothing of the first round is given up as undelivered.
        trade.market.clock.advance(60)
        self.bid_more(trade, random.Random(seed + 100), earliest=1)
        self.decided_alike(trade.market, tmp_path / "second")

    def decided_alike(self, market, directory):
        books = self.book_of(market, directory)
        contracts = books.clear("--now", market.clock.now().isoformat()).contracts
        assert contracts
        assert nameless(self.round_of(market)) == nameless(sorted(contracts, key=lambda one: one["uuid"]))

    def test_bids_left_open_are_explained_as_by_the_service(self, trade, fill, tmp_path):
        fill(1)
        books = self.book_of(trade.market, tmp_path / "books")
        explained = books.clear().explanations
        assert explained
        for one in explained:
            assert trade.market.browser("admin").get(f"/v1/bids/{one['bid_uuid']}/explanation").json == one


def hour(count):
    """An instant of a small market, in which time is counted in hours."""
    return None if count >= FOREVER else time(count)


def offer_json(offer):
    """An offer of a small market in the API's JSON."""
    return {
        "uuid": offer.uuid,
        "provider_uuid": offer.provider_uuid,
        "owner_project_id": offer.owner_project_id,
        "node_uuid": offer.node_uuid,
        "node_name": offer.node_name,
        "resource_class": offer.resource_class,
        "properties": offer.hardware.document,
        "start_time": hour(offer.window.begin),
        "end_time": hour(offer.window.end),
        "reserve_price": price_text(from_micros(offer.reserve)),
        "min_duration": offer.min_duration * 3600,
        "lessee_project_ids": None if offer.lessees is None else sorted(offer.lessees),
        "free_windows": [{"start_time": hour(span.begin), "end_time": hour(span.end)} for span in offer.free],
    }


def bid_json(bid):
    """A bid of a small market in the API's JSON."""
    return {
        "uuid": bid.uuid,
        "project_id": bid.project_id,
        "requirements": [list(requirement.triple) for requirement in bid.requirements],
        "quantity": bid.quantity,
        "start_time": hour(bid.begin),
        "end_time": hour(bid.end),
        "duration": None if bid.duration is None else bid.duration * 3600,
        "limit_price": price_text(from_micros(bid.limit)),
        "spread": None if bid.spread is None else {"by": bid.spread.by.text, "max": bid.spread.most},
        "together": None if bid.together is None else {"by": bid.together.text},
        "offer_uuids": None if bid.offer_uuids is None else sorted(bid.offer_uuids),
        "created_at": hour(bid.placed),
    }


@st.composite
def markets(draw):
    """A small market whose nodes need no time between contracts, which books say nothing of."""
    bids, offers = draw(small_books())
    return bids, [replace(offer, turnaround=0) for offer in offers]


def cleared(bids, offers, *options):
    """Run the command on a small market; return (contracts, explanations, summary)."""
    with tempfile.TemporaryDirectory() as directory:
        outcome = (
            Books(Path(directory)).write(map(offer_json, offers), map(bid_json, bids)).clear("-f", "json", *options)
        )
        assert outcome.status == 0, outcome.errors
        return outcome.contracts, outcome.explanations, outcome.summary


@given(market=markets(), ranking=st.sampled_from(sorted(RANKINGS)))
def test_contracts_are_those_of_the_rule_said_plainly(market, ranking):
    bids, offers = market
    contracts, explanations, _ = cleared(bids, offers, "--ranking", ranking)
    expected, _, _ = reference.clear(bids, offers, 0, RANKINGS[ranking])
    assert {
        one["bid_uuid"]: (one["start_time"], one["end_time"], [a["offer_uuid"] for a in one["allocations"]])
        for one in contracts
    } == {uuid: (time(start), time(end), chosen) for uuid, (start, end, chosen) in expected.items()}
    assert {one["bid_uuid"] for one in explanations} == {bid.uuid for bid in bids} - set(expected)


def instants(entity):
    end = entity["end_time"]
    return datetime.fromisoformat(entity["start_time"]), at(10**5) if end is None else datetime.fromisoformat(end)


def inside(inner, outer):
    return outer[0] <= inner[0] and inner[1] <= outer[1]


@given(market=markets(), ranking=st.sampled_from(sorted(RANKINGS)), pricing=st.sampled_from(PRICINGS))
def test_no_contract_breaks_a_rule(market, ranking, pricing):
    """The rules one by one, on nothing but what went in and what came out."""
    bids, offers = ({one["uuid"]: one for one in map(shown, market[side])} for side, shown in enumerate(_SHOWN))
    contracts, explanations, summary = cleared(*market, "--ranking", ranking, "--pricing", pricing)
    for contract in contracts:
        bid, window = bids[contract["bid_uuid"]], instants(contract)
        allocations = contract["allocations"]
        assert contract["lessee_project_id"] == bid["project_id"]
        assert len({one["node_uuid"] for one in allocations}) == bid["quantity"] == contract["quantity"]
        assert inside(window, (max(NOW, instants(bid)[0]), instants(bid)[1]))
        length = (window[1] - window[0]).total_seconds()
        assert length == bid["duration"] or (bid["duration"] is None and window[1] == instants(bid)[1])
        for one in allocations:
            offer = offers[one["offer_uuid"]]
            assert one["node_uuid"] == offer["node_uuid"]
            assert instants(one) == window
            assert any(inside(window, instants(free)) for free in offer["free_windows"])
            assert length >= offer["min_duration"]
            assert bid["project_id"] != offer["owner_project_id"]
            assert offer["lessee_project_ids"] is None or bid["project_id"] in offer["lessee_project_ids"]
            assert bid["offer_uuids"] is None or offer["uuid"] in bid["offer_uuids"]
            assert all(r.holds(offer["properties"]) for r in parse_requirements(bid["requirements"]))
            price = Decimal(one["clearing_price"])
            assert Decimal(offer["reserve_price"]) <= price <= Decimal(bid["limit_price"])
            assert Decimal(one["amount"]) == price * int(length) / 3600
        assert Decimal(contract["amount"]) == sum(Decimal(one["amount"]) for one in allocations)
    sold = [one for contract in contracts for one in contract["allocations"]]
    for one, other in combinations(sold, 2):
        (begin, end), (other_begin, other_end) = instants(one), instants(other)
        assert one["node_uuid"] != other["node_uuid"] or end <= other_begin or other_end <= begin
    answered = [contract["bid_uuid"] for contract in contracts] + [one["bid_uuid"] for one in explanations]
    assert sorted(answered) == sorted(bids)
    assert summary["amount"] == price_text(sum((Decimal(one["amount"]) for one in contracts), Decimal(0)))


_SHOWN = (bid_json, offer_json)


@given(market=markets(), data=st.data())
def test_the_order_of_the_lines_never_matters(market, data):
    bids, offers = market
    shuffled = data.draw(st.permutations(bids)), data.draw(st.permutations(offers))
    one, other = cleared(bids, offers), cleared(*shuffled)
    assert json.dumps(one[:2]) == json.dumps(other[:2])
