# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flocx_client.osc.requirement_text import (
    RequirementTextError,
    format_requirement,
    parse_requirement,
    parse_requirements,
)
from flocx_market.domain import requirements as market
from tests.data import CHECKOUT

# The library's own remark on literals without quotes, which the market takes.
pytestmark = pytest.mark.filterwarnings("ignore:deprecated string literal syntax:PendingDeprecationWarning")

#: What people write -> the triple that it stands for -> how that is shown, where that differs.
SUGAR = [
    ("cpus >= 32", ["cpus", ">=", 32], None),
    ("cpus>=32", ["cpus", ">=", 32], "cpus >= 32"),
    ("  local_gb   <  1.5e3 ", ["local_gb", "<", 1500.0], "local_gb < 1500.0"),
    ("celsius > -5", ["celsius", ">", -5], None),
    ("memory_mb <= 65536", ["memory_mb", "<=", 65536], None),
    ('cpus >= "32"', ["cpus", ">=", "32"], None),
    ("cpus = 32", ["cpus", "==", 32], "cpus == 32"),
    ("cpus == 32", ["cpus", "==", 32], None),
    ("cpus != 32", ["cpus", "!=", 32], None),
    ("cpu_arch = aarch64", ["cpu_arch", "eq", "aarch64"], None),
    ("cpu_arch == aarch64", ["cpu_arch", "eq", "aarch64"], "cpu_arch = aarch64"),
    ("cpu_arch != aarch64", ["cpu_arch", "ne", "aarch64"], None),
    ("cpu_arch eq aarch64", ["cpu_arch", "eq", "aarch64"], "cpu_arch = aarch64"),
    ("serial = \"32\"", ["serial", "eq", "32"], None),
    ("serial ne 32", ["serial", "ne", "32"], 'serial != "32"'),
    ("cpu_model = Intel Xeon Gold 6230 @ 2.1", ["cpu_model", "eq", "Intel Xeon Gold 6230 @ 2.1"], None),
    ('cpu_model = "Intel Xeon"', ["cpu_model", "eq", "Intel Xeon"], "cpu_model = Intel Xeon"),
    ("cpu_model = 'Intel Xeon'", ["cpu_model", "eq", "Intel Xeon"], "cpu_model = Intel Xeon"),
    ("gpu.gpu_model ~ A100", ["gpu.gpu_model", "matches", "A100"], None),
    ("gpu.gpu_model ~ 100", ["gpu.gpu_model", "matches", "100"], None),
    ("gpu.gpu_model ~ ^[A-Z]+(100|200)$", ["gpu.gpu_model", "matches", "^[A-Z]+(100|200)$"], None),
    ("gpu.gpu_model matches A100", ["gpu.gpu_model", "matches", "A100"], "gpu.gpu_model ~ A100"),
    ("node startswith rack-1", ["node", "startswith", "rack-1"], None),
    ("node endswith true", ["node", "endswith", "true"], None),
    ("cpu_arch in (x86_64, aarch64)", ["cpu_arch", "in", ["x86_64", "aarch64"]], None),
    ('cpu_arch in ["x86_64","aarch64"]', ["cpu_arch", "in", ["x86_64", "aarch64"]], "cpu_arch in (x86_64, aarch64)"),
    ('slot in (1, "1", true, null, a b, [2, 3])', ["slot", "in", [1, "1", True, None, "a b", [2, 3]]], None),
    ("slot in ('a, b', \"c)\")", ["slot", "in", ["a, b", "c)"]], 'slot in ("a, b", "c)")'),
    ("slot in ()", ["slot", "in", []], None),
    ("tags contains fast", ["tags", "contains", "fast"], None),
    ("tags contains 5", ["tags", "contains", 5], None),
    ('tags contains "5"', ["tags", "contains", "5"], None),
    ('disks contains {"size": 100}', ["disks", "contains", {"size": 100}], None),
    ("has_gpu", ["has_gpu", None, None], None),
    ("not has_gpu", ["has_gpu", "!", None], None),
    ("!has_gpu", ["!has_gpu", None, None], None),
    ("not cpu_arch = aarch64", ["cpu_arch", "!eq", "aarch64"], None),
    ("not cpus != 32", ["cpus", "!!=", 32], None),
    ("not cpus = 32", ["cpus", "!==", 32], "not cpus == 32"),
    ("not tags contains slow", ["tags", "!contains", "slow"], None),
    ("disks[?size > `100`] | length(@) >= 2", ["disks[?size > `100`] | length(@)", ">=", 2], None),
    ("disks[?kind == 'a = b'].size | [0] > 5", ["disks[?kind == 'a = b'].size | [0]", ">", 5], None),
    ("disks[?kind == 'it\\'s ]'].n = x", ["disks[?kind == 'it\\'s ]'].n", "eq", "x"], None),
    ('"gpu-model >= x" = A100', ['"gpu-model >= x"', "eq", "A100"], None),
    ("(cpus > `16` && gpus) ", ["(cpus > `16` && gpus)", None, None], "(cpus > `16` && gpus)"),
    ("contains(tags, 'fast')", ["contains(tags, 'fast')", None, None], None),
    ("tags | contains (@, 'fast')", ["tags | contains (@, 'fast')", None, None], None),
    ("{a: cpus}.a in (1)", ["{a: cpus}.a", "in", [1]], None),
    ("in in (in, matches)", ["in", "in", ["in", "matches"]], None),
    ("a.not = not", ["a.not", "eq", "not"], None),
    ("name = a<=b", ["name", "eq", "a<=b"], None),
    ('["cpus", ">=", 32]', ["cpus", ">=", 32], "cpus >= 32"),
    ('["not", "!", null]', ["not", "!", None], "not not"),
    ('["cpus", "==", "32"]', ["cpus", "==", "32"], None),
    ('["cpus > `16`", null, null]', ["cpus > `16`", None, None], None),
    ('["a", "b"]', ['["a", "b"]', None, None], None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "triple", "shown"), SUGAR)
