# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.errors import CursorInvalid, MarkerUnknown
from flocx_common.domain.paging import Filter, ListQuery, SortKey, cursor_number, cursor_text, paged


@dataclass(frozen=True)
class Thing:
    uuid: str
    size: int | None


things = st.lists(
    st.builds(Thing, st.integers(0, 30).map(lambda n: f"{n:02}"), st.one_of(st.none(), st.integers(0, 3))),
    unique_by=lambda thing: thing.uuid,
    max_size=12,
)


@given(things, st.integers(1, 5), st.booleans())
def test_pages_put_together_are_the_whole_list_in_order(found, limit, descending):
    query = ListQuery(sort=(SortKey("size", descending),), limit=limit)
    seen, marker = [], None
    while True:
        page = paged(found, ListQuery(sort=query.sort, limit=limit, marker=marker), getattr)
        seen += page.items
        if not page.more:
            break
        marker = page.items[-1].uuid
    assert sorted(thing.uuid for thing in seen) == sorted(thing.uuid for thing in found)
    ranks = [(thing.size is None, thing.size or 0) for thing in seen]
    assert ranks == sorted(ranks, reverse=descending)


def test_filters_are_applied_before_the_page():
    found = [Thing("a", 1), Thing("b", 2), Thing("c", None)]
    query = ListQuery(filters=(Filter("size", "gte", (2,)),), limit=1)
    assert [thing.uuid for thing in paged(found, query, getattr).items] == ["b"]
    assert [t.uuid for t in paged(found, ListQuery(filters=(Filter("size", "in", (1, 2)),)), getattr).items] == [
        "a",
        "b",
    ]


def test_an_unknown_marker_is_refused():
    with pytest.raises(MarkerUnknown):
        paged([Thing("a", 1)], ListQuery(marker="z"), getattr)


@given(st.integers(0, 2**63))
def test_a_cursor_is_read_back(number):
    assert cursor_number(cursor_text(number)) == number


@pytest.mark.parametrize("text", ["", "x", "YzE6", "YzE6LTE", "!!!!", "YzE6MDE", cursor_text(1) + "="])
def test_what_was_never_given_out_is_refused(text):
    with pytest.raises(CursorInvalid):
        cursor_number(text)
