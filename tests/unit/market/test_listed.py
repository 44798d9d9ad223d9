# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.errors import RequirementInvalid
from flocx_common.domain.json_values import digest
from flocx_market.domain.book import Hardware
from flocx_market.domain.listed import ListedValues
from flocx_market.domain.requirements import parse_requirements

NAN = float("nan")
scalars = st.sampled_from(
    [None, True, False, 0, 1, 1.0, -0.0, 2**53, 2.0**53, 2**53 + 1, 1.5, "", "1", "1.0", "true", "amd64", "x86_64"]
) | st.sampled_from([float("inf"), NAN])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
documents = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "cpu_arch"]), values, max_size=3), min_size=1, max_size=8
)
expressions = st.sampled_from(
    [
        "a",
        "cpu_arch",
        "a.b",
        "a || b",
        "[a, b]",
        "a[].b",
        "length(a)",
        "to_string(@)",
        "to_number(a)",
        "sum(a)",
        "a == b",
    ]
)
operators = st.sampled_from(
    [None, "==", "!=", "<", ">=", "eq", "ne", "startswith", "matches", "in", "contains"]
).flatmap(lambda name: st.sampled_from([name, "!" if name is None else f"!{name}"]))


@st.composite
def requirements(draw):
    wanted = draw(values | st.lists(st.sampled_from(["1", "amd64", "x86_64"]), max_size=2))
    triple = [draw(expressions), draw(operators), wanted]
    if triple[1] in (None, "!"):
        triple[2] = None
    try:
        return parse_requirements([triple])[0]
    except RequirementInvalid:
        return parse_requirements([[triple[0], "eq", "1"]])[0]


def kinds(found):
    return [Hardware(digest([number]), document) for number, document in enumerate(found)]


@given(documents, documents, st.lists(requirements(), min_size=1, max_size=6), st.sampled_from([0, 3, 10**6]))
def test_a_requirement_holds_where_it_does_when_evaluated_on_each_document_by_itself(first, more, asked, most):
    hardware = kinds(first)
    listed = ListedValues(hardware, most)
    early = [listed.meeting(requirement) for requirement in asked]
    hardware += kinds(more)
    for requirement, before in zip(asked, early, strict=True):
        expected = [requirement.holds(one.document) for one in hardware]
        assert before.tolist() == expected[: len(first)]
        assert listed.meeting(requirement, len(first)).tolist() == expected[len(first) :]


@given(documents, st.lists(requirements(), min_size=1, max_size=6))
def test_an_expression_is_evaluated_at_most_once_on_each_kind_of_hardware(found, asked):
    listed = ListedValues(kinds(found))
    for requirement in asked:
        listed.meeting(requirement)
    assert listed.evaluations <= len({requirement.expression.text for requirement in asked}) * len(found)


@given(documents, st.lists(requirements(), min_size=1, max_size=6))
def test_what_is_not_kept_is_evaluated_no_more_than_once_for_each_triple_and_kind(found, asked):
    listed = ListedValues(kinds(found), most=0)
    for requirement in asked:
        listed.meeting(requirement)
    assert listed.evaluations <= len(asked) * len(found)


def test_an_expression_is_evaluated_once_for_documents_that_agree_in_what_it_looks_at():
    listed = ListedValues(kinds({"disks": [{"size": number % 3}], "serial": str(number)} for number in range(30)))
    at_least, at_most = parse_requirements([["sum(disks[].size)", ">=", 1], ["sum(disks[].size)", "<=", 1]])
    assert listed.meeting(at_least).tolist() == [number % 3 >= 1 for number in range(30)]
    assert listed.meeting(at_most).tolist() == [number % 3 <= 1 for number in range(30)]
    assert listed.evaluations == 3


@pytest.mark.parametrize("expression", ["a", "a || b", "[a]"])
def test_a_value_that_nests_too_deep_to_be_compared_stops_nobody(expression):
    deep: list = []
    for _ in range(3_000):
        deep = [deep]
    hardware = kinds([{"a": deep}, {"a": deep}, {"a": [1]}])
    (requirement,) = parse_requirements([[expression, None, None]])
    expected = [requirement.holds(one.document) for one in hardware]
    assert ListedValues(hardware).meeting(requirement).tolist() == expected


@pytest.mark.parametrize("found", [[1, True, "1", [1], [True], ["1"], [1.0], None], [True, 1, [True], [1]]])
@pytest.mark.parametrize("triple", [["a", "==", 1], ["a", "in", [True]], ["a", "!contains", 1], ["a", "eq", "1"]])
def test_values_that_look_alike_are_told_apart(found, triple):
    (requirement,) = parse_requirements([triple])
    hardware = kinds({"a": value} for value in found)
    expected = [requirement.holds(one.document) for one in hardware]
    assert ListedValues(hardware).meeting(requirement).tolist() == expected