def test_sugar_stands_for_a_triple_that_the_market_takes(text, triple, shown):
    parsed = parse_requirement(text)
    assert json.dumps(parsed) == json.dumps(triple)
    market.parse_requirements([parsed])
    assert format_requirement(triple) == (text if shown is None else shown)


def test_every_operator_of_the_market_has_sugar_and_so_has_its_negation():
    values = {"in": ["a"], "contains": "a", None: None}
    for operator in market._TESTS:
        value = values.get(operator, 5 if operator in (*market.ORDERED, "==", "!=") else "a")
        for given_operator in (operator, f"!{operator or ''}"):
            shown = format_requirement(["x", given_operator, value])
            assert not shown.startswith("["), f"{given_operator} is shown raw"
            assert parse_requirement(shown) == ["x", given_operator, value]


def test_requirements_are_read_in_their_order():
    assert parse_requirements(["cpus >= 32", "has_gpu"]) == [["cpus", ">=", 32], ["has_gpu", None, None]]


MISTAKES = [
    ("", "", "a JMESPath expression is expected"),
    ("not ", "not", "a JMESPath expression is expected"),
    ("cpus >=", "cpus >=", "a value is expected after >="),
    (">= 32", "", "an expression is expected before >="),
    ("a.b. = 3", "a.b. ", "an expression is expected before ="),
    ("cpus 32", "cpus ", "an operator is expected: =, !=,"),
    ("cpus is 32", "cpus ", "an operator is expected: =, !=,"),
    ("cpu_arch not in (a)", "cpu_arch ", "not stands before the expression"),
    ("cpus => 32", "cpus ", "=> is no operator; one is expected: =, !=,"),
    ("gpu !~ A100", "gpu ", "!~ is no operator"),
    ("gpu-model = A100", "gpu", 'goes into double quotes, "gpu-model"'),
    ("größe = 3", "gr", "goes into double quotes"),
    ("cpus >= many", "cpus >= ", "a number is expected after >="),
    ("cpus >= 032", "cpus >= ", "a number is expected after >="),
    ("cpus >= NaN", "cpus >= ", "a number is expected after >="),
    ("cpus >= 1e999", "cpus >= ", "a number is expected after >="),
    ("cpus > `16` && gpus", "cpus > ", "a comparison of JMESPath itself goes into brackets"),
    ("raid = true", "raid = ", "whatever is JSON can stand in a list, in (true)"),
    ("raid != null", "raid != ", "in (null)"),
    ("arch in x86_64", "arch in ", "a list is expected, like (x86_64, aarch64)"),
    ("arch in (a,,b)", "arch in (a,", "a value is expected"),
    ("arch in (a", "arch in (a", "a comma or ) is expected"),
    ('arch in ("a" b)', 'arch in ("a" ', "a comma or ) is expected"),
    ("arch in (a) b", "arch in (a) ", "nothing more is expected"),
    ("arch in ([1, x])", "arch in ([1, ", "JSON is expected"),
    ('model = "A100', "model = ", '" is missing: these quotes stay open'),
    ('model = "A100" x', 'model = "A100" ', "nothing more is expected"),
    ("model ~ 'A100", "model ~ ", "' is missing"),
    ('model = "\\q"', 'model = "', "is JSON, which this is not"),
    ("disks[?size > 5 = x", "disks", "] is missing: this bracket stays open"),
    ("disks[(0] = x", "disks[(0", ") is expected here, not ]"),
    ("disks] = x", "disks", "no bracket is open"),
    ("disks[?a == 'x] = 5", "disks[?a == ", "' is missing"),
    ("'a = 5", "", "' is missing"),
    ("a[1 2] = 3", "a[1 ", "2 cannot stand here in JMESPath"),
    ("a[? = 3", "a", "] is missing"),
    ("a[?] = 3", "a[?", "cannot stand here in JMESPath"),
    ("a[#] = 3", "a[", "this is no JMESPath"),
]


