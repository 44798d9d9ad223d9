# SPDX-License-Identifier: Apache-2.0
from itertools import permutations
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_market.domain import greedy
from flocx_market.domain.book import Book
from flocx_market.domain.engine import UNBOUNDED, Effort
from flocx_market.domain.optimal import clear
from flocx_market.domain.optimal.allotment import Allotment
from flocx_market.domain.optimal.meter import Meter
from flocx_market.domain.optimal.prices import best_choice, options, paid_until
from flocx_market.domain.optimal.problem import Served, state
from flocx_market.domain.optimal.relaxation import Relaxation
from flocx_market.domain.optimal.result import awards_of, fill_up
from flocx_market.domain.optimal.solver import Solver
from flocx_market.domain.ranking import price_time, value
from tests.builders import HOUR, book_bid, book_offer, uid
from tests.unit.market.exhaustive import assert_keeps_the_rules, fits, greatest_surplus, some_open_bid_fits
from tests.unit.market.markets import books

highspy = pytest.importorskip("highspy", reason="highspy is not installed; the extra is called optimal")

RANKINGS = [price_time, value]
NOW = 0


def cleared(bids, offers, ranking=value, now=NOW, shortest=0, effort=UNBOUNDED, **more):
    return clear(Book(bids=bids, offers=offers, shortest=shortest), now, ranking, effort, **more)


def outcome(result):
    awards = [
        (award.bid.uuid, award.contract.begin, award.contract.end, [offer.uuid for offer in award.offers])
        for award in result.awards
    ]
    return awards, [bid.uuid for bid in result.left], result.report


@pytest.mark.parametrize("ranking", RANKINGS)
@settings(max_examples=150, deadline=None)
@given(market=books(), now=st.integers(0, 4), shortest=st.integers(0, 2))
def test_a_tiny_market_is_cleared_at_its_greatest_surplus_within_the_rules(ranking, market, now, shortest):
    bids, offers = market
    result = cleared(bids, offers, ranking, now, shortest)
    assert_keeps_the_rules(result.awards, bids, offers, now, shortest)
    assert result.surplus == greatest_surplus(bids, offers, now, shortest) <= result.report.bound
    assert not some_open_bid_fits(result.awards, result.left, offers, now, shortest)
    assert {bid.uuid for bid in result.left} | {award.bid.uuid for award in result.awards} == {b.uuid for b in bids}
    assert result.report.engine == "optimal"
    assert result.report.stopped is None


