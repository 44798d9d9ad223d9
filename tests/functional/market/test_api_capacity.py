# SPDX-License-Identifier: Apache-2.0
"""What could be had at which price, and what a node would have earned; and that neither tells of bids."""

from __future__ import annotations

import pytest

from flocx_market.domain.bid import to_book
from flocx_market.ports.store import Viewer
from flocx_market.services.capacity import ask_capacity, ask_earnings
from tests.builders import HOUR, NOW, at, market_bid, uid
from tests.functional.market.conftest import Trade
from tests.harness import MarketHarness

NEWEST = {"OpenStack-API-Version": "baremetal-market 1.1"}


def z(hours):
    return at(hours).isoformat().replace("+00:00", "Z")


def ask(trade: Trade, user: str = "consumer-a", status=None, **body):
    window = {"start_time": NOW.isoformat(), "end_time": at(10).isoformat()}
    return trade.market.browser(user)("POST", "/v1/capacity", window | body, status=status, headers=NEWEST)


def earnings(trade: Trade, user: str = "owner-a", status=None, **asked):
    body = {"earnings": {"node": uid(1001), "days": 2} | asked}
    told = trade.market.browser(user)("POST", "/v1/capacity", body, status=status, headers=NEWEST).json
    return told["earnings"] if status is None else told["errors"][0]


@pytest.fixture
def stocked(trade):
    """Five nodes: two at 1, one at 2 from hour 4 on, one at 3 for consumer-b alone, one with more cores at 4."""
    trade.offer(1, reserve_price="1")
    trade.offer(2, reserve_price="1")
    trade.offer(3, reserve_price="2", start_time=at(4).isoformat())
    trade.offer(4, reserve_price="3", lessee_project_ids=["p-consumer-b"])
    trade.offer(5, reserve_price="4", properties={"cpus": 64})
    return trade


class TestCapacity:
    def test_the_ladders_and_the_price_of_a_quantity_are_told(self, stocked):
        assert ask(stocked, quantity=3, duration=3600).json == {
            "quantity": 3,
            "start_time": z(0),
            "end_time": z(10),
            "duration": 3600,
            "nodes": 4,
            "indicative_price": "2.000000",
            "indicative_amount": "6.000000",
            "indicative_start_time": z(4),
            "by_price": [
                {"price": "1.000000", "nodes": 2},
                {"price": "2.000000", "nodes": 3},
                {"price": "4.000000", "nodes": 4},
            ],
            "by_price_cut": False,
            "by_start": [
                {"start_time": z(0), "nodes": 3, "price": "4.000000"},
                {"start_time": z(4), "nodes": 4, "price": "2.000000"},
            ],
            "by_start_cut": False,
            "earnings": None,
        }

    def test_an_empty_question_has_the_defaults_of_a_bid(self, stocked):
        told = stocked.market.browser("consumer-a")("POST", "/v1/capacity", {}, headers=NEWEST).json
        assert (told["quantity"], told["start_time"], told["duration"]) == (1, z(0), None)
        assert told["end_time"] > told["start_time"]

    def test_what_cannot_be_had_is_told_as_well(self, trade):
        told = ask(trade, quantity=2).json
        assert (told["nodes"], told["by_price"], told["by_start"]) == (0, [], [])
        assert told["indicative_price"] is told["indicative_amount"] is told["indicative_start_time"] is None

    def test_the_limit_leaves_out_what_is_dearer(self, stocked):
        told = ask(stocked, limit_price="1.5").json
        assert told["by_price"] == [{"price": "1.000000", "nodes": 2}]

    def test_requirements_named_offers_and_the_rules_about_racks_are_those_of_a_bid(self, stocked):
        assert ask(stocked, requirements=[["cpus", ">", 32]]).json["by_price"] == [{"price": "4.000000", "nodes": 1}]
        assert ask(stocked, offer_uuids=[uid(1), uid(5)]).json["nodes"] == 2
        assert ask(stocked, spread={"by": "cpus", "max": 1}).json["nodes"] == 2
        assert ask(stocked, together={"by": "cpus"}).json["nodes"] == 2

    def test_offers_for_others_and_ones_own_are_not_counted(self, stocked):
        assert [ask(stocked, user).json["nodes"] for user in ("consumer-a", "consumer-b", "owner-b")] == [3, 4, 3]
        stocked.offer(6, owner_project_id="p-consumer-a")
        assert [ask(stocked, user).json["nodes"] for user in ("consumer-a", "consumer-b")] == [3, 5]

    def test_what_contracts_hold_is_not_free(self, stocked):
        stocked.contract("consumer-b", quantity=2, limit_price="1")
        assert ask(stocked).json["by_price"] == [{"price": "4.000000", "nodes": 1}]

    def test_a_ladder_is_as_long_as_it_is_asked_to_be(self, stocked):
        told = ask(stocked, duration=3600, max_steps=2).json
        assert [step["price"] for step in told["by_price"]] == ["1.000000", "4.000000"]
        assert told["by_price_cut"]
        assert not told["by_start_cut"]

    @pytest.mark.parametrize(
        ("change", "field", "problem"),
        [
            ({"name": "x"}, "name", "unknown or read-only"),
            ({"uuid": uid(1)}, "uuid", "unknown or read-only"),
            ({"quantity": 0}, "quantity", "at least 1"),
            ({"quantity": 2000}, "quantity", "at most 1000"),
            ({"limit_price": "-1"}, "limit_price", "price"),
            ({"limit_price": None}, "limit_price", "price"),
            ({"duration": 10**6}, "duration", "do not fit"),
            ({"end_time": "2027-01-01T12:00:30Z"}, "end_time", "shortest"),
            ({"end_time": "soon"}, "end_time", "ISO 8601"),
            ({"requirements": [["cpu[", "==", 1]]}, "requirements[0].expression", "ends too early"),
            ({"spread": {"by": "cpu[", "max": 1}}, "spread.by", "ends too early"),
            ({"offer_uuids": ["x"]}, "offer_uuids[0]", "UUID"),
            ({"max_steps": 1}, "max_steps", "at least 2"),
            ({"max_steps": 1001}, "max_steps", "at most 1000"),
            ({"earnings": {}}, "earnings.node", "required"),
            ({"earnings": {"node": ""}}, "earnings.node", "at least 1"),
            ({"earnings": {"node": "n1", "days": 0}}, "earnings.days", "at least 1"),
            ({"earnings": {"node": "n1", "days": 400}}, "earnings.days", "at most 366"),
            ({"earnings": None}, "earnings", "object"),
        ],
    )
    def test_what_is_wrong_with_a_question_is_named(self, stocked, change, field, problem):
        refused = ask(stocked, status=400, **change).json["errors"]
        told = next(one for one in refused if one.get("field") == field)
        assert problem in told["detail"]


