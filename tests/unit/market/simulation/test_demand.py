# SPDX-License-Identifier: Apache-2.0
"""Which reservations are demand."""

import pytest

from flocx_market.simulation.demand import Attempts, Rows, wishes
from tests.unit.market.simulation.made import DAY, HOUR, reservation


def counted(*reservations, rows=Rows.ALL, attempts=Attempts.LAST, within=HOUR):
    return wishes(reservations, rows=rows, attempts=attempts, within=within)


def at(seconds, *window, **over):
    return reservation(*(window or (10, 20)), submitted=DAY + seconds, **over)


def test_a_check_and_the_submission_after_it_are_one_wish_from_the_first_time_it_was_said():
    assert counted(at(0), at(20)) == [at(0)]


def test_the_same_words_are_the_same_wish_however_much_later():
    assert counted(at(0, refused=True), at(9 * HOUR, refused=True)) == [at(0, refused=True)]


@pytest.mark.parametrize(("attempts", "expected"), [(Attempts.LAST, (12, 22)), (Attempts.FIRST, (10, 20))])
def test_of_attempts_that_follow_each_other_one_counts(attempts, expected):
    chain = [at(0, 10, 20, refused=True), at(60, 11, 21, refused=True), at(120, 12, 22)]
    [one] = counted(*chain, attempts=attempts)
    assert (one.begin, one.end) == (DAY + expected[0] * HOUR, DAY + expected[1] * HOUR)


def test_each_attempt_counts_when_it_is_said_so():
    chain = [at(0), at(60), at(120, 12, 22)]
    assert counted(*chain, attempts=Attempts.EACH) == chain


@pytest.mark.parametrize(
    "other",
    [
        at(60, 20, 30),
        at(2 * HOUR, 12, 22),
        at(60, 12, 22, project="q"),
        at(60, 12, 22, site="south"),
        at(60, 12, 22, node_type="small"),
    ],
    ids=["another time", "long after", "another project", "another site", "another type"],
)
def test_what_is_another_wish_stays_one(other):
    assert len(counted(at(0), other)) == 2


def test_an_attempt_follows_within_the_given_time_and_not_later():
    assert len(counted(at(0), at(60, 12, 22), within=60)) == 1
    assert len(counted(at(0), at(60, 12, 22), within=59)) == 2


def test_lines_without_nodes_or_without_length_are_no_demand():
    assert counted(at(0, 10, 10), at(0, 10, 9), at(0, nodes=0), at(0, -10, 0)) == []


@pytest.mark.parametrize(("rows", "kept"), [(Rows.ALL, "abc"), (Rows.NOT_REFUSED, "ac"), (Rows.APPROVED, "c")])
def test_which_lines_are_looked_at_is_chosen(rows, kept):
    lines = [at(0, project="a"), at(0, project="b", refused=True), at(0, project="c", approved=True)]
    assert "".join(one.project for one in counted(*lines, rows=rows)) == kept


def test_the_order_of_the_file_does_not_matter():
    lines = [at(0), at(20), at(60, 12, 22), at(0, project="q"), at(30, project="q", refused=True)]
    assert counted(*lines) == counted(*reversed(lines))
