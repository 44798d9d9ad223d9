# SPDX-License-Identifier: Apache-2.0
"""Books and arguments that flocx-market-clear cannot use: one clear line, exit status 2, and nothing written."""

import json

import pytest

from tests.builders import uid
from tests.functional.market.offline_books import Books, bid, offer, run, time, without

GOOD_OFFERS, GOOD_BIDS = [offer(1)], [bid(1)]


@pytest.fixture
def books(tmp_path):
    return Books(tmp_path)


def refused(outcome, *said):
    """The run was refused with one line that says all this, and wrote nothing."""
    assert outcome.status == 2, outcome.errors
    assert outcome.output == ""
    assert outcome.errors.count("\n") == 1, outcome.errors
    for word in said:
        assert word in outcome.errors, (word, outcome.errors)
    assert not outcome.out.exists()


#: A line that no book can have: how it is changed from a good one, and what is said of it.
LINES = {
    "not JSON": ("nonsense", "no JSON"),
    "half a line": ('{"uuid": ', "no JSON"),
    "a list": ("[]", "an object is expected"),
    "a number": ("5", "an object is expected"),
    "nothing but nesting": ("[" * 100_000, "no JSON"),
    "an endless number": ('{"uuid": 1' + "0" * 5000 + "}", "no JSON"),
}


@pytest.mark.parametrize("book", ["offers", "bids"])
@pytest.mark.parametrize("line", LINES)
def test_what_is_no_entity_is_refused_by_file_and_line(books, book, line):
    text, expectation = LINES[line]
    offers = [*GOOD_OFFERS, "", text] if book == "offers" else GOOD_OFFERS
    bids = [*GOOD_BIDS, "", text] if book == "bids" else GOOD_BIDS
    refused(books.write(offers, bids).clear(), f"{book}.jsonl: line 3: ", expectation)


BOTH = [
    (without, "uuid", "it is missing"),
    ("uuid", None, "None"),
    ("uuid", 7, "7"),
    ("uuid", "n1", "a UUID is expected, not 'n1'"),
    (without, "start_time", "it is missing"),
    ("start_time", 0, "text is expected, not 0"),
    ("start_time", "yesterday", "'yesterday' is no ISO 8601 time"),
    ("start_time", "2027-01-01T12:00:00.5Z", "whole seconds are expected"),
    ("start_time", "1999-12-31T23:00:00Z", "not between the years 2000 and 9000"),
    ("end_time", time(0), "it is not after start_time"),
    ("status", "sleeping", "or nothing is expected, not 'sleeping'"),
    ("status", 1, "or nothing is expected, not 1"),
]
PRICES = [
    (without, "it is missing"),
    (None, "None is no exact decimal"),
    (True, "a number or a string is expected"),
    ("", "'' is no decimal number"),
    ("cheap", "'cheap' is no decimal number"),
    ("NaN", "NaN is no finite number"),
    (float("nan"), "NaN is no finite number"),
    (float("inf"), "Infinity is no finite number"),
    ("-0.000001", "-0.000001 is negative"),
    (-1, "-1 is negative"),
    ("0.0000001", "0.0000001 has more than 6 fractional digits"),
    ("1000000000000", "1000000000000 is not below 1000000000000"),
    ([1], "[1] is no exact decimal"),
]
OFFER_FIELDS = [
    *BOTH,
    ("end_time", 5, "5 is no ISO 8601 time"),
    *((field, "n1", "a UUID is expected, not 'n1'") for field in ("node_uuid", "provider_uuid")),
    *((without, field, "it is missing") for field in ("node_uuid", "provider_uuid", "owner_project_id")),
    ("owner_project_id", "", "text is expected, not ''"),
    ("owner_project_id", 5, "text is expected, not 5"),
    ("node_name", 5, "text is expected, not 5"),
    ("resource_class", ["gpu"], "text is expected, not ['gpu']"),
    ("properties", [], "an object is expected"),
    ("properties", {"cpus": [float("nan")]}, "NaN is no finite number"),
    ("min_duration", -1, "a whole number of at least 0 is expected, not -1"),
    ("min_duration", "60", "not '60'"),
    ("min_duration", True, "not True"),
    ("lessee_project_ids", [], "a list of texts, or null, is expected"),
    ("lessee_project_ids", "consumer-a", "a list of texts, or null, is expected"),
    ("lessee_project_ids", [5], "a list of texts, or null, is expected"),
    ("free_windows", "all", "a list of windows is expected"),
    ("free_windows", [[time(0), time(1)]], "a list of windows is expected"),
    ("free_windows", [{"start_time": time(-1), "end_time": time(1)}], "they must lie inside the offer"),
    ("free_windows", [{"start_time": time(0), "end_time": time(101)}], "they must lie inside the offer"),
    (
        "free_windows",
        [{"start_time": time(0), "end_time": time(2)}, {"start_time": time(1), "end_time": time(3)}],
        "they must not overlap",
    ),
    *(("reserve_price", value, problem) for value, problem in PRICES),
]
BID_FIELDS = [
    *BOTH,
    ("end_time", 5, "text is expected, not 5"),
    (without, "end_time", "it is missing"),
    ("end_time", None, "text is expected, not None"),
    (without, "project_id", "it is missing"),
    ("project_id", 5, "text is expected, not 5"),
    ("quantity", 0, "a whole number of at least 1 is expected, not 0"),
    ("quantity", 1.5, "not 1.5"),
    ("quantity", None, "not None"),
    ("duration", 0, "a whole number of at least 1 is expected, not 0"),
    ("duration", "3600", "not '3600'"),
    ("offer_uuids", [], "a list of texts, or null, is expected"),
    ("requirements", {}, "a list of triples is expected"),
    ("requirements", [["cpus", ">", 1]] * 65, "65 triples, at most 64 are allowed"),
    ("spread", "rack", "a whole number of at least 1 is expected, not None"),
    ("spread", {"by": "rack"}, "a whole number of at least 1 is expected"),
    ("spread", {"max": 1}, "an object with an expression under by is expected"),
    ("spread", {"by": "rack[", "max": 1}, "spread.by: "),
    ("together", {"by": 5}, "an object with an expression under by is expected"),
    ("together", {"by": "rack["}, "together.by: "),
    *(("limit_price", value, problem) for value, problem in PRICES),
]