def contested(scale=1, shift=0):
    """A market too large to be looked at all at once: bids for nodes of three kinds, each at two prices.

    :param scale: the length of one step of time.
    :param shift: how much each bid's window is further off the steps than the one's before.
    """
    offers = [
        book_offer(n, reserve=1 + n // 6, free=[(0, 40 * scale)], document={"cpus": 16 << (n % 3)}, turnaround=scale)
        for n in range(9)
    ]
    bids = [
        book_bid(
            n,
            quantity=1 + n % 3,
            begin=n % 4 * scale + n * shift,
            end=(n % 4 + 12 + n % 5) * scale + n * shift,
            duration=(6 + n % 7) * scale if n % 2 == 0 else None,
            limit=8 + 5 * n % 11,
            requirements=[["cpus", "==", 16 << (n % 3)]],
        )
        for n in range(60)
    ]
    return bids, offers


@pytest.mark.parametrize("ranking", RANKINGS)
def test_a_market_too_large_for_one_look_is_improved_on_within_the_rules(ranking):
    bids, offers = contested()
    first = greedy.clear(Book(bids=bids, offers=offers), NOW, ranking)
    result = cleared(bids, offers, ranking, effort=Effort(work=25))
    assert first.surplus < result.surplus <= result.report.bound
    assert result.report.work > 10
    assert_keeps_the_rules(result.awards, bids, offers, NOW)
    assert not some_open_bid_fits(result.awards, result.left, offers, NOW)


@settings(max_examples=50, deadline=None)
@given(market=books(most_bids=3, most_nodes=3), data=st.data())
def test_the_order_of_a_tiny_input_does_not_matter(market, data):
    bids, offers = market
    shuffled = data.draw(st.permutations(bids)), data.draw(st.permutations(offers))
    assert outcome(cleared(bids, offers)) == outcome(cleared(*shuffled))


@pytest.mark.parametrize("work", [1, 5, 20])
def test_the_same_work_gives_the_same_result_in_any_order_of_the_input(work):
    bids, offers = contested(scale=HOUR)
    one = cleared(bids, offers, effort=Effort(work=work))
    other = cleared(bids[::-1], [*offers[3:], *offers[:3]], effort=Effort(work=work))
    assert outcome(one) == outcome(other)


@pytest.mark.parametrize("work", [1, 5])
def test_a_result_that_the_work_limit_cut_short_says_so_and_is_no_worse_than_greedy(work):
    bids, offers = contested()
    first = greedy.clear(Book(bids=bids, offers=offers), NOW, price_time)
    result = cleared(bids, offers, price_time, effort=Effort(work=work))
    assert (result.report.stopped, result.report.work) == ("work", work)
    assert first.surplus <= result.surplus <= result.report.bound


def assert_sold_once(awards):
    """Fail unless every award lies in its bid's window and free windows, and no node is in two of them at once."""
    used = []
    for award in awards:
        begin, end = award.contract.begin, award.contract.end
        assert award.bid.starting(NOW) <= begin <= award.bid.latest_start(NOW)
        assert end - begin == award.bid.length(NOW)
        assert all(any(span.begin <= begin and end <= span.end for span in offer.free) for offer in award.offers)
        assert fits((begin, end, award.offers), used)
        used += [(offer.node_uuid, begin, end) for offer in award.offers]


class Ticking:
    """A clock that goes on by a second whenever somebody looks at it."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        self.now += 1
        return self.now


def test_a_result_that_the_time_cut_short_says_so():
    bids, offers = contested()
    result = cleared(bids, offers, effort=Effort(seconds=8), clock=Ticking())
    assert result.report.stopped == "time"
    assert 0 < result.report.work < 8
    assert_keeps_the_rules(result.awards, bids, offers, NOW)


def test_without_a_time_limit_nobody_looks_at_the_clock():
    bids, offers = contested(4, 3)
    clock = Ticking()
    cleared(bids, offers, clock=clock, effort=Effort(work=3))
    assert clock.now == 0


def missing():
    raise ImportError("No module named 'highspy'")


class Refusing(highspy.Highs):
    """A solver that accepts no program."""

    def passModel(self, *model):  # noqa: N802 - the solver's own name
        return highspy.HighsStatus.kError


class GivingUp(highspy.Highs):
    """A solver that finds no answer."""

    def run(self):
        return highspy.HighsStatus.kError


class Raising(highspy.Highs):
    """A solver that has no memory left."""

    def run(self):
        raise MemoryError("none left")


def with_solver(kind):
    """Return highspy with another solver in it."""
    module = ModuleType("highspy")
    module.__dict__.update({**vars(highspy), "Highs": kind})
    return {"loader": lambda: module}


class Watch:
    """A clock that goes on only where it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def slow(watch, seconds, began):
    """Return a solver whose linear programs take so many seconds each; ``began`` gets the time at which they begin."""

    class Slow(highspy.Highs):
        def setOptionValue(self, name, value):  # noqa: N802 - the solver's own name
            self.linear = getattr(self, "linear", False) or (name, value) == ("solver", "ipm")
            return super().setOptionValue(name, value)

        def run(self):
            if self.linear:
                began.append(watch.now)
                watch.now += seconds
            else:
                watch.now += 1
            return super().run()

    return with_solver(Slow)


def test_a_linear_program_that_could_hardly_end_in_time_is_not_begun_and_the_search_goes_on():
    bids, offers = contested(scale=HOUR, shift=7)
    watch, began = Watch(), []
    result = cleared(bids, offers, effort=Effort(seconds=40), clock=watch, **slow(watch, 10, began))
    assert began == [0, 13]
    assert watch.now > 30
    assert result.report.stopped == "time"


@pytest.mark.parametrize(("taken", "left"), [(1, 94), (10, 70)])
def test_time_is_kept_for_handing_out_the_nodes(taken, left):
    watch = Watch()
    meter = Meter(Effort(seconds=100), watch)
    watch.now += taken
    meter.keep()
    assert meter.left() == left


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"loader": missing}, "highspy cannot be imported: No module named 'highspy'"),
        (with_solver(Refusing), "the solver did not accept a program"),
        (with_solver(GivingUp), "the solver failed: Not Set"),
        (with_solver(Raising), "the solver failed: MemoryError: none left"),
        ({"most_pairs": 20}, "it has more than 20 pairs of a bid and of offers that differ"),
    ],
)
def test_what_the_engine_cannot_do_greedy_does_and_the_report_says_why(more, reason):
    bids, offers = contested()
    first = greedy.clear(Book(bids=bids, offers=offers), NOW, value)
    result = cleared(bids, offers, **more)
    assert outcome(result)[:2] == outcome(first)[:2]
    assert (result.report.engine, result.report.reason, result.report.bound) == ("greedy", reason, None)


def test_limits_beyond_what_64_bits_hold_are_left_to_greedy():
    result = cleared([book_bid(1, limit=1 << 50)], [book_offer(1)])
    assert [award.bid.uuid for award in result.awards] == [uid(5001)]
    assert result.report.engine == "greedy"
    assert "64 bits" in result.report.reason


def test_two_short_bids_win_over_the_long_one_that_greedy_prefers():
    bids = [
        book_bid(1, limit=10),
        book_bid(2, limit=15, end=5 * HOUR),
        book_bid(3, limit=15, begin=5 * HOUR),
    ]
    result = cleared(bids, [book_offer(1, reserve=0)])
    assert {award.bid.uuid for award in result.awards} == {uid(5002), uid(5003)}
    assert result.report.bound == result.surplus == 150 * HOUR


