# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.window import TimeWindow, free_windows
from tests.builders import NOW, at


def seconds(window: TimeWindow, horizon: int) -> set[int]:
    """The whole seconds of a window, counted from NOW, below a horizon."""
    end = horizon if window.end is None else int((window.end - NOW).total_seconds())
    return set(range(int((window.start - NOW).total_seconds()), min(end, horizon)))


def window(start: int, length: int | None) -> TimeWindow:
    begin = NOW + timedelta(seconds=start)
    return TimeWindow(begin, None if length is None else begin + timedelta(seconds=length))


windows = st.builds(window, st.integers(0, 40), st.one_of(st.none(), st.integers(1, 20)))
closed_windows = st.builds(window, st.integers(0, 40), st.integers(1, 20))


def test_naive_bounds_are_refused():
    with pytest.raises(ValueError, match="naive"):
        TimeWindow(datetime(2027, 1, 1), None)  # noqa: DTZ001


def test_fractions_of_a_second_are_refused():
    with pytest.raises(ValueError, match="whole seconds"):
        TimeWindow(NOW, NOW + timedelta(seconds=1.5))


def test_an_empty_window_is_refused():
    with pytest.raises(ValueError, match="empty"):
        TimeWindow(NOW, NOW)


def test_bounds_come_out_in_utc():
    east = timezone(timedelta(hours=5))
    assert TimeWindow(datetime(2027, 1, 1, 17, tzinfo=east), None).start == datetime(2027, 1, 1, 12, tzinfo=UTC)
    assert TimeWindow(datetime(2027, 1, 1, 17, tzinfo=east), None).start.tzinfo is UTC


def test_windows_that_only_touch_do_not_overlap():
    assert not TimeWindow(at(0), at(1)).overlaps(TimeWindow(at(1), at(2)))
    assert not TimeWindow(at(1), at(2)).overlaps(TimeWindow(at(0), at(1)))


def test_the_start_is_inside_and_the_end_is_not():
    one = TimeWindow(at(0), at(1))
    assert at(0) in one
    assert at(1) not in one


@given(windows, windows)
def test_overlap_is_sharing_a_second(a, b):
    assert a.overlaps(b) == bool(seconds(a, 100) & seconds(b, 100))
    assert a.overlaps(b) == b.overlaps(a)


@given(windows, windows)
def test_covering_is_having_every_second(a, b):
    assert a.covers(b) == (seconds(b, 100) <= seconds(a, 100) and (a.end is None or b.end is not None))


@given(windows, windows)
def test_minus_leaves_exactly_the_seconds_not_taken(a, b):
    left = a.minus(b)
    assert set().union(*(seconds(piece, 100) for piece in left)) == seconds(a, 100) - seconds(b, 100)
    assert list(left) == sorted(left, key=lambda piece: piece.start)


@given(windows, st.lists(closed_windows, max_size=5), st.integers(0, 5), st.one_of(st.none(), st.integers(0, 50)))
def test_free_windows_are_what_is_not_taken_nor_too_near_to_it_nor_past(whole, taken, margin, past):
    not_before = None if past is None else NOW + timedelta(seconds=past)
    free = free_windows(whole, taken, margin=timedelta(seconds=margin), not_before=not_before)
    blocked = set()
    for one in taken:
        start, end = min(seconds(one, 100)), max(seconds(one, 100)) + 1
        blocked |= set(range(start - margin, end + margin))
    expected = {s for s in seconds(whole, 200) - blocked if past is None or s >= past}
    assert set().union(*(seconds(piece, 200) for piece in free)) == expected
    assert all(not a.overlaps(b) for a in free for b in free if a is not b)


def test_turnaround_is_not_cut_at_the_ends_of_the_offer():
    free = free_windows(TimeWindow(at(0), at(10)), [], margin=timedelta(hours=1))
    assert free == (TimeWindow(at(0), at(10)),)


def test_an_offer_that_is_over_has_no_free_windows():
    assert free_windows(TimeWindow(at(0), at(1)), [], not_before=at(1)) == ()
