# SPDX-License-Identifier: Apache-2.0
"""flocx-market-clear: books in, contracts and explanations out, the same every time."""

import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from flocx_common.api.validation import Validator
from flocx_market.api.schemas.bids import EXPLANATION
from flocx_market.api.schemas.contracts import CONTRACT
from tests.builders import uid
from tests.functional.market.offline_books import NOW_TEXT, Books, bid, offer, run, time, without

OFFERS = [offer(number, reserve_price=f"{number}.5") for number in range(1, 5)]
BIDS = [
    bid(1, quantity=2, limit_price="9"),
    bid(2, project_id="consumer-b", limit_price="7", duration=3600, end_time=time(40)),
    bid(3, requirements=[["cpus", ">", 64]], limit_price="8"),
    bid(4, limit_price="0.000001"),
]


@pytest.fixture
def books(tmp_path):
    return Books(tmp_path)


def installed():
    return str(Path(sys.executable).with_name("flocx-market-clear"))


class TestWhatIsRead:
    def test_what_clearing_does_not_need_may_be_left_out_or_be_there_under_any_name(self, books):
        ours = {"name": "x", "updated_at": time(0), "status_reason": None, "something_new": [1, {"a": None}]}
        bare = books.write([offer()], [bid()]).clear(out="bare")
        full = books.write([offer() | ours], [bid() | ours]).clear(out="full")
        assert bare.status == full.status == 0
        assert bare.files == full.files
        assert len(bare.contracts) == 1

    def test_without_free_windows_the_whole_offer_is_free(self, books):
        whole = [{"start_time": time(0), "end_time": time(100)}]
        assert len(books.write([offer()], [bid()]).clear(out="one").contracts) == 1
        assert len(books.write([offer(free_windows=whole)], [bid()]).clear(out="two").contracts) == 1
        assert len(books.write([offer(free_windows=None)], [bid()]).clear(out="three").contracts) == 1

    @pytest.mark.parametrize(
        ("free", "served"),
        [
            ([], 0),
            ([(0, 9)], 0),
            ([(0, 10)], 1),
            ([(0, 5), (5, 10)], 0),
            ([(50, 60), (0, 10)], 1),
            ([(0, None)], 0),
        ],
    )
    def test_only_free_windows_are_sold(self, books, free, served):
        windows = [{"start_time": time(begin), "end_time": None if end is None else time(end)} for begin, end in free]
        outcome = books.write([offer(free_windows=windows)], [bid()]).clear()
        if free == [(0, None)]:
            assert outcome.status == 2
            assert "free_windows: they must lie inside the offer" in outcome.errors
        else:
            assert len(outcome.contracts) == served

    def test_an_open_ended_offer_has_no_end(self, books):
        far = bid(start_time=time(5000), end_time=time(5010))
        assert len(books.write([offer(end_time=None)], [far]).clear().contracts) == 1

    @pytest.mark.parametrize("status", ["suspended", "expired", "withdrawn"])
    def test_offers_that_are_not_available_are_not_sold(self, books, status):
        outcome = books.write([offer(status=status)], [bid(status="open")]).clear("-f", "json")
        assert (outcome.summary["offers"], outcome.summary["contracts"]) == (0, 0)

    @pytest.mark.parametrize("status", ["matched", "expired", "cancelled"])
    def test_bids_that_are_not_open_are_not_served(self, books, status):
        outcome = books.write([offer(status="available")], [bid(status=status)]).clear("-f", "json")
        assert (outcome.summary["bids"], outcome.summary["contracts"], outcome.summary["left_open"]) == (0, 0, 0)

    def test_empty_books_and_empty_lines_are_books(self, books):
        assert books.write([], []).clear(out="none").status == 0
        outcome = books.write(["", offer(), "  "], ["", bid(), ""]).clear()
        assert len(outcome.contracts) == 1

    def test_prices_are_exact_whichever_way_they_are_written(self, books):
        outcomes = [
            books.write([offer(reserve_price=price)], [bid()]).clear(out=f"out-{number}")
            for number, price in enumerate(["0.100001", 0.100001, "1.00001e-1"])
        ]
        assert {outcome.contracts[0]["amount"] for outcome in outcomes} == {"1.000010"}

    def test_uuids_are_the_same_in_either_case(self, books):
        named = bid(offer_uuids=[offer()["uuid"].upper()])
        assert len(books.write([offer(uuid=offer()["uuid"].upper())], [named]).clear().contracts) == 1

    def test_an_instant_is_the_same_with_any_offset(self, books):
        early, late = "2027-01-01T13:00:00+01:00", "2027-01-01T17:00:00-05:00"
        outcome = books.write([offer()], [bid(start_time=early, end_time=late)]).clear()
        assert [(one["start_time"], one["end_time"]) for one in outcome.contracts] == [(time(0), time(10))]

    def test_an_instant_without_an_offset_is_utc(self, books):
        outcome = books.write([offer()], [bid(start_time="2027-01-01T12:00:00")]).clear()
        assert [(one["start_time"], one["end_time"]) for one in outcome.contracts] == [(time(0), time(10))]


