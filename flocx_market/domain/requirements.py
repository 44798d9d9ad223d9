# SPDX-License-Identifier: Apache-2.0
"""Requirement triples ``[expression, operator, value]`` over hardware documents.

The operators and their meaning are those of the published match syntax. What is
wrong with a triple is found when it is parsed; evaluating a parsed one never
raises, whatever the document holds.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from flocx_common.domain.errors import ExpressionInvalid, RequirementInvalid
from flocx_common.domain.json_values import JSON, canonical_json, depth_of, json_equal, size_within
from flocx_market.domain.expressions import Expression, compile_expression, is_true

#: Most triples a bid may have.
MAX_REQUIREMENTS = 64
#: Longest regular expression, in characters.
MAX_PATTERN = 512
#: Most work of one search: instructions of the compiled expression times
#: characters of the text. Beyond it ``matches`` does not hold. Linear time is
#: not enough of a bound where both are a stranger's.
MAX_MATCH = 250_000
#: Largest value of a triple, counted by ``size_within``, and its deepest nesting.
MAX_VALUE = 2000
MAX_VALUE_DEPTH = 16

_PATTERN_MEMORY = 1 << 18
# Triples of which the parsed requirement is kept: many bids ask the same.
_REMEMBERED = 4096
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}

Number = int | float
_Test = Callable[[JSON], bool]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One parsed triple.

    ``triple`` is what the bid said, unchanged; ``key`` is a text that equal
    triples share and others do not. ``only`` are the texts that, negation left
    aside, it holds for and for nothing else; None where that cannot be listed.
    """

    triple: tuple[str, str | None, JSON] = field(hash=False)
    expression: Expression
    operator: str | None
    negated: bool
    key: str
    only: frozenset[str] | None = field(repr=False, compare=False)
    _test: _Test = field(repr=False, compare=False)

    def accepts(self, value: JSON) -> bool:
        """Tell whether the requirement holds where its expression gives ``value``."""
        return self._test(value) is not self.negated

    def holds(self, document: Mapping[str, JSON]) -> bool:
        """Tell whether the requirement holds on a hardware document; never raises."""
        return self.accepts(self.expression.evaluate(document))

    def __str__(self) -> str:
        expression, operator, value = self.triple
        if self.operator is None:
            return f"not {expression}" if self.negated else expression
        return f"{expression} {operator} {json.dumps(value)}"


def parse_requirements(raw: object) -> tuple[Requirement, ...]:
    """Return the parsed triples of a bid, in their order.

    :raises RequirementInvalid: naming the triple's index, the part at fault and
        the problem.
    """
    if not isinstance(raw, list | tuple):
        raise RequirementInvalid("requirements: a list of triples is expected", field="requirements")
    if len(raw) > MAX_REQUIREMENTS:
        raise RequirementInvalid(
            f"requirements: {len(raw)} triples, at most {MAX_REQUIREMENTS} are allowed", field="requirements"
        )
    return tuple(_parse(index, triple) for index, triple in enumerate(raw))


