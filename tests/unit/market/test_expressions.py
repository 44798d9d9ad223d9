# SPDX-License-Identifier: Apache-2.0
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flocx_common.domain.errors import ExpressionInvalid
from flocx_common.domain.json_values import size_within
from flocx_market.domain import expressions
from flocx_market.domain.expressions import MAX_LENGTH, Expression, compile_expression, is_true

DOCUMENT = {
    "cpus": 32,
    "inventory": {"disks": [{"size": 4, "rotational": True}, {"size": 2, "rotational": False}], "flags": ["vmx"]},
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("cpus", 32),
        ("missing", None),
        ("cpus.deeper", None),
        ("inventory.disks[0].size", 4),
        ("length(inventory.disks[?rotational])", 1),
        ("inventory.disks[?rotational==`true`].size | [0]", 4),
        ("sum(inventory.disks[].size)", 6),
        ("max_by(inventory.disks, &size).size", 4),
        ("inventory.disks[].size == `[4, 2]`", True),
        ("cpus > `16`", True),
        ("'a' < 'b'", True),
        ("cpus < 'b'", None),
        ("to_string(inventory.flags)", '["vmx"]'),
        ("inventory.disks[::2].size", [4]),
        ("{a: cpus, b: [cpus]}", {"a": 32, "b": [32]}),
        ("*.flags[]", ["vmx"]),
        ("inventory.disks[?size == max(@)]", None),
        ("length(cpus)", None),
        ("to_number('1e999')", None),
    ],
)
def test_an_expression_gives_what_jmespath_says_and_null_where_it_fails(text, result):
    assert Expression(text).evaluate(DOCUMENT) == result


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("cpu[", "it ends too early"),
        ("a ||", "it ends too early"),
        ("'x", "at character"),
        ("a b", "unexpected 'b' at character 3"),
        ("foo(a)", "foo(), which is no JMESPath function"),
        ("length(a, b)", "length() with 2 arguments, not 1"),
        ("merge()", "merge() with 0 arguments, not at least 1"),
        ("a[::0]", "step is 0"),
        ("&a", "outside the arguments"),
        ("[&a]", "outside the arguments"),
        ("[" * 200, "more than 48 brackets"),
        ("!" * 100 + "a", "more than 48 brackets"),
        (" || ".join(["a"] * 100), "nests deeper than"),
        ("a" * (MAX_LENGTH + 1), "characters long"),
    ],
)
def test_what_is_wrong_with_an_expression_is_found_before_it_runs(text, problem):
    with pytest.raises(ExpressionInvalid) as refused:
        Expression(text)
    assert problem in refused.value.detail
    assert len(refused.value.detail) < 300


def test_a_long_path_is_fine():
    deep = {"a": 1}
    for _ in range(200):
        deep = {"a": deep}
    assert Expression(".".join(["a"] * 201)).evaluate(deep) == 1


@pytest.mark.parametrize(
    "text",
    [
        "|".join(["[@, @]"] * 46),
        "|".join(["[@, @][]"] * 23),
        "|".join(["{a: @, b: @}"] * 40) + " | to_string(@)",
        "|".join(["[@, @]"] * 40) + " | @ == @",
        "|".join(["[@, @]"] * 40) + " | [?@ == @]",
        "|".join(["[@, @]"] * 40) + " | sort(@)",
        "|".join(["map(&[@, @], [@, @])"] * 8) + "|" + "|".join(["[@, @]"] * 16),
    ],
)
def test_an_expression_built_to_explode_gives_null_instead(text):
    # Without its bound none of these would ever come back.
    assert compile_expression(text).evaluate({"a": 1}) is None


def test_the_work_of_one_evaluation_is_bounded_in_steps(monkeypatch):
    monkeypatch.setattr(expressions, "MAX_STEPS", 10)
    assert Expression("inventory.disks[*].size").evaluate(DOCUMENT) == [4, 2]
    assert Expression("inventory.disks[*].[size, size, size, size]").evaluate(DOCUMENT) is None


def test_a_deeply_nested_result_gives_null():
    assert Expression("|".join(["[@]"] * 40)).evaluate(1) is not None
    assert Expression("`" + "[" * 300 + "]" * 300 + "`").evaluate(1) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "cpus"]), inner, max_size=3),
    max_leaves=15,
)
PIECES = [
    "a",
    "b",
    "cpus",
    "[0]",
    "[*]",
    "[]",
    ".*",
    "[?a]",
    "[?a>`1`]",
    "|",
    ".",
    "length(@)",
    "sort(a)",
    "@",
    "`1`",
    "keys(@)",
    "to_number(a)",
    "join(',', b)",
    "&a",
    "max_by(a, &b)",
    "!",
    "&&",
    "||",
    "==",
    "(",
    ")",
]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join), json_values)
@example("sort_by(@, &a)", [{"a": 1}, {"a": "x"}])
@example("a[?b == `1`].c", {"a": {}})
@example("max(@)", [1, "x", None])
def test_whatever_is_placed_evaluates_on_whatever_document(text, document):
    try:
        expression = Expression(text)
    except ExpressionInvalid:
        return
    result = expression.evaluate(document)
    assert size_within(result, expressions.MAX_RESULT) is not None


@given(st.text(max_size=40))
def test_no_text_breaks_the_check(text):
    with suppress(ExpressionInvalid):
        assert size_within(Expression(text).evaluate(DOCUMENT), expressions.MAX_RESULT) is not None


def test_truth_is_jmespaths():
    assert not any(is_true(value) for value in (None, False, "", [], {}))
    assert all(is_true(value) for value in (True, 0, 1, "x", [0], {"a": None}))