class WithoutBids:
    """A market's storage, of which nothing that needs a bid can be had."""

    def __init__(self, store):
        self._store = store

    def read(self, work):
        """Run work that has no bids to look at."""
        return self._store.read(lambda uow: work(BlindUnitOfWork(uow)))


class BlindUnitOfWork:
    """Everything of a unit of work but bids."""

    def __init__(self, uow):
        self.offers, self.contracts, self.providers = uow.offers, uow.contracts, uow.providers


class TestSealed:
    def test_no_bid_is_read_for_an_answer(self, stocked):
        store, now = WithoutBids(stocked.market.store), stocked.market.clock.now()
        question = to_book(market_bid(quantity=2))
        found = ask_capacity(question, most_steps=9, store=store, settings=stocked.market.settings, now=now)
        assert (found.nodes, found.price) == (2, 10**6)
        told = ask_earnings("n1", 2, viewer=Viewer(), owns=lambda _: True, most_steps=9, store=store, now=now)
        assert told.offer.node_name == "n1"

    def test_no_open_bid_changes_an_answer_by_a_byte(self, stocked):
        def answers():
            asked = [{}, {"quantity": 3, "duration": 3600}, {"limit_price": "1"}, {"earnings": {"node": "n1"}}]
            return [ask(stocked, user, **body).body for user in ("owner-a",) for body in asked] + [
                ask(stocked, user, **body).body for user in ("consumer-a", "consumer-b") for body in asked[:3]
            ]

        before = answers()
        placed = [
            stocked.bid(user, limit_price=price, quantity=quantity)["uuid"]
            for user in ("consumer-a", "consumer-b")
            for price, quantity in (("0.5", 1), ("1", 2), ("1000", 5), ("999999", 1))
        ]
        assert answers() == before
        browser = stocked.market.browser("consumer-b")
        browser("PATCH", f"/v1/bids/{placed[-1]}", {"limit_price": "7"})
        assert answers() == before
        browser("DELETE", f"/v1/bids/{placed[-1]}")
        assert answers() == before

    def test_no_limit_of_a_served_bid_changes_what_owners_are_told(self, tmp_path, sqlite_market, clock):
        told = []
        for limit in ("2", "5", "900"):
            market = MarketHarness(
                tmp_path, sqlite_market.renew(), sqlite_market.url, clock, clearing={"pricing": "limit"}
            )
            trade = Trade(market)
            trade.register()
            trade.offer(1, reserve_price="1", owner_project_id="p-owner-a")
            trade.offer(2, reserve_price="2", owner_project_id="p-owner-b", lessee_project_ids=None)
            trade.contract(quantity=2, limit_price=limit)
            clock.advance(5 * HOUR)
            told.append(earnings(trade))
            clock.advance(-5 * HOUR)
        assert told[0]["by_price"]
        assert told[0] == told[1] == told[2]


