# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.errors import RequirementInvalid
from flocx_market.domain.requirements import MAX_REQUIREMENTS, as_number, parse_requirements
from tests.data import published

#: What an inspected machine looks like, as far as the published examples go.
DOCUMENT = {
    "cpu_arch": "x86_64",
    "memory_mb": "49152",
    "inventory": {
        "cpu": {"count": 32, "flags": ["fpu", "vmx"], "frequency": "2199.0"},
        "disks": [{"rotational": True}, {"rotational": True}],
        "system_vendor": {"manufacturer": "Dell Inc.", "product_name": "PowerEdge M620"},
    },
    "empty": [],
    "yes": True,
    "none": None,
}

PUBLISHED = [
    (["cpu_arch", "eq", "x86_64"], True),
    (["memory_mb", ">=", 48000], True),
    (["inventory.cpu.count", ">=", 16], True),
    (["inventory.cpu.flags", "contains", "vmx"], True),
    (["inventory.cpu.flags", "!contains", "vmx"], False),
    (["length(inventory.disks[?rotational==`true`])", ">=", 2], True),
    (["inventory.disks[?rotational==`true`]", None, None], True),
    (["inventory.system_vendor.manufacturer", "matches", "Dell"], True),
    (["inventory.system_vendor.product_name", "matches", "PowerEdge M620"], True),
]


def holds(triple, document=DOCUMENT) -> bool:
    return parse_requirements([triple])[0].holds(document)


@pytest.mark.parametrize(("triple", "expected"), PUBLISHED)
def test_the_published_examples_hold(triple, expected):
    assert holds(triple) is expected


@pytest.mark.parametrize(("triple", "expected"), PUBLISHED)
def test_the_published_examples_hold_on_the_published_document(triple, expected):
    document = json.loads(published("ironic-introspection-sample.txt").read_text())
    assert holds(triple, document) is expected


@pytest.mark.parametrize(
    ("triple", "expected"),
    [
        (["inventory.cpu.count", "==", 32.0], True),
        (["inventory.cpu.count", "==", "32"], True),
        (["inventory.cpu.count", "!=", 32], False),
        (["inventory.cpu.count", "!=", 31], True),
        (["inventory.cpu.frequency", "<", 2200], True),
        (["inventory.cpu.frequency", "<=", "2199"], True),
        (["inventory.cpu.frequency", ">", 2199], False),
        (["yes", "==", 1], False),
        (["yes", "!=", 1], False),
        (["cpu_arch", "==", 1], False),
        (["inventory.cpu.count", "eq", "32"], False),
        (["cpu_arch", "ne", "aarch64"], True),
        (["cpu_arch", "startswith", "x86"], True),
        (["cpu_arch", "endswith", "_64"], True),
        (["cpu_arch", "matches", "^x.*4$"], True),
        (["cpu_arch", "matches", "86"], True),
        (["cpu_arch", "!matches", "86"], False),
        (["cpu_arch", "in", ["aarch64", "x86_64"]], True),
        (["inventory.cpu.count", "in", [32.0]], True),
        (["inventory.cpu.count", "in", ["32"]], False),
        (["yes", "in", [1]], False),
        (["inventory.cpu.flags", "in", [["fpu", "vmx"]]], True),
        (["inventory.system_vendor.manufacturer", "contains", "Dell"], True),
        (["inventory.system_vendor.manufacturer", "contains", 1], False),
        (["inventory.disks", "contains", {"rotational": True}], True),
        (["inventory.disks", "contains", {"rotational": 1}], False),
        (["empty", None, None], False),
        (["empty", "!", None], True),
        (["yes", None, None], True),
        (["yes", "!", None], False),
        (["inventory.cpu.count", "!>=", 64], True),
        (["inventory.cpu.count", "!==", 32], False),
        (["inventory.cpu.count", "!!=", 32], True),
    ],
)
def test_operators_mean_what_the_rules_say(triple, expected):
    assert holds(triple) is expected


@pytest.mark.parametrize("missing", ["missing", "none", "cpu_arch.deeper"])
@pytest.mark.parametrize(
    ("operator", "value"),
    [("==", 1), ("!=", 1), ("<", 1), (">=", 0), ("eq", "x"), ("ne", "x"), ("startswith", ""), ("matches", ""),
     ("in", [None]), ("contains", None), (None, None)],
)  # fmt: skip
def test_a_missing_attribute_holds_for_nothing_and_for_every_negation(missing, operator, value):
    negated = "!" if operator is None else f"!{operator}"
    assert not holds([missing, operator, value])
    assert holds([missing, negated, value])


