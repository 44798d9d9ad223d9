# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx bid``."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from requests.adapters import BaseAdapter

from tests.builders import uid
from tests.functional.cli.shell import Stream
from tests.harness import MARKET_URL


class _InterruptedBy(BaseAdapter):
    """Somebody who loses patience at requests with some word."""

    def __init__(self, word: str, adapter: BaseAdapter) -> None:
        super().__init__()
        self._word, self._adapter = word, adapter

    def send(self, request: Any, **options: Any) -> Any:
        """Carry a request, unless it has the word."""
        if self._word in f"{request.method} {request.url}":
            raise KeyboardInterrupt
        return self._adapter.send(request, **options)

    def close(self) -> None:
        """Do nothing."""


def _stored(place, **query: str) -> list[dict[str, Any]]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return place.market.browser("consumer-a").get(f"/v1/bids?{asked}").json["bids"]


def test_a_bid_is_placed_as_it_is_written(place):
    offer = place.offer(name="fast")
    ended = place.done(
        "consumer-a",
        "bid create --name web --quantity 2 --duration 2h --limit-price 2.50 --spread-by rack --spread-max 1 "
        f"--together-by site --offer fast --start {place.at(1)} --end {place.at(9)} -f json",
        "--require",
        "cpus >= 32",
        "--require",
        "not cpu_arch = aarch64",
    )
    [stored] = _stored(place)
    assert ended.json == stored
    assert (stored["name"], stored["quantity"], stored["duration"]) == ("web", 2, 7200)
    assert stored["limit_price"] == "2.500000"
    assert stored["requirements"] == [["cpus", ">=", 32], ["cpu_arch", "!eq", "aarch64"]]
    assert (stored["spread"], stored["together"]) == ({"by": "rack", "max": 1}, {"by": "site"})
    assert stored["offer_uuids"] == [offer["uuid"]]
    assert datetime.fromisoformat(stored["start_time"]) == place.clock.now() + timedelta(hours=1)
    assert datetime.fromisoformat(stored["end_time"]) == place.clock.now() + timedelta(hours=9)


def test_for_ends_the_window_so_long_after_its_start(place):
    place.done("consumer-a", f"bid create --limit-price 2 --start {place.at(5)} --for 3h")
    [stored] = _stored(place)
    assert stored["duration"] is None
    begin, end = (datetime.fromisoformat(stored[field]) for field in ("start_time", "end_time"))
    assert end - begin == timedelta(hours=3)


def test_times_without_an_offset_are_of_the_zone_of_the_caller_or_of_utc(place):
    times = ("--start", "2035-07-01 08:00", "--end", "2035-07-01 18:00")
    here = place.run("consumer-a", "bid create --limit-price 2 --dry-run", *times)
    there = place.run("consumer-a", "bid create --limit-price 2 --dry-run --utc", *times)
    # So far ahead that the market refuses, and says what it was asked.
    assert "2035-07-01T02:30" in here.err
    assert "2035-07-01T08:00" in there.err


def test_requirements_come_from_a_file_or_from_the_input_too(place, tmp_path):
    triples = [["cpus", ">=", 32], ["contains(keys(@), 'gpu')", None, None]]
    (tmp_path / "wanted.json").write_text(json.dumps(triples))
    create = "bid create --limit-price 2 -f json --requirements"
    assert place.done("consumer-a", create, str(tmp_path / "wanted.json")).json["requirements"] == triples
    given = place.done("consumer-a", f"{create} - --require gpu", given=json.dumps(triples))
    assert given.json["requirements"] == [*triples, ["gpu", None, None]]


def test_a_bid_is_shown_to_people_in_their_zone_with_units_and_as_they_write_it(place):
    place.bid(name="web", requirements=[["cpus", ">=", 32]], duration=5400)
    shown = place.done("consumer-a", "bid show web").out
    assert "| Limit Price   | 2.00 credits/h" in shown
    assert "| Requirements  | cpus >= 32" in shown
    assert "| Duration      | 1h30m" in shown
    assert "+05:30" in shown
    assert "+05:30" not in place.done("consumer-a", "bid show web --utc").out