@pytest.fixture
def sold(trade, clock):
    """n1 of owner-a at 1, n2 and n3 of owner-b at 1.5 and 2, sold for the first hours; it is hour 6."""
    trade.offer(1, reserve_price="1", owner_project_id="p-owner-a")
    trade.offer(2, reserve_price="1.5", owner_project_id="p-owner-b")
    trade.offer(3, reserve_price="2", owner_project_id="p-owner-b")
    trade.contract(start_time=z(0), end_time=z(4), offer_uuids=[uid(2)])
    trade.contract(start_time=z(4), end_time=z(10), offer_uuids=[uid(3)])
    trade.contract("consumer-b", start_time=z(1), end_time=z(3), offer_uuids=[uid(3)])
    clock.advance(6 * HOUR)
    return trade


def steps(told):
    return [(step["price"], step["seconds"] / HOUR, step["amount"]) for step in told["by_price"]]


class TestEarnings:
    def test_hours_sold_of_nodes_like_it_are_told_by_what_their_owners_ask(self, sold):
        assert earnings(sold) == {
            "node_uuid": uid(1001),
            "node_name": "n1",
            "resource_class": "baremetal",
            "start_time": z(6 - 48),
            "end_time": z(6),
            "by_price": [
                {"price": "1.500000", "seconds": 6 * HOUR, "contracts": 2, "amount": "9.000000"},
                {"price": "2.000000", "seconds": 4 * HOUR, "contracts": 2, "amount": "8.000000"},
            ],
            "by_price_cut": False,
        }

    def test_the_node_needs_its_turnaround_between_two_contracts(self, sold):
        sold.market.browser("provider-1")("PATCH", f"/v1/providers/{uid(9001)}", {"turnaround": HOUR})
        assert steps(earnings(sold)) == [("1.500000", 4.0, "6.000000"), ("2.000000", 4.0, "8.000000")]

    def test_a_sale_whose_owner_asks_more_now_than_was_paid_is_left_out(self, sold):
        sold.offer(3, reserve_price="2.5", owner_project_id="p-owner-b")
        assert steps(earnings(sold)) == [("1.500000", 4.0, "6.000000")]

    def test_other_hardware_and_offers_that_the_owner_may_not_see_are_left_out(self, trade, clock):
        trade.offer(1, owner_project_id="p-owner-a")
        for number, more in ((2, {}), (3, {"resource_class": "gpu"}), (4, {"lessee_project_ids": ["p-consumer-b"]})):
            trade.offer(number, reserve_price=f"{number}", owner_project_id="p-owner-b", **more)
            trade.contract("consumer-b", limit_price="9", offer_uuids=[uid(number)])
        clock.advance(HOUR)
        assert steps(earnings(trade)) == [("2.000000", 1.0, "2.000000")]

    def test_nodes_without_a_class_are_like_those_of_the_same_hardware(self, trade, clock):
        for number, cpus in ((1, 8), (2, 8), (3, 16)):
            trade.offer(
                number,
                resource_class=None,
                reserve_price="1",
                properties={"cpus": cpus},
                owner_project_id="p-owner-a" if number == 1 else "p-owner-b",
            )
            trade.contract(offer_uuids=[uid(number)], end_time=z(number))
        clock.advance(6 * HOUR)
        assert steps(earnings(trade)) == [("1.000000", 2.0, "2.000000")]

    def test_what_the_owner_itself_leased_is_left_out(self, trade, clock):
        trade.offer(1, owner_project_id="p-owner-a")
        trade.offer(2, owner_project_id="p-owner-b")
        trade.contract("owner-a", offer_uuids=[uid(2)])
        clock.advance(HOUR)
        assert earnings(trade)["by_price"] == []

    def test_a_contract_that_was_called_off_was_no_sale(self, trade, clock):
        trade.offer(1, owner_project_id="p-owner-a")
        made = trade.contract(start_time=z(1))
        trade.market.browser("consumer-a")("POST", f"/v1/contracts/{made['uuid']}/cancel")
        clock.advance(3 * HOUR)
        assert earnings(trade)["by_price"] == []

    def test_a_name_that_several_of_ones_nodes_have_is_refused(self, sold):
        sold.offer(7, owner_project_id="p-owner-a", node_name="n1")
        told = earnings(sold, status=400, node="n1")
        assert (told["field"], "several nodes are called 'n1'" in told["detail"]) == ("earnings.node", True)
        assert earnings(sold)["node_name"] == "n1"

    @pytest.mark.parametrize("node", ["n2", uid(1002), "nothing", uid(1077), "n1 "])
    def test_a_node_that_is_not_ones_own_is_not_found(self, sold, node):
        told = earnings(sold, status=404, node=node)
        assert (told["code"], told["field"]) == ("flocx.node.not_found", "earnings.node")


def test_whole_numbers_may_be_written_with_a_point(stocked):
    browser = stocked.market.browser("consumer-a")
    told = [browser("POST", "/v1/capacity", {"max_steps": steps}, headers=NEWEST).json for steps in (2, 2.0)]
    assert told[0] == told[1]
