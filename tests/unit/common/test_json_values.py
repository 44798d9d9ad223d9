# SPDX-License-Identifier: Apache-2.0
import json

from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.json_values import canonical_json, depth_of, digest, json_equal, size_within

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 1.5, "", "1", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)


def test_one_is_neither_true_nor_text():
    assert json_equal(1, 1.0)
    assert not json_equal(1, True)
    assert not json_equal(0, False)
    assert not json_equal(1, "1")
    assert not json_equal([1], [True])


@given(values, values)
def test_equal_values_have_one_text_and_others_have_not(a, b):
    assert json_equal(a, b) == (canonical_json(a) == canonical_json(b))
    assert json_equal(a, b) == (digest(a) == digest(b))


@given(values)
def test_the_canonical_text_is_the_value(value):
    assert json_equal(json.loads(canonical_json(value)), value)


def test_what_is_not_json_is_written_as_null():
    assert canonical_json([float("inf"), float("nan"), object()]) == "[null,null,null]"


def test_a_value_that_contains_itself_many_times_is_not_walked_through():
    value = ["x"]
    for _ in range(100):
        value = [value, value]
    assert size_within(value, 1000) is None


def test_long_text_counts_by_its_length():
    assert size_within("x" * 3200, 50) is None
    assert size_within("x" * 3200, 200) == 101


def test_depth_counts_lists_and_objects():
    assert depth_of(3) == 0
    assert depth_of([[], {"a": [1]}]) == 3