def changed(entity, field, value):
    """Return (entity, field at fault) for a row of a table."""
    if field is without:
        return without(entity, value), value
    if value is without:
        return without(entity, field), field
    return entity | {field: value}, field


def row_id(value):
    return "missing" if value is without else None if isinstance(value, dict | list) else str(value)[:30]


@pytest.mark.parametrize(("field", "value", "expectation"), OFFER_FIELDS, ids=row_id)
def test_a_wrong_field_of_an_offer_is_named_with_its_line(books, field, value, expectation):
    bad, at_fault = changed(offer(2), field, value)
    outcome = books.write([*GOOD_OFFERS, bad], GOOD_BIDS).clear()
    refused(outcome, f"offers.jsonl: line 2: {at_fault}", expectation)


@pytest.mark.parametrize(("field", "value", "expectation"), BID_FIELDS, ids=row_id)
def test_a_wrong_field_of_a_bid_is_named_with_its_line(books, field, value, expectation):
    bad, at_fault = changed(bid(2), field, value)
    refused(books.write(GOOD_OFFERS, [*GOOD_BIDS, bad]).clear(), f"bids.jsonl: line 2: {at_fault}", expectation)


@pytest.mark.parametrize(
    ("triple", "place", "problem"),
    [
        (["cpus", "~", 1], "requirements[1].operator", "'~' is unknown"),
        (["cpus", ">", "many"], "requirements[1].value", '"many"'),
        (["cpus[", ">", 1], "requirements[1].expression", ""),
        (["cpus", ">"], "requirements[1]", "[expression, operator, value] is expected"),
        (["name", "matches", "("], "requirements[1].value", "no RE2 regular expression"),
    ],
)
def test_a_wrong_triple_is_named_with_its_index_and_part(books, triple, place, problem):
    bad = bid(2, requirements=[["cpus", ">", 1], triple])
    refused(books.write(GOOD_OFFERS, [*GOOD_BIDS, bad]).clear(), f"bids.jsonl: line 2: {place}: ", problem)


