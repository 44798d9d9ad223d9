# SPDX-License-Identifier: Apache-2.0
"""flocx-market-clear --capacity: questions in, what POST /v1/capacity would answer out."""

import json

import pytest

from flocx_common.api.validation import Validator
from flocx_market.api.schemas.capacity import CAPACITY
from tests.functional.market.offline_books import Books, bid, offer, time, without

OFFERS = [offer(number, reserve_price=f"{number}.5") for number in range(1, 5)]
QUESTION = {"project_id": "consumer-a", "start_time": time(0), "end_time": time(10)}


@pytest.fixture
def ask(tmp_path):
    def ask(*questions, bids=(), out="out"):
        path = tmp_path / "questions.jsonl"
        path.write_text("".join(f"{json.dumps(one)}\n" for one in questions))
        return Books(tmp_path).write(OFFERS, bids).clear("--capacity", str(path), out=out)

    return ask


def answers(outcome):
    assert outcome.status == 0, outcome.errors
    return [json.loads(line) for line in outcome.files["capacity.jsonl"].splitlines()]


def test_each_question_gets_the_answer_of_the_api_in_its_place(ask):
    told = answers(ask(QUESTION | {"quantity": 2}, QUESTION | {"limit_price": "1.5"}, QUESTION | {"max_steps": 2}))
    for one in told:
        Validator(CAPACITY).check(one)
    assert [one["nodes"] for one in told] == [4, 1, 4]
    assert [one["indicative_price"] for one in told] == ["2.500000", "1.500000", "1.500000"]
    assert [step["price"] for step in told[0]["by_price"]] == ["1.500000", "2.500000", "3.500000", "4.500000"]
    assert [len(one["by_price"]) for one in told] == [4, 1, 2]
    assert [one["by_price_cut"] for one in told] == [False, False, True]


def test_bids_of_the_round_change_no_answer(ask):
    alone = ask(QUESTION, out="alone")
    crowded = ask(QUESTION, bids=[bid(1, quantity=3, limit_price="9"), bid(2)], out="crowded")
    assert len(crowded.contracts) == 1
    assert crowded.files["capacity.jsonl"] == alone.files["capacity.jsonl"]


def test_a_bid_is_a_question(ask):
    assert answers(ask(bid(1, quantity=2, limit_price="3", status="open")))[0]["nodes"] == 2


def test_an_offer_of_the_project_is_none_for_it(ask):
    assert answers(ask(QUESTION | {"project_id": "owner-a"}))[0]["nodes"] == 0


def test_without_questions_there_is_no_file_of_answers(tmp_path):
    assert "capacity.jsonl" not in Books(tmp_path).write(OFFERS, []).clear().files


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        (without(QUESTION, "project_id"), "project_id: it is missing"),
        (QUESTION | {"max_steps": 1}, "max_steps: a whole number of at least 2 is expected, not 1"),
        (QUESTION | {"quantity": 0}, "quantity: a whole number of at least 1 is expected, not 0"),
        (QUESTION | {"limit_price": "x"}, "limit_price: "),
        (QUESTION | {"requirements": [["cpus", "==", "x"]]}, "requirements[0]"),
        (QUESTION | {"earnings": {"node": "n1"}}, "earnings: only a running market can tell"),
    ],
)
def test_a_question_that_cannot_be_used_is_named_and_nothing_is_written(ask, question, problem):
    outcome = ask(QUESTION, question)
    assert outcome.status == 2
    assert "questions.jsonl: line 2: " + problem in outcome.errors
    assert outcome.files == {}