class TestWhatIsWritten:
    def test_contracts_are_in_the_apis_json_with_their_allocations(self, books):
        contracts = books.write(OFFERS, BIDS).clear().contracts
        for one in contracts:
            Validator(CONTRACT).check(one)
        assert [(one["bid_uuid"], len(one["allocations"])) for one in contracts] == [(uid(5001), 2), (uid(5002), 1)]
        assert {one["status"] for one in contracts} == {"created"}
        assert [one["node_name"] for one in contracts[0]["allocations"]] == ["n1", "n2"]

    def test_every_bid_left_open_is_explained_and_no_other(self, books):
        explanations = books.write(OFFERS, BIDS).clear().explanations
        for one in explanations:
            Validator(EXPLANATION).check(one)
        told = {one["bid_uuid"]: one["sentence"] for one in explanations}
        assert set(told) == {uid(5003), uid(5004)}
        assert "cpus > 64" in told[uid(5003)]
        assert "1.5" in told[uid(5004)]

    def test_the_directory_for_the_results_is_made_and_holds_nothing_else(self, books):
        outcome = books.write(OFFERS, BIDS).clear(out="a/b/c")
        assert sorted(path.name for path in outcome.out.iterdir()) == ["contracts.jsonl", "explanations.jsonl"]

    def test_results_of_an_earlier_run_are_replaced(self, books):
        books.write(OFFERS, BIDS).clear()
        outcome = books.write(OFFERS, []).clear()
        assert (outcome.contracts, outcome.explanations) == ([], [])

    def test_the_summary_counts_and_measures(self, books):
        summary = books.write(OFFERS, BIDS).clear("-f", "json").summary
        counted = ("offers", "bids", "contracts", "nodes", "left_open")
        assert {name: summary[name] for name in counted} == dict(zip(counted, (4, 4, 2, 3, 2), strict=True))
        # 10 h x (9 - 1.5) and 10 h x (9 - 2.5), then an hour of n1 for up to 7; paid is what the dearest node asks.
        assert summary["amount"] == "51.500000"
        assert summary["surplus"] == "145.500000"
        assert {name: summary[name] for name in ("now", "ranking", "engine", "pricing")} == {
            "now": NOW_TEXT,
            "ranking": "value",
            "engine": "greedy",
            "pricing": "critical",
        }
        assert set(summary["seconds"]) == {"read", "clear", "price", "write", "explain"}
        assert all(seconds >= 0 for seconds in summary["seconds"].values())

    def test_the_summary_for_people_says_the_same_line_by_line(self, books):
        books.write(OFFERS, BIDS)
        told = dict(line.split("  ", 1) for line in books.clear().output.splitlines())
        told = {name: value.strip() for name, value in told.items()}
        summary = books.clear("-f", "json").summary
        seconds = summary.pop("seconds")
        assert {name: told[name] for name in summary} == {name: str(value) for name, value in summary.items()}
        assert {f"seconds to {stage}" for stage in seconds} <= set(told)

    def test_the_amount_is_the_sum_of_the_contracts(self, books):
        outcome = books.write(OFFERS, BIDS).clear("-f", "json", "--pricing", "limit")
        cents = sum(int(one["amount"].replace(".", "")) for one in outcome.contracts)
        assert int(outcome.summary["amount"].replace(".", "")) == cents