@pytest.mark.parametrize(("text", "before", "expected"), MISTAKES)
def test_a_mistake_is_shown_with_a_caret_under_it_and_what_was_expected(text, before, expected):
    with pytest.raises(RequirementTextError) as refused:
        parse_requirement(text)
    shown, caret, told = str(refused.value).split("\n")
    assert shown == text
    assert caret == " " * len(before) + "^"
    assert expected in told
    assert refused.value.position == len(before)
    assert refused.value.text == text


def test_the_caret_stands_under_the_mistake_however_wide_the_characters_before_it_are():
    with pytest.raises(RequirementTextError) as refused:
        parse_requirement('"日本e\u0301"\t>= x')
    shown, caret, _ = str(refused.value).split("\n")
    assert shown == '"日本e\u0301" >= x'
    assert caret == " " * len('"1234e" >= ') + "^"


def test_a_mistake_over_several_lines_is_shown_on_one():
    with pytest.raises(RequirementTextError) as refused:
        parse_requirement("cpus\n>=\nmany")
    assert str(refused.value).split("\n")[:2] == ["cpus >= many", "        ^"]


@pytest.mark.parametrize("text", ["(" * 3000, "a" + "[" * 3000 + "]" * 3000, "a contains " + "[" * 100_000])
def test_nesting_without_end_is_a_mistake_or_a_text_and_never_a_crash(text):
    try:
        assert parse_requirement(text) == ["a", "contains", text.removeprefix("a contains ")]
    except RequirementTextError:
        assert text.startswith(("(", "a["))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
# Words that mean something to either of the two grammars, in any order.
pieces = st.sampled_from(
    [
        *"!=<>~()[]{}@*.,|&?:'\"`\\ \n",
        *[
            "not",
            "in",
            "eq",
            "contains",
            "cpus",
            "32",
            "-1",
            "`5`",
            "'x'",
            "null",
            "length(@)",
            "[?a>`1`]",
            "[]",
            "[0]",
        ],
        " = ",
        '"y"',
    ]
)
grammatical = st.lists(pieces, max_size=9).map("".join)
expressions = grammatical | st.sampled_from(sorted({triple[0] for _, triple, _ in SUGAR})) | st.text(max_size=10)
operators = st.sampled_from([*market._TESTS, "!", *(f"!{one}" for one in market._TESTS if one)])
values = json_values | grammatical | st.lists(grammatical | json_values, max_size=4)


@given(st.tuples(expressions, operators | st.text(max_size=4), values).map(list))
@example(["not", None, None])
@example(["not a", None, None])
@example([" a", "eq", "x"])
@example(["a", "eq", ""])
@example(["a", "eq", " x "])
@example(["a", "eq", "'x'"])
@example(["a", "in", ["", " x", "true", "5", True, 5, 5.0, "a(b", "a)b", None]])
@example(["a", "contains", "\ud800\x00\u2028"])
@example(["a", "==", True])
@example(["a", "contains", 1.0])
@example(["a", "contains", -0.0])
@example(['["a", "b", "c"]', None, None])
@example(["a", None, 5])
@example(["a", "!!eq", "x"])
def test_every_triple_is_read_back_exactly_as_it_was(triple):
    again = parse_requirement(format_requirement(triple))
    # By their JSON: true is not 1, and 1 is not 1.0.
    assert json.dumps(again) == json.dumps(triple)


@given(
    grammatical
    | st.tuples(expressions, operators, grammatical).map(lambda parts: " ".join(map(str, parts)))
    | st.text()
)
def test_whatever_is_typed_is_a_triple_or_a_mistake_that_can_be_shown(text):
    try:
        triple = parse_requirement(text)
    except RequirementTextError as mistake:
        _, caret, told = str(mistake).split("\n")
        assert caret.strip(" ") == "^"
        assert told
    else:
        json.dumps(triple, allow_nan=False)
        assert len(triple) == 3
        assert parse_requirement(format_requirement(triple)) == triple


def test_the_documentation_says_what_a_text_stands_for():
    page = (CHECKOUT / "doc" / "source" / "requirements.rst").read_text()
    table = page.partition("such a\ntext stands for:")[2].partition("It is split")[0].splitlines()
    # A text, spaces, and the triple in JSON.
    rows = [line.strip().rpartition("   ") for line in table if line.startswith("   ")]
    assert len(rows) > 10
    for text, _, triple in rows:
        assert parse_requirement(text.strip()) == json.loads(triple), text
    shown = page.partition("--require: this is no requirement:\n")[2].partition("Operators\n")[0]
    with pytest.raises(RequirementTextError) as refused:
        parse_requirement("cpus 32")
    assert [line.removeprefix("   ") for line in shown.rstrip().splitlines()] == str(refused.value).splitlines()[-3:]