@pytest.mark.parametrize("spelt", [str, str.upper])
def test_a_uuid_that_occurs_twice_is_refused_with_both_lines(books, spelt):
    twice = [bid(1), bid(2), bid(1, uuid=spelt(uid(5001)))]
    refused(books.write(GOOD_OFFERS, twice).clear(), "bids.jsonl: line 3: uuid: ", uid(5001), "already, at line 1")
    twice = [offer(1), offer(2), offer(3, uuid=spelt(uid(1)))]
    refused(books.write(twice, GOOD_BIDS).clear(), "offers.jsonl: line 3: uuid: ", uid(1), "already, at line 1")


def test_two_offers_of_a_node_at_one_time_are_refused_with_their_names(books):
    overlapping = [offer(1, end_time=time(10)), offer(2, node_uuid=uid(1001), start_time=time(9))]
    refused(books.write(overlapping, GOOD_BIDS).clear(), "offers.jsonl: ", uid(1), uid(2), uid(1001), "overlap")


def test_two_offers_of_a_node_one_after_the_other_are_all_right(books):
    touching = [offer(1, end_time=time(10)), offer(2, node_uuid=uid(1001), start_time=time(10))]
    assert books.write(touching, GOOD_BIDS).clear().status == 0


def test_a_book_that_is_not_there_or_no_text_is_refused_by_name(books):
    books.write(GOOD_OFFERS, GOOD_BIDS)
    (books.directory / "bids.jsonl").unlink()
    refused(books.clear(), "bids.jsonl: No such file or directory")
    (books.directory / "bids.jsonl").mkdir()
    refused(books.clear(), "bids.jsonl: Is a directory")
    (books.directory / "bids.jsonl").rmdir()
    (books.directory / "bids.jsonl").write_bytes(json.dumps(bid()).encode("utf-16"))
    refused(books.clear(), "bids.jsonl: UTF-8 is expected")


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        ("now", "'now' is no ISO 8601 time"),
        ("2027-01-01T12:00:00.25Z", "whole seconds are expected"),
        ("1970-01-01T00:00:00Z", "not between the years 2000 and 9000"),
    ],
)
def test_the_time_of_the_round_must_be_an_instant(books, now, problem):
    refused(books.write(GOOD_OFFERS, GOOD_BIDS).clear("--now", now), "--now: ", problem)


@pytest.mark.parametrize("share", ["half", "NaN", "-0.1", "1.1", "Infinity"])
def test_a_share_outside_0_to_1_is_refused(books, share):
    outcome = books.write(GOOD_OFFERS, GOOD_BIDS).clear("--pricing", "k_double", f"--k={share}")
    assert outcome.status == 2
    last = outcome.errors.splitlines()[-1]
    assert "--k" in last
    assert f"{share}: a number from 0 to 1 is expected" in last
    assert not outcome.out.exists()


class TestNothingHalfDone:
    def test_a_directory_that_cannot_be_made_is_named(self, books):
        (books.write(GOOD_OFFERS, GOOD_BIDS).directory / "in-the-way").write_text("a file")
        for out in ("in-the-way", "in-the-way/below"):
            outcome = run(books.arguments(out=out), books.directory / out)
            assert (outcome.status, outcome.output) == (2, "")
            assert outcome.errors.count("\n") == 1
            assert f"--out: {books.directory / 'in-the-way'}" in outcome.errors
        assert (books.directory / "in-the-way").read_text() == "a file"

    @pytest.mark.parametrize("in_the_way", ["contracts.jsonl", "explanations.jsonl"])
    def test_when_one_file_cannot_be_written_neither_is(self, books, in_the_way):
        other = {"contracts.jsonl": "explanations.jsonl", "explanations.jsonl": "contracts.jsonl"}[in_the_way]
        out = books.write(GOOD_OFFERS, GOOD_BIDS).directory / "out"
        (out / in_the_way).mkdir(parents=True)
        (out / other).write_text("of an earlier run\n")
        outcome = books.clear()
        assert outcome.status == 2
        assert f"--out: {out / in_the_way}: Is a directory" in outcome.errors
        assert (out / other).read_text() == "of an earlier run\n"
        assert sorted(path.name for path in out.iterdir()) == ["contracts.jsonl", "explanations.jsonl"]

    def test_results_of_an_earlier_run_stay_when_a_book_is_bad(self, books):
        before = books.write(GOOD_OFFERS, GOOD_BIDS).clear()
        files = before.files
        assert books.write(GOOD_OFFERS, [*GOOD_BIDS, "nonsense"]).clear().status == 2
        assert before.files == files
