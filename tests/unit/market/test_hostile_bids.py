# SPDX-License-Identifier: Apache-2.0
"""What is built to be expensive costs a bounded share, counted and never timed."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flocx_common.domain.errors import ExpressionInvalid, RequirementInvalid
from flocx_market.domain import greedy
from flocx_market.domain.book import Book, Spread
from flocx_market.domain.expressions import MAX_STEPS, Expression
from flocx_market.domain.ranking import value
from flocx_market.domain.reads import reads_of
from flocx_market.domain.requirements import MAX_MATCH, MAX_REQUIREMENTS, parse_requirements
from tests.benchmark_scripts import load
from tests.builders import book_bid, book_offer, uid
from tests.unit.market.markets import books

# Calls that the interpreter and the count of its steps make for one step, and to begin with:
# about twice what the dearest expressions below were found to make.
CALLS_PER_STEP = 20
CALLS_TO_BEGIN = 2_000


def calls(work: Callable[[], object]) -> int:
    """Return how many functions, Python's own and the library's, a piece of work calls."""
    count = 0

    def counted(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def within_budget(expression: Expression, document: object) -> bool:
    return calls(lambda: expression.evaluate(document)) <= CALLS_TO_BEGIN + CALLS_PER_STEP * MAX_STEPS


# Each wraps what is inside in something that multiplies, copies, compares or walks it.
WRAPPERS = [
    "[{0}, {0}]",
    "{{a: {0}, b: {0}}}",
    "{0} | [@, @]",
    "{0}[]",
    "{0}[][]",
    "{0}[*]",
    "{0}.*",
    "{0}[*].*",
    "{0}[?@ == @]",
    "{0}[?a > `1` || b]",
    "{0}[::-1]",
    "map(&[@, @], {0})",
    "sort_by({0}, &a)",
    "sort({0})",
    "join({0}, {0})",
    "join(a, {0})",
    "to_string({0})",
    "length({0})",
    "contains({0}, {0})",
    "merge({0}, {0})",
    "values({0})",
    "reverse({0})",
    "max_by({0}, &to_string(@))",
    "{0} == {0}",
]


@st.composite
def nasty_expressions(draw) -> str:
    text = draw(st.sampled_from(["@", "a", "b", "*", "a[]", "`[1, 2]`", "'text'"]))
    for wrapper in draw(st.lists(st.sampled_from(WRAPPERS), min_size=1, max_size=10)):
        text = wrapper.format(text)
    return text


documents = st.sampled_from(
    [
        {"a": [{"a": 2, "b": number} for number in range(100)]},
        {"a": "x" * 5_000, "b": [""] * 500},
        {"a": [[]] * 1_000, "b": [[[]]] * 100},
        {"a": ["y" * 1_000] * 20, "b": {str(number): [number] for number in range(200)}},
        {"a": {"a": {"a": {"b": [1, [2, [3, [4]]]]}}}, "b": None},
    ]
)


@settings(max_examples=60)
@given(nasty_expressions(), documents)
@example("[{}]".format(", ".join(["a[]"] * 40)), {"a": [[]] * 50_000})
@example("a[*].join(',', [@, @])", {"a": ["x" * 1000] * 500})
def test_no_expression_exceeds_its_budget_on_any_document(text, document):
    try:
        expression = Expression(text)
    except ExpressionInvalid:
        return
    assert within_budget(expression, document)


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("join(a, b)", {"a": "x" * 100_000, "b": [""] * 20_000}),
        ("|".join(["[@, @]"] * 46), {}),
        ("|".join(["map(&[@, @], [@, @])"] * 12), {}),
        ("to_string([a, a, a, a])", {"a": "\x00" * 200_000}),
    ],
)
def test_no_expression_takes_much_memory(text, document):
    expression = Expression(text)
    tracemalloc.start()
    try:
        expression.evaluate(document)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 * 2**20


@pytest.mark.parametrize("text", ["|".join(["[@, @]"] * 46), "|".join(["[a, b]"] * 46), "|".join(["[a || b, c]"] * 30)])
def test_what_an_expression_looks_at_is_found_in_bounded_work(text):
    def look():
        fingerprint = reads_of(Expression(text)).fingerprint()
        return fingerprint({"a": {"a": 1, "b": 2}, "b": 3, "c": [4]})

    assert calls(look) < 500_000


@pytest.mark.parametrize(
    "text", ["a[?size > `1` && fast].size", "sum(a[*].size)", "a[].[size, fast]", "sort_by(a, &size)"]
)
@pytest.mark.parametrize("rows", [5, 200, 400])
def test_a_document_of_hundreds_of_parts_can_be_looked_at_once(text, rows):
    assert Expression(text).evaluate({"a": [{"size": 2, "fast": True, "name": "disk"}] * rows}) is not None


def test_a_search_takes_no_more_work_than_is_allowed():
    def found(pattern: str, length: int) -> bool:
        (requirement,) = parse_requirements([["a", "matches", pattern]])
        return requirement.holds({"a": "x" * length})

    for pattern in ("x", "x{200}", "(x|y)*x(x|y){200}", "[xyz]+|y+"):
        assert found(pattern, 500)
        assert not found(pattern, MAX_MATCH)
    # The larger the expression, the shorter the text.
    assert found("x", 10_000)
    assert not found("x{200}", 10_000)


@given(st.text(alphabet="ab.*+?()[]{}0123456789,|\\wp^$", max_size=60), st.text(max_size=200))
def test_no_regular_expression_that_is_taken_ever_raises(pattern, text):
    with suppress(RequirementInvalid):
        assert parse_requirements([["a", "matches", pattern]])[0].holds({"a": text}) in (True, False)


HOSTILE = [
    ["|".join(["[@, @]"] * 46), None, None],
    ["@.*.*[][][?@ == @]", "contains", [1, 2]],
    ["to_string([@, @, @, @])", "matches", "(.{0,30}){0,20}x"],
    ["join(to_string(@), ['', '', ''])", "!matches", "(a|b)*a(a|b){400}"],
    ["sort_by(values(@), &to_string(@))", "in", [[]]],
]


def hostile_bid(count: int):
    """A bid of as many triples as are allowed, all different, that no document meets."""
    triples = [HOSTILE[number % len(HOSTILE)] for number in range(count - 1)]
    triples = [[f"{expression} || `{number}`", *rest] for number, (expression, *rest) in enumerate(triples)]
    return book_bid(
        900, limit=10**15, quantity=10_000, requirements=[*triples, ["nobody.has", "eq", "this"]], placed=-10
    )


@settings(max_examples=40)
@given(books())
def test_a_hostile_bid_that_gets_nothing_leaves_the_others_what_they_have(market):
    bids, offers = market
    alone = greedy.clear(Book(bids=bids, offers=offers), 0, value)
    hostile = hostile_bid(12)
    beside = greedy.clear(Book(bids=[*bids, hostile], offers=offers), 0, value)
    assert beside.awards == alone.awards
    classes = len({offer.hardware.digest for offer in offers})
    assert beside.evaluations - alone.evaluations <= 12 * classes


def test_a_bid_with_all_triples_it_may_have_costs_one_evaluation_for_each_class():
    offers = [book_offer(number, document={"kind": number % 3, "text": "ab" * 100}) for number in range(30)]
    hostile = hostile_bid(MAX_REQUIREMENTS)
    documents = {offer.hardware.digest: offer.hardware.document for offer in offers}

    cleared = greedy.clear(Book(bids=[hostile, *(book_bid(n) for n in range(20))], offers=offers), 0, value)

    assert len(cleared.awards) == 20
    assert cleared.evaluations == MAX_REQUIREMENTS * len(documents)
    for requirement in hostile.requirements:
        for document in documents.values():
            assert within_budget(requirement.expression, document)


@dataclass(frozen=True)
class CountedExpression:
    """An expression that counts how often it is evaluated."""

    text: str
    seen: list[object] = field(default_factory=list, compare=False)

    def evaluate(self, document):
        self.seen.append(document)
        return len(self.seen)


def test_racks_and_sites_are_looked_up_once_for_what_cannot_differ():
    offers = [
        book_offer(number, document={"kind": number % 3}, owner_project_id=f"owner-{number % 4}")
        for number in range(120)
    ]
    by, together = CountedExpression("by"), CountedExpression("together")
    bids = [
        book_bid(number, quantity=5, end=90 * 3600, duration=3600, spread=Spread(by, 1), together=together)
        for number in range(10)
    ]
    greedy.clear(Book(bids=bids, offers=offers), 0, value)
    kinds_of_each_owner = 12
    assert len(by.seen) <= kinds_of_each_owner
    assert len(together.seen) <= kinds_of_each_owner


def test_a_bid_for_more_nodes_than_there_are_is_refused_by_counting():
    offers = [book_offer(number) for number in range(200)]
    many = book_bid(1, quantity=10_000, end=50 * 3600, duration=3600, offer_uuids=frozenset(uid(n) for n in range(200)))
    assert calls(lambda: greedy.clear(Book(bids=[many], offers=offers), 0, value)) < 100 * len(offers)


def test_placing_a_hostile_bid_looks_at_each_offer_a_bounded_number_of_times():
    # Each offer has a start of its own: every start against every offer would be 4 * 200 * 200 calls.
    offers = 200
    for (book, bid), (_, cost) in load("hostile_bids").measure(offers).items():
        assert cost.calls <= 250 * offers, f"{bid} in {book}"