def test_two_offers_of_one_node_keep_its_turnaround_between_them():
    common = {"node_uuid": uid(1000), "turnaround": HOUR}
    offers = [book_offer(1, free=[(0, 5 * HOUR)], **common), book_offer(2, free=[(5 * HOUR, 10 * HOUR)], **common)]
    bids = [book_bid(1, end=5 * HOUR), book_bid(2, begin=5 * HOUR), book_bid(3, begin=6 * HOUR)]
    result = cleared(bids, offers)
    assert {award.bid.uuid for award in result.awards} == {uid(5001), uid(5003)}


def test_starts_at_odd_seconds_are_rounded_and_still_cleared_within_the_rules_and_the_bound():
    bids, offers = contested(scale=HOUR, shift=7)
    first = greedy.clear(Book(bids=bids, offers=offers), NOW, value)
    result = cleared(bids, offers, effort=Effort(work=12))
    assert_sold_once(result.awards)
    assert first.surplus <= result.surplus <= result.report.bound


def test_among_equally_good_results_the_order_of_the_input_does_not_decide():
    bids = [
        book_bid(1, limit=10),
        book_bid(2, limit=15, end=5 * HOUR, placed=0),
        book_bid(3, limit=15, end=5 * HOUR, placed=0),
        book_bid(4, limit=15, begin=5 * HOUR, placed=0),
        book_bid(5, limit=15, begin=5 * HOUR, placed=0),
    ]
    outcomes = [outcome(cleared(order, [book_offer(1, reserve=0)])) for order in permutations(bids)]
    assert len(outcomes[0][0]) == 2
    assert all(one == outcomes[0] for one in outcomes)


def test_nodes_are_handed_out_with_their_turnaround_between_contracts():
    offers = [book_offer(n, turnaround=HOUR) for n in (1, 2)]
    bids = [book_bid(n, begin=begin * HOUR, end=(begin + 5) * HOUR) for n, begin in enumerate((0, 5, 6))]
    problem = state(bids, offers, NOW)
    assert [len(group.nodes) for group in problem.openings.groups] == [2]
    allotment = Allotment(problem)
    for bid in range(3):
        allotment.give(bid, Served(0, 0, np.array([0]), np.array([1])))
    assert (allotment.room >= 0).all()
    awards = awards_of(problem, allotment)
    assert len(awards) == 3
    assert_sold_once(awards)


def test_what_is_left_over_is_given_to_the_bids_that_are_left_in_the_order_of_the_ranking():
    bids, offers = contested()
    book = Book(bids=bids, offers=offers)
    first = greedy.clear(book, NOW, value)
    some = first.awards[::2]
    result = fill_up(book, NOW, value, some, first.report)
    assert {award.bid.uuid for award in some} < {award.bid.uuid for award in result.awards}
    assert_keeps_the_rules(result.awards, bids, offers, NOW)
    assert not some_open_bid_fits(result.awards, result.left, offers, NOW)


def relaxed(bids, offers):
    problem = state(bids, offers, NOW)
    return problem, Relaxation(problem, Solver())


def test_prices_found_bid_by_bid_bring_the_bound_near_the_surplus_and_never_below():
    bids, offers = contested()
    best = cleared(bids, offers, effort=Effort(work=60)).surplus
    _, relaxation = relaxed(bids, offers)
    without = relaxation.bound
    for _ in range(12):
        relaxation.descend()
    assert best <= relaxation.settle().bound < best + (without - best) // 3


def test_prices_found_bid_by_bid_do_better_than_greedy_before_any_linear_program():
    bids, offers = contested()
    first = greedy.clear(Book(bids=bids, offers=offers), NOW, price_time)
    result = cleared(bids, offers, price_time, effort=Effort(work=3))
    assert result.report.work == 3
    assert first.surplus < result.surplus <= result.report.bound


@settings(max_examples=60, deadline=None)
@given(market=books(), seed=st.integers(0, 1000))
def test_a_bid_takes_the_best_of_all_starts_and_values_at_prices(market, seed):
    bids, offers = market
    problem = state(sorted(bids, key=lambda bid: bid.uuid), sorted(offers, key=lambda offer: offer.uuid), NOW)
    until = paid_until(problem, np.random.default_rng(seed).integers(0, 8, problem.shape))
    for (best, _), wanted in zip(options(problem, until, parts=6, cover=1.0), problem.wanted, strict=True):
        served = best_choice(wanted, until)
        if served is None:
            assert best <= 0
            continue
        ends = wanted.starts.least_end[wanted.row[served.openings], served.start]
        groups, begin = wanted.group[served.openings], wanted.starts.least_begin[served.start]
        paid = (served.nodes * (until[groups, np.maximum(ends, begin)] - until[groups, begin])).sum()
        assert wanted.surplus(served) - paid == best
        assert served.nodes.sum() == wanted.bid.quantity