def test_a_bid_is_shown_to_programs_as_the_service_tells_it(place):
    placed = place.bid(name="web")
    assert place.done("consumer-a", "bid show web -f json").json == placed
    assert place.done("consumer-a", f"bid show {placed['uuid']} -f json").json == placed
    assert place.done("consumer-a", "bid show web -f value -c limit_price").out == "2.000000\n"


def test_bids_are_listed_by_status_name_and_any_field(place):
    place.bid(name="web", limit_price="1")
    place.clock.advance(1)
    place.bid(name="db", limit_price="3")
    names = "bid list -f value -c name"
    assert place.done("consumer-a", names).out.split() == ["web", "db"]
    assert place.done("consumer-a", f"{names} --sort limit_price:desc").out.split() == ["db", "web"]
    assert place.done("consumer-a", f"{names} --filter limit_price=gt:2").out.split() == ["db"]
    assert place.done("consumer-a", f"{names} --name web --status open").out.split() == ["web"]
    assert place.done("consumer-a", f"{names} --status matched").out == ""


def test_a_name_that_several_bids_have_means_the_one_that_is_open(place):
    old = place.bid(name="web")
    place.market.browser("consumer-a")("DELETE", f"/v1/bids/{old['uuid']}")
    place.bid(name="web", limit_price="3")
    assert place.done("consumer-a", "bid show web -f value -c limit_price").out == "3.000000\n"
    place.bid(name="web")
    assert place.run("consumer-a", "bid show web").status == 3


def test_an_open_bid_is_explained_in_words_and_in_steps(place):
    place.offer()
    place.bid(name="big", requirements=[["cpus", ">=", 100]])
    shown = place.done("consumer-a", "bid explain big").out
    assert "fails `cpus >= 100` (largest: 32)" in shown
    assert "requirements[0]: 1 -> 0" in shown
    told = place.done("consumer-a", "bid explain big -f json").json
    assert set(told) == {"bid_uuid", "sentence", "steps", "nearest"}


def test_a_dry_run_explains_and_places_nothing(place):
    place.offer(reserve_price="2.2")
    ended = place.done("consumer-a", "bid create --limit-price 2 --for 3h --dry-run")
    assert "Limit Price: 2.20 credits/h" in ended.out
    assert _stored(place) == []


def test_the_name_the_price_and_the_end_of_a_bid_are_changed(place):
    placed = place.bid(name="web")
    ended = place.done("consumer-a", f"bid set web --name www --limit-price 4 --end {place.at(20)}")
    assert ended.out == ""
    [stored] = _stored(place)
    assert (stored["name"], stored["limit_price"]) == ("www", "4.000000")
    assert stored["end_time"] > placed["end_time"]
    place.done("consumer-a", "bid set www --no-name")
    assert _stored(place)[0]["name"] is None


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_bids_are_cancelled(place, verb):
    place.bid(name="a")
    place.bid(name="b")
    place.done("consumer-a", f"bid {verb} a b")
    assert [bid["status"] for bid in _stored(place)] == ["cancelled", "cancelled"]


def test_what_could_not_be_cancelled_is_said_and_the_others_are(place):
    place.bid(name="a")
    ended = place.run("consumer-a", "bid cancel nothing a")
    assert ended.status == 9
    assert "nothing: bids: there is none" in ended.err
    assert "1 of 2: not done" in ended.err
    assert _stored(place)[0]["status"] == "cancelled"


def test_what_was_not_tried_before_an_interrupt_is_said(place, routes):
    place.bid(name="a")
    routes[MARKET_URL] = _InterruptedBy("DELETE", place.market.adapter)
    ended = place.run("consumer-a", "bid cancel a b c")
    assert ended.status == 130
    assert ended.err == "Interrupted at a; 2 of 3 were not tried\n"


def test_a_matched_bid_is_not_cancelled(place):
    place.contract(name="web")
    ended = place.run("consumer-a", "bid cancel web")
    assert ended.status == 5
    assert "flocx.bid.matched" in ended.err


def _match_as_soon_as_there_is_a_bid(place) -> threading.Thread:
    def match() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not _stored(place):
            time.sleep(0.02)
        place.market.round()

    thread = threading.Thread(target=match)
    thread.start()
    return thread


