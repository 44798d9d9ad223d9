# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx offer``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from requests.adapters import BaseAdapter

from tests.builders import uid
from tests.functional.cli.conftest import PROVIDER_URL


def _stored(place, user: str = "owner-a") -> list[dict[str, Any]]:
    return place.provider.browser(user).get("/v1/offers").json["offers"]


def test_a_node_is_offered_as_it_is_written(place):
    ended = place.done(
        "owner-a",
        f"offer create --node n1 --name mine --reserve-price 1.5 --start {place.at(1)} --for 2d --min-duration 90m "
        "--lessee consumer-a -f json",
    )
    [row], [stored] = ended.json, _stored(place)
    assert (row["node"], row["result"], row["uuid"], row["problem"]) == ("n1", "offered", stored["uuid"], None)
    assert (stored["name"], stored["reserve_price"], stored["min_duration"]) == ("mine", "1.500000", 5400)
    assert stored["lessee_project_ids"] == ["p-consumer-a"]
    begin, end = (datetime.fromisoformat(stored[field]) for field in ("start_time", "end_time"))
    assert begin == place.clock.now() + timedelta(hours=1)
    assert end - begin == timedelta(days=2)


def test_what_became_of_each_of_many_nodes_is_said(place):
    place.offer("n1")
    ended = place.run("owner-a", "offer create --node n1 --node n2 --node n3 --reserve-price 2 -f json")
    assert ended.status == 9
    assert [(row["node"], row["result"]) for row in ended.json] == [
        ("n1", "not offered"),
        ("n2", "not offered"),
        ("n3", "offered"),
    ]
    assert "(flocx.offer.overlap)" in ended.json[0]["problem"]
    assert "(flocx.node.not_found)" in ended.json[1]["problem"]
    assert "2 of 3 nodes: not offered" in ended.err
    assert "n2: node_uuid: 'n2': the project owns no node" in ended.err
    assert {offer["node_name"] for offer in _stored(place)} == {"n1", "n3"}


def test_a_node_that_is_not_the_callers_is_not_offered(place):
    ended = place.run("owner-b", "offer create --node n1 --reserve-price 2")
    assert ended.status == 3
    assert "| n1   | not offered |" in ended.out
    assert "flocx.node.not_found" in ended.err
    assert _stored(place, "owner-b") == []


def test_all_idle_nodes_are_offered_and_no_others(place):
    place.offer("n1")
    ended = place.done("owner-a", "offer create --all-idle --reserve-price 2 -f value -c node")
    assert ended.out.split() == ["n3", "n4"]
    again = place.run("owner-a", "offer create --all-idle --reserve-price 2")
    assert again.status == 3
    assert "no node is idle" in again.err


def test_idle_nodes_are_chosen_by_their_class(place):
    ended = place.done("owner-a", "offer create --all-idle --resource-class gpu --reserve-price 2 -f value -c node")
    assert ended.out.split() == ["n4"]


class _FailingAfter(BaseAdapter):
    """A service that is there for so many offers, and then something happens."""

    def __init__(self, adapter: BaseAdapter, number: int, happens: type[BaseException]) -> None:
        super().__init__()
        self._adapter, self._left, self._happens = adapter, number, happens

    def send(self, request: Any, **options: Any) -> Any:
        """Carry a request, or let it happen."""
        if request.method == "POST":
            if not self._left:
                raise self._happens
            self._left -= 1
        return self._adapter.send(request, **options)

    def close(self) -> None:
        """Do nothing."""


def test_what_was_offered_before_an_interrupt_is_said(place, routes):
    routes[PROVIDER_URL] = _FailingAfter(place.provider.adapter, 1, KeyboardInterrupt)
    ended = place.run("owner-a", "offer create --all-idle --reserve-price 2 -f json")
    assert ended.status == 130
    assert [(row["node"], row["result"]) for row in ended.json] == [
        ("n1", "offered"),
        ("n3", "not known"),
        ("n4", "not tried"),
    ]


def test_a_provider_that_goes_away_is_not_asked_for_the_other_nodes(place, routes):
    import requests

    routes[PROVIDER_URL] = _FailingAfter(place.provider.adapter, 1, requests.ConnectionError)
    ended = place.run("owner-a", "offer create --all-idle --reserve-price 2 -f json")
    assert ended.status == 9
    assert [row["result"] for row in ended.json] == ["offered", "not known", "not tried"]
    assert ended.err.count("does not answer") == 1


