# SPDX-License-Identifier: Apache-2.0
"""What is left free of an offer, in seconds as in instants."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.window import TimeWindow, free_windows
from flocx_market.domain.book import FOREVER, Span, to_instant, to_span
from flocx_market.domain.supply import left_free

SPANS = st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda one: Span(one[0], one[0] + one[1]))


def window(span):
    return TimeWindow(to_instant(span.begin), None if span.end == FOREVER else to_instant(span.end))


@given(
    SPANS | SPANS.map(lambda span: Span(span.begin, FOREVER)), st.lists(SPANS), st.integers(0, 5), st.integers(0, 60)
)
def test_it_is_what_free_windows_are(whole, taken, margin, since):
    expected = free_windows(
        window(whole), map(window, taken), margin=timedelta(seconds=margin), not_before=to_instant(since)
    )
    assert left_free(whole, taken, margin, since) == tuple(map(to_span, expected))