def test_a_bid_waits_for_its_contract_and_tells_it(place):
    place.offer()
    matching = _match_as_soon_as_there_is_a_bid(place)
    ended = place.done("consumer-a", f"bid create --limit-price 2 --end {place.at(9)} --wait -f json")
    matching.join()
    [contract] = place.market.browser("consumer-a").get("/v1/contracts").json["contracts"]
    assert ended.json["status"] == "matched"
    assert ended.json["contract_uuid"] == contract["uuid"]
    assert ended.err == ""


def test_a_wait_is_seen_on_a_terminal_alone_and_leaves_no_trace(place):
    place.bid(name="web")
    assert place.run("consumer-a", "bid wait web --timeout 0").err.count("\r") == 0
    seen = place.run("consumer-a", "bid wait web --timeout 0", err=Stream(terminal=True)).err
    assert "\rbid web is open, waiting for 0s\r" in seen
    assert seen.index(" \r") < seen.index("is still open")


def test_a_bid_whose_wait_is_over_is_told_of_all_the_same(place):
    ended = place.run("consumer-a", f"bid create --limit-price 2 --end {place.at(9)} --wait --timeout 0 -f json")
    assert ended.status == 7
    [stored] = _stored(place)
    assert ended.json == {**stored, "contract_uuid": None}
    assert f"bid {stored['uuid']} is still open" in ended.err


def test_waiting_for_what_cannot_come_about_ends_at_once(place):
    bid = place.bid(name="web")
    place.market.browser("consumer-a")("DELETE", f"/v1/bids/{bid['uuid']}")
    ended = place.run("consumer-a", "bid wait web")
    assert ended.status == 8
    assert "is cancelled" in ended.err


def test_whoever_interrupts_a_wait_is_told_that_the_bid_stays_open(place, routes):
    routes[MARKET_URL] = _InterruptedBy("wait=", place.market.adapter)
    ended = place.run("consumer-a", f"bid create --limit-price 2 --end {place.at(9)} --wait")
    assert ended.status == 130
    assert f"Bid {_stored(place)[0]['uuid']} stays open" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--limit-price", "much"], "'much': a price such as 1.50 is expected"),
        (["--limit-price", "2", "--for", "soon"], "'soon' is no duration"),
        (["--limit-price", "2", "--start", "whenever"], "--start: 'whenever' is no time"),
        (["--limit-price", "2", "--start", "tomorrow", "--end", "today"], "--end: 'today' is not after the start"),
        (["--limit-price", "2", "--end", "tomorrow", "--for", "3h"], "not allowed with argument"),
        (["--limit-price", "2", "--spread-by", "rack"], "--spread-by and --spread-max are expected together"),
        (["--limit-price", "2", "--dry-run", "--wait"], "--wait: a dry run has nothing to wait for"),
        (["--limit-price", "2", "--requirements", "/nowhere"], "--requirements: /nowhere: No such file"),
        (["--limit-price", "2", "-c", "colour"], "-c: there is no column 'colour'"),
        ([], "--limit-price"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_before_anything_is_asked(place, words, said):
    place.market.adapter.down = True
    ended = place.run("consumer-a", "bid create", *words)
    assert ended.status == 2
    assert said in ended.err
    assert ended.out == ""


def test_a_mistake_in_a_requirement_has_a_caret_under_it(place):
    ended = place.run("consumer-a", "bid create --limit-price 2 --require", "cpus >= many")
    assert ended.status == 2
    lines = ended.err.splitlines()
    at = lines.index("cpus >= many")
    assert lines[at + 1] == "        ^"


def test_the_service_has_the_last_word_on_values(place):
    ended = place.run("consumer-a", f"bid create --limit-price 2 --quantity 1000000 --end {place.at(9)}")
    assert ended.status == 2
    assert ended.err.startswith("quantity: 1000000 nodes in one bid")
    assert "(flocx.request.invalid)" in ended.err


def test_there_is_no_bid_of_that_name(place):
    for name in ("nothing", uid(4711)):
        ended = place.run("consumer-a", f"bid show {name}")
        assert ended.status == 3
        assert name in ended.err
        assert len(ended.err.splitlines()) == 1
