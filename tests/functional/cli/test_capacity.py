# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx capacity show`` and ``openstack flocx node earnings``."""

from __future__ import annotations

import re

import pytest

from tests.builders import HOUR, uid


@pytest.fixture
def stocked(place):
    """n1 at 1 and n4 of class gpu at 3 of owner-a, n2 at 2 of owner-b."""
    place.offer("n1", reserve_price="1")
    place.offer("n4", reserve_price="3")
    place.offer("n2", "owner-b", reserve_price="2")
    return place


def test_people_see_both_ladders_and_the_price(stocked):
    told = stocked.done("consumer-a", "capacity show --quantity 2 --duration 10h --for 12h --utc").out
    rows = re.sub(r" +", " ", told)
    assert "| Nodes | 3 |" in rows
    assert "| Indicative Price | 2.00 credits/h |" in rows
    assert "| Indicative Amount | 40.00 credits |" in rows
    assert "| By Price | 1.00 credits/h: 1 node |\n| | 2.00 credits/h: 2 nodes |\n| | 3.00 credits/h: 3 nodes |" in rows
    assert re.search(r"\| By Start \| \S+Z: 3 nodes, 2 at 2.00 credits/h \|", rows)
    assert "Cut" not in told


def test_programs_get_the_fields_of_the_api(stocked):
    asked = stocked.done(
        "consumer-a",
        "capacity show --quantity 2 --duration 1h --for 10h --max-steps 2 -f json",
        *("--require", "cpus >= 32"),
    ).json
    assert asked["by_price"] == [{"price": "1.000000", "nodes": 1}, {"price": "3.000000", "nodes": 3}]
    assert (asked["by_price_cut"], asked["by_start_cut"]) == (True, False)
    assert asked["indicative_price"] == "2.000000"


def test_a_table_says_where_steps_are_left_out(stocked):
    told = stocked.done("consumer-a", "capacity show --for 10h --max-steps 2").out
    assert "(more between these)" in told
    assert "(more after these)" not in told


def test_what_is_wanted_is_said_as_for_a_bid(stocked):
    def nodes(*more):
        return stocked.done("consumer-a", "capacity show --for 10h -f json", *more).json["nodes"]

    offer = stocked.market.browser("admin").get(f"/v1/offers?node_uuid={uid(1002)}").json["offers"][0]["uuid"]
    assert nodes("--require", "cpus > 64") == 1
    assert nodes("--limit-price", "2") == 2
    assert nodes("--offer", offer) == 1
    assert nodes("--together-by", "offer.owner_project_id") == 2
    assert nodes("--spread-by", "offer.owner_project_id", "--spread-max", "1") == 2


def test_what_cannot_be_had_has_no_price(place):
    told = place.done("consumer-a", "capacity show --for 10h -f json").json
    assert (told["nodes"], told["indicative_price"], told["by_price"]) == (0, None, [])
    assert place.done("consumer-a", "capacity show --for 10h").status == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--quantity 0", "a whole number from 1 on is expected"),
        ("--spread-by rack", "--spread-by and --spread-max are expected together"),
        ("--max-steps 1 --for 1h", "max_steps"),
    ],
)
def test_a_question_that_is_wrong_is_refused(place, words, told):
    ended = place.run("consumer-a", f"capacity show {words}")
    assert ended.status == 2
    assert told in ended.err


def test_an_owner_is_told_what_a_node_would_have_earned(stocked, clock):
    stocked.bid(start_time=stocked.at(0), end_time=stocked.at(10), limit_price="9", quantity=2)
    stocked.market.round()
    clock.advance(4 * HOUR)
    rows = stocked.done("owner-a", "node earnings n1 --days 2 -f json").json
    assert rows == [
        {"price": "1.000000", "seconds": 4 * HOUR, "contracts": 1, "amount": "4.000000"},
        {"price": "2.000000", "seconds": 4 * HOUR, "contracts": 1, "amount": "8.000000"},
    ]
    table = re.sub(r" +", " ", stocked.done("owner-a", "node earnings n1").out)
    assert "| 2.00 credits/h | 4h | 1 | 8.00 credits |" in table


def test_a_node_of_somebody_else_has_no_earnings_to_tell(stocked):
    ended = stocked.run("owner-a", "node earnings n2")
    assert ended.status == 3
    assert "n2" in ended.err