def test_what_nobody_foresaw_leaves_nothing_unsaid(place, routes):
    routes[PROVIDER_URL] = _FailingAfter(place.provider.adapter, 1, RuntimeError)
    ended = place.run("owner-a", "offer create --node n1 --node n3 --reserve-price 2 -f json")
    assert ended.status == 9
    assert [row["result"] for row in ended.json] == ["offered", "not known"]


def test_a_wait_ends_when_the_market_knows_of_the_offers(place):
    place.done("owner-a", "offer create --node n1 --reserve-price 2")
    late = place.run("owner-a", "offer create --node n3 --reserve-price 2 --wait --timeout 0 -f json")
    assert late.status == 7
    assert (late.json[0]["result"], late.json[0]["publication"]) == ("offered", "pending")
    assert "n3: the market does not know of the offer yet" in late.err


def test_offers_on_the_market_are_listed_and_searched(place):
    place.offer("n1", reserve_price="1", name="slow")
    place.clock.advance(1)
    place.offer("n2", user="owner-b", reserve_price="3", name="fast")
    names = "offer list -f value -c name"
    assert place.done("consumer-a", names).out.split() == ["slow", "fast"]
    for choice, name in (
        ("--max-price 1", "slow"),
        ("--node n2", "fast"),
        (f"--node {uid(1002)}", "fast"),
        ("--owner owner-b", "fast"),
        ("--sort reserve_price:desc --limit 1", "fast"),
        (f"--available-from {place.at(1)} --available-until {place.at(2)} --name slow", "slow"),
    ):
        assert place.done("consumer-a", f"{names} {choice}").out.split() == [name], choice
    assert place.done("consumer-a", names, "--require", "cpus > 32").out.split() == ["fast"]
    assert "| Node | Resource Class |" in place.done("consumer-a", "offer list").out


def test_offers_are_listed_for_programs_as_the_service_tells_them(place):
    place.offer("n1")
    [told] = place.market.browser("consumer-a").get("/v1/offers").json["offers"]
    [shown] = place.done("consumer-a", "offer list --long -f json").json
    assert shown == told


def test_own_offers_show_how_far_the_market_knows_of_them(place):
    offer = place.offer("n1", name="mine")
    assert "| Publication |" in place.done("owner-a", "offer list --own").out
    [shown] = place.done("owner-a", "offer list --own --long -f json").json
    assert shown == place.provider.browser("owner-a").get(f"/v1/offers/{offer['uuid']}").json
    assert place.done("owner-a", "offer show mine --own -f value -c publication").out == "published\n"
    assert place.done("consumer-a", "offer list --own -f json").json == []


def test_an_offer_on_the_market_shows_its_free_windows(place):
    place.offer("n1", name="mine")
    assert " to " in place.done("consumer-a", "offer show mine -c free_windows").out
    assert place.run("consumer-a", "offer show mine --own").status == 3


def test_the_price_and_the_end_of_an_offer_are_changed(place):
    place.offer("n1", name="mine")
    place.done("owner-a", "offer set mine --reserve-price 9 --no-end")
    assert (_stored(place)[0]["reserve_price"], _stored(place)[0]["end_time"]) == ("9.000000", None)
    place.done("owner-a", "offer set mine --end +3d")
    assert _stored(place)[0]["end_time"] is not None
    nothing = place.run("owner-a", "offer set mine")
    assert nothing.status == 2
    assert "nothing is to be changed" in nothing.err


def test_offers_are_withdrawn(place):
    place.offer("n1", name="a")
    place.offer("n3", name="b")
    place.done("owner-a", "offer delete a b")
    assert [offer["status"] for offer in _stored(place)] == ["withdrawn", "withdrawn"]


def test_a_reader_may_not_offer(place):
    ended = place.run("owner-a-reader", "offer create --node n1 --reserve-price 2")
    assert ended.status == 4
    assert "flocx.auth.forbidden" in ended.err


def test_only_one_offer_can_have_the_name(place):
    assert place.run("owner-a", "offer create --node n1 --node n3 --name x --reserve-price 2").status == 2
    assert place.run("owner-a", "offer create --all-idle --name x --reserve-price 2").status == 2