def as_number(value: object) -> Number | None:
    """Return a finite JSON number, or a string that is one, as a number; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) > 300 or not _NUMBER.fullmatch(value):
            return None
        value = float(value) if any(c in value for c in ".eE") else int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return None


def _parse(index: int, triple: object) -> Requirement:
    where = f"requirements[{index}]"

    def refuse(part: str, problem: str) -> RequirementInvalid:
        return RequirementInvalid(f"{where}.{part}: {problem}", field=f"{where}.{part}")

    if not isinstance(triple, list | tuple) or len(triple) != 3:
        raise RequirementInvalid(f"{where}: [expression, operator, value] is expected", field=where)
    text, given, value = triple
    if not isinstance(text, str):
        raise refuse("expression", "a JMESPath text is expected")
    if given is not None and not isinstance(given, str):
        raise refuse("operator", f"one of {_known()} is expected")
    if size_within(value, MAX_VALUE) is None or depth_of(value) > MAX_VALUE_DEPTH:
        raise refuse("value", "the value is too large")
    try:
        return _requirement(text, given, json.dumps(value))
    except ExpressionInvalid as error:
        raise refuse("expression", error.detail.removeprefix("expression: ")) from None
    except _OperatorUnknown as error:
        raise refuse("operator", str(error)) from None
    except ValueError as error:
        raise refuse("value", str(error)) from None


class _OperatorUnknown(Exception):
    """There is no such operator."""


@lru_cache(maxsize=_REMEMBERED)
def _requirement(text: str, given: str | None, value_as_json: str) -> Requirement:
    """Return the one requirement of triples that were written alike.

    :raises ExpressionInvalid: of the expression.
    :raises _OperatorUnknown: of the operator.
    :raises ValueError: of the value.
    """
    value = json.loads(value_as_json)
    expression = compile_expression(text)
    operator, negated = _operator(given)
    if operator not in _TESTS:
        raise _OperatorUnknown(f"{given!r} is unknown; one of {_known()} is expected, with ! before it to negate")
    test = _TESTS[operator](value, _normalizer(text))
    return Requirement(
        triple=(text, given, value),
        expression=expression,
        operator=operator,
        negated=negated,
        key=canonical_json([text, given, value]),
        only=_only(operator, value, _normalizer(text)),
        _test=test,
    )


def _operator(given: str | None) -> tuple[str | None, bool]:
    """Return the operator without its negation, and whether it was negated."""
    if given is None or given == "!":
        return None, given == "!"
    if given.startswith("!") and given != "!=":
        return given[1:], True
    return given, False


def _known() -> str:
    return "null, " + ", ".join(sorted(name for name in _TESTS if name is not None))


_Normalize = Callable[[JSON], JSON]


def _normalizer(text: str) -> _Normalize:
    """Return what both sides go through before they are compared as text or by equality."""
    if text == "cpu_arch" or text.endswith(".cpu_arch"):
        return _normalize_architecture
    return lambda value: value


def _normalize_architecture(value: JSON) -> JSON:
    if isinstance(value, str):
        return _ARCHITECTURES.get(value, value)
    if isinstance(value, list):
        return [_normalize_architecture(item) for item in value]
    return value


def _only(operator: str | None, value: JSON, normalize: _Normalize) -> frozenset[str] | None:
    """Return the texts that equal what ``eq`` or ``in`` asks for, None where it is not by texts alone."""
    wanted = {"eq": [value], "in": value}.get(operator or "")
    if not isinstance(wanted, list):
        return None
    texts: set[str] = set()
    for item in wanted:
        prepared = normalize(item)
        if not isinstance(prepared, str):
            return None
        texts.add(prepared)
    return frozenset(texts | {name for name in _ARCHITECTURES if normalize(name) in texts})


def _truth(value: JSON, _normalize: _Normalize) -> _Test:
    if value is not None:
        raise ValueError("null is expected: the null operator takes no value")
    return is_true


def _numeric(compare: Callable[[Number, Number], bool]) -> Callable[[JSON, _Normalize], _Test]:
    def make(value: JSON, _normalize: _Normalize) -> _Test:
        bound = as_number(value)
        if bound is None:
            raise ValueError(f"a finite number is expected, not {_shown(value)}")

        def test(result: JSON) -> bool:
            number = as_number(result)
            return number is not None and compare(number, bound)

        return test

    return make


def _textual(compare: Callable[[str, str], bool], *, normalized: bool) -> Callable[[JSON, _Normalize], _Test]:
    def make(value: JSON, normalize: _Normalize) -> _Test:
        if not isinstance(value, str):
            raise ValueError(f"a string is expected, not {_shown(value)}")
        prepare = normalize if normalized else lambda same: same
        wanted = prepare(value)
        assert isinstance(wanted, str)

        def test(result: JSON) -> bool:
            prepared = prepare(result)
            return isinstance(prepared, str) and compare(prepared, wanted)

        return test

    return make


def _matches(value: JSON, _normalize: _Normalize) -> _Test:
    if not isinstance(value, str):
        raise ValueError(f"a regular expression is expected, not {_shown(value)}")
    if len(value) > MAX_PATTERN:
        raise ValueError(f"the regular expression is {len(value)} characters long, at most {MAX_PATTERN} are allowed")
    options = re2.Options()
    options.max_mem = _PATTERN_MEMORY
    options.log_errors = False
    # Nobody asks what the groups held, and keeping track of them costs.
    options.never_capture = True
    try:
        pattern = re2.compile(value, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be read"
        problem = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise ValueError(f"{_shown(value)} is no RE2 regular expression: {problem}") from None
    longest = MAX_MATCH // max(1, pattern.programsize)
    return lambda result: isinstance(result, str) and len(result) <= longest and pattern.search(result) is not None


def _in(value: JSON, normalize: _Normalize) -> _Test:
    if not isinstance(value, list):
        raise ValueError(f"a list is expected, not {_shown(value)}")
    members = [normalize(item) for item in value]

    def test(result: JSON) -> bool:
        if result is None:
            return False
        prepared = normalize(result)
        return any(json_equal(member, prepared) for member in members)

    return test


def _contains(value: JSON, normalize: _Normalize) -> _Test:
    wanted = normalize(value)

    def test(result: JSON) -> bool:
        prepared = normalize(result)
        if isinstance(prepared, str):
            return isinstance(wanted, str) and wanted in prepared
        return isinstance(prepared, list) and any(json_equal(item, wanted) for item in prepared)

    return test


def _shown(value: JSON) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


_TESTS: dict[str | None, Callable[[JSON, _Normalize], _Test]] = {
    None: _truth,
    "==": _numeric(lambda a, b: a == b),
    "!=": _numeric(lambda a, b: a != b),
    "<": _numeric(lambda a, b: a < b),
    "<=": _numeric(lambda a, b: a <= b),
    ">": _numeric(lambda a, b: a > b),
    ">=": _numeric(lambda a, b: a >= b),
    "eq": _textual(lambda a, b: a == b, normalized=True),
    "ne": _textual(lambda a, b: a != b, normalized=True),
    "startswith": _textual(str.startswith, normalized=False),
    "endswith": _textual(str.endswith, normalized=False),
    "matches": _matches,
    "in": _in,
    "contains": _contains,
}

#: The operators that compare numbers in an order, each with the one that includes the bound.
ORDERED: Mapping[str | None, str] = {">": ">=", ">=": ">=", "<": "<=", "<=": "<="}


def relaxed(requirement: Requirement, value: Number) -> list[JSON]:
    """Return the triple that asks for no more than ``value`` where ``requirement`` asks for more.

    :param requirement: one with an operator of :data:`ORDERED`, not negated.
    """
    return [requirement.expression.text, ORDERED[requirement.operator], value]