class TestTheSameEveryTime:
    def test_the_same_books_give_the_same_files_byte_for_byte(self, books):
        books.write(OFFERS, BIDS)
        assert books.clear(out="one").files == books.clear(out="two").files

    @pytest.mark.parametrize("ranking", ["value", "price_time"])
    def test_the_order_of_the_lines_does_not_matter(self, books, ranking):
        shuffle = random.Random(7)
        tied = [bid(number, limit_price="5", quantity=2) for number in range(1, 6)]
        offers = [offer(number, properties={"cpus": number % 3}) for number in range(1, 8)]
        seen, summaries = set(), set()
        for number in range(6):
            outcome = books.write(shuffle.sample(offers, len(offers)), shuffle.sample(tied, len(tied))).clear(
                "--ranking", ranking, "-f", "json", out=f"out-{number}"
            )
            seen.add(tuple(sorted(outcome.files.items())))
            summaries.add(json.dumps(outcome.summary | {"seconds": None}))
        assert len(seen) == 1
        assert len(summaries) == 1

    def test_another_time_gives_contracts_of_their_own(self, books):
        books.write([offer()], [bid()])
        one = books.clear(out="one").contracts[0]
        [later] = books.clear("--now", time(1), out="two").contracts
        assert later["uuid"] != one["uuid"]
        assert (later["start_time"], later["end_time"]) == (time(1), time(10))


class TestChoices:
    def test_the_ranking_says_who_is_first(self, books):
        books.write([offer()], [bid(1, limit_price="3"), bid(2, limit_price="4", end_time=time(2))])
        winners = {
            ranking: books.clear("--ranking", ranking, out=ranking).contracts[0]["bid_uuid"]
            for ranking in ("value", "price_time")
        }
        assert winners == {"value": uid(5001), "price_time": uid(5002)}

    @pytest.mark.parametrize(
        ("pricing", "price"),
        [
            (["--pricing", "critical"], "1.500000"),
            (["--pricing", "reserve"], "1.500000"),
            (["--pricing", "limit"], "2.000000"),
            (["--pricing", "k_double"], "1.750000"),
            (["--pricing", "k_double", "--k", "0.1"], "1.550000"),
        ],
    )
    def test_the_pricing_says_who_pays_what(self, books, pricing, price):
        [contract] = books.write([offer()], [bid()]).clear(*pricing).contracts
        assert contract["clearing_price"] == price
        assert contract["price_rule"] == pricing[1]

    def test_a_node_rests_between_two_contracts_as_long_as_it_is_told(self, books):
        books.write([offer(end_time=time(10))], [bid(n, duration=3600, end_time=time(3)) for n in (1, 2)])
        starts = {
            rest: [one["start_time"] for one in books.clear("--turnaround", rest, out=rest).contracts]
            for rest in ("0", "1800", "7200")
        }
        assert starts == {"0": [time(0), time(1)], "1800": [time(0), time(1.5)], "7200": [time(0)]}

    def test_serial_numbers_do_not_multiply_what_is_evaluated(self, books):
        machines = [offer(n, properties={"cpus": 32, "serial": f"S{n}"}) for n in range(1, 5)]
        asked = bid(requirements=[["cpus", ">=", 16]], quantity=4)
        assert books.write(machines, [asked]).clear("-f", "json").summary["evaluations"] == 1
        asked["requirements"].append(["serial", "!eq", "S9"])
        assert books.write(machines, [asked]).clear("-f", "json").summary["evaluations"] == 8

    @pytest.mark.parametrize("option", ["--ranking", "--engine", "--pricing"])
    def test_an_unknown_name_is_refused_with_the_known_ones(self, books, option):
        known = {
            "--ranking": ["price_time", "value"],
            "--engine": ["greedy"],
            "--pricing": ["critical", "k_double", "reserve"],
        }
        outcome = books.write(OFFERS, BIDS).clear(option, "nope")
        assert outcome.status == 2
        assert outcome.errors.count("\n") == 1
        for word in (option, "'nope'", *known[option]):
            assert word in outcome.errors
        assert not outcome.out.exists()

    def test_defaults_are_those_of_the_service(self, books, market):
        summary = books.write([], []).clear("-f", "json").summary
        clearing = market.conf.clearing
        names = ("ranking", "engine", "pricing")
        assert {name: summary[name] for name in names} == {name: getattr(clearing, name) for name in names}