@pytest.mark.parametrize(
    ("path", "operator", "value", "document", "expected"),
    [
        ("cpu_arch", "eq", "amd64", {"cpu_arch": "x86_64"}, True),
        ("cpu_arch", "eq", "x86_64", {"cpu_arch": "amd64"}, True),
        ("cpu_arch", "ne", "arm64", {"cpu_arch": "aarch64"}, False),
        ("inventory.cpu_arch", "in", ["arm64"], {"inventory": {"cpu_arch": "aarch64"}}, True),
        ("all.cpu_arch", "contains", "amd64", {"all": {"cpu_arch": ["x86_64"]}}, True),
        ("cpu_arch", "matches", "amd64", {"cpu_arch": "x86_64"}, False),
        ("cpu_arch", "startswith", "amd", {"cpu_arch": "amd64"}, True),
        ("architecture", "eq", "amd64", {"architecture": "x86_64"}, False),
    ],
)
def test_architectures_are_compared_by_one_name(path, operator, value, document, expected):
    assert holds([path, operator, value], document) is expected


@pytest.mark.parametrize(
    ("raw", "field", "problem"),
    [
        ("cpus", "requirements", "list of triples"),
        ([["cpus", "=="]], "requirements[0]", "[expression, operator, value]"),
        ([["cpus", "==", 1, 2]], "requirements[0]", "[expression, operator, value]"),
        (["cpus"], "requirements[0]", "[expression, operator, value]"),
        ([[1, "==", 1]], "requirements[0].expression", "JMESPath"),
        ([["cpus", "==", 1], ["cpu[", "==", 1]], "requirements[1].expression", "ends too early"),
        ([["cpus", "=", 1]], "requirements[0].operator", "unknown"),
        ([["cpus", "null", None]], "requirements[0].operator", "unknown"),
        ([["cpus", "!!==", 1]], "requirements[0].operator", "unknown"),
        ([["cpus", 5, 1]], "requirements[0].operator", "one of"),
        ([["cpus", None, 1]], "requirements[0].value", "null is expected"),
        ([["cpus", "!", 1]], "requirements[0].value", "null is expected"),
        ([["cpus", "==", True]], "requirements[0].value", "finite number"),
        ([["cpus", ">=", "many"]], "requirements[0].value", "finite number"),
        ([["cpus", ">=", "1e999"]], "requirements[0].value", "finite number"),
        ([["a", "eq", 1]], "requirements[0].value", "string is expected"),
        ([["a", "matches", 1]], "requirements[0].value", "regular expression is expected"),
        ([["a", "matches", "(a"]], "requirements[0].value", "no RE2"),
        ([["a", "matches", "(?=a)"]], "requirements[0].value", "no RE2"),
        ([["a", "matches", r"(a)\1"]], "requirements[0].value", "no RE2"),
        ([["a", "matches", "x" * 513]], "requirements[0].value", "characters long"),
        ([["a", "matches", "((a{1000}){1000}){1000}"]], "requirements[0].value", "no RE2"),
        ([["a", "in", "x"]], "requirements[0].value", "list is expected"),
        ([["a", "in", list(range(5000))]], "requirements[0].value", "too large"),
        ([["a", "contains", json.loads("[" * 40 + "]" * 40)]], "requirements[0].value", "too large"),
        ([["a", "==", 1]] * (MAX_REQUIREMENTS + 1), "requirements", "at most 64"),
    ],
)
def test_everything_wrong_is_found_when_the_bid_is_placed(raw, field, problem):
    with pytest.raises(RequirementInvalid) as refused:
        parse_requirements(raw)
    assert refused.value.field == field
    assert problem in refused.value.detail
    assert refused.value.detail.startswith(field)
    assert len(refused.value.detail) < 500


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1), (1.5, 1.5), ("1", 1), ("-2.50", -2.5), ("1e3", 1000.0), ("0", 0)]
    + [(bad, None) for bad in (True, None, "", "x", " 1", "1 ", "+1", "01", "1.", ".5", "1_0", "٣", "nan", "1e999", [], {})],
)  # fmt: skip
def test_numbers_are_finite_json_numbers_and_strings_that_are_one(value, number):
    assert as_number(value) == number
    assert type(as_number(value)) is not bool


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([1.5, "", "1", "x", "x86_64", float("inf")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
operators = st.sampled_from(
    [None, "==", "!=", "<", "<=", ">", ">=", "eq", "ne", "startswith", "endswith", "matches", "in", "contains"]
)


@given(operators, json_values, st.dictionaries(st.sampled_from(["a", "cpu_arch"]), json_values, max_size=2))
def test_a_placed_requirement_never_raises_and_negation_is_plain_not(operator, value, document):
    negated = "!" if operator is None else f"!{operator}"
    try:
        plain, opposite = parse_requirements([["a", operator, value], ["a", negated, value]])
    except RequirementInvalid:
        return
    assert plain.holds(document) is not opposite.holds(document)


@given(operators, json_values, operators, json_values)
def test_equal_triples_share_a_key_and_others_do_not(first, one, second, other):
    try:
        a, b = parse_requirements([["a", first, one], ["a", second, other]])
    except RequirementInvalid:
        return
    same = first == second and json.dumps(one) == json.dumps(other)
    assert (a.key == b.key) or not same