class TestHelp:
    def test_help_tells_a_stranger_what_goes_in_and_what_comes_out(self, tmp_path):
        outcome = run(["--help"], tmp_path)
        assert outcome.status == 0
        for promised in (
            *("--offers", "--bids", "--now", "--out", "--ranking", "--engine", "--pricing", "--k", "--format"),
            *("--turnaround", "--capacity", "--work-limit", "--pricing-budget"),
            *("JSON lines", "GET /v1/offers", "GET /v1/bids", "contracts.jsonl", "explanations.jsonl"),
            *("byte for byte", "default: value", "default: greedy", "default: critical", "2026-12-01T08:00:00Z"),
        ):
            assert promised in outcome.output, promised

    @pytest.mark.parametrize("missing", ["--offers", "--bids", "--now", "--out"])
    def test_what_is_needed_is_asked_for_by_name(self, books, missing):
        arguments = books.write(OFFERS, BIDS).arguments()
        place = arguments.index(missing)
        outcome = run(arguments[:place] + arguments[place + 2 :], books.directory / "out")
        assert outcome.status == 2
        assert missing in outcome.errors.splitlines()[-1]


class TestInstalled:
    """A few cases through the console script, as an operator runs it."""

    def call(self, *arguments):
        return subprocess.run([installed(), *arguments], capture_output=True, text=True, timeout=120, check=False)

    def test_it_writes_the_same_files_as_in_this_process(self, books):
        here = books.write(OFFERS, BIDS).clear(out="here")
        done = self.call(*books.arguments("-f", "json", out="there"))
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["contracts"] == 2
        there = {path.name: path.read_bytes() for path in (books.directory / "there").iterdir()}
        assert there == here.files

    def test_a_bad_book_is_one_line_and_no_traceback(self, books):
        books.write([offer(), without(offer(2), "node_uuid")], BIDS)
        done = self.call(*books.arguments())
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"flocx-market-clear: {books.directory / 'offers.jsonl'}: line 2: node_uuid: it is missing\n"
        )

    def test_help_is_printed(self):
        done = self.call("--help")
        assert done.returncode == 0
        assert done.stdout.startswith("usage: flocx-market-clear")


def test_ties_go_to_the_older_bid_and_then_to_the_smaller_uuid(books):
    ages = {1: time(-1), 2: time(-2), 3: time(-2)}
    for order in itertools.permutations(ages):
        tied = [bid(number, created_at=ages[number]) for number in order]
        [contract] = (
            books.write([offer(free_windows=[{"start_time": time(0), "end_time": time(10)}])], tied)
            .clear(out="-".join(map(str, order)))
            .contracts
        )
        assert contract["bid_uuid"] == uid(5002)


class TestWhatTheEngineSays:
    def test_greedy_claims_no_bound(self, books):
        summary = books.write(OFFERS, BIDS).clear("-f", "json").summary
        assert summary["cleared_by"] == "greedy"
        assert summary.keys().isdisjoint({"bound", "gap", "stopped", "reason", "work"})

    def test_optimal_tells_its_bound_and_gap(self, books):
        pytest.importorskip("highspy", reason="highspy is not installed; the extra is called optimal")
        summary = books.write(OFFERS, BIDS).clear("-f", "json", "--engine", "optimal").summary
        assert summary["cleared_by"] == "optimal"
        assert summary["bound"] == summary["surplus"] == "145.500000"
        assert summary["gap"] == 0
        assert "stopped" not in summary

    def test_a_work_limit_that_stops_the_engine_is_told(self, books):
        pytest.importorskip("highspy", reason="highspy is not installed; the extra is called optimal")
        summary = books.write(OFFERS, BIDS).clear("-f", "json", "--engine", "optimal", "--work-limit", "1").summary
        assert (summary["stopped"], summary["work"]) == ("work", 1)

    @pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5"])
    def test_a_work_limit_is_a_whole_number_above_0(self, books, limit):
        outcome = books.write(OFFERS, BIDS).clear(f"--work-limit={limit}")
        assert outcome.status == 2
        assert f"--work-limit: {limit}: a whole number above 0 is expected" in outcome.errors
