# SPDX-License-Identifier: Apache-2.0
"""Requirement triples, evaluated once more for checking: from the market rules, not from the engine.

Meant for books whose expressions are honest: the work of an evaluation is not bounded here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jmespath
import jmespath.parser
import jmespath.visitor
import re2

_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_SAME_ARCHITECTURE = {"amd64": "x86_64", "arm64": "aarch64"}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
    "matches": lambda a, b: _pattern(b).search(a) is not None,
}
_OPERATORS = {*_COMPARISONS, *_TEXT_TESTS, "in", "contains"}


class TripleUnknownError(Exception):
    """A triple has no meaning that this module knows; the text says what is wrong with it."""


class _Interpreter(jmespath.visitor.TreeInterpreter):  # type: ignore[misc]
    """The library's interpreter; an order of values that have none is null, as JMESPath says."""

    def visit_comparator(self, node: dict[str, Any], value: object) -> object:
        """Return what a comparison gives, null where the values have no order."""
        try:
            return super().visit_comparator(node, value)
        except TypeError:
            return None


def evaluate(expression: str, document: object) -> Any:
    """Return what a JMESPath expression gives on a document; null where it fails."""
    tree = _parsed(expression)
    try:
        result = _Interpreter().visit(tree, document)
    except Exception:
        # Whatever the library raises on a document, the market rules call it null.
        return None
    return None if isinstance(result, float) and not math.isfinite(result) else result


def check_triple(triple: object) -> None:
    """Raise :class:`TripleUnknownError` when a triple is none that could be evaluated."""
    if not isinstance(triple, list) or len(triple) != 3 or not isinstance(triple[0], str):
        raise TripleUnknownError(f"{triple!r} is no [expression, operator, value]")
    if triple[1] is not None and triple[1] != "!" and _without_negation(triple[1])[0] not in _OPERATORS:
        raise TripleUnknownError(f"operator {triple[1]!r} is unknown")
    _parsed(triple[0])


def holds(triple: list[Any], result: Any) -> bool:
    """Tell whether a triple holds on a hardware document on which its expression gives ``result``."""
    expression, given, value = triple
    if given in (None, "!"):
        return _true(result) is (given is None)
    operator, negated = _without_negation(given)
    if (expression == "cpu_arch" or expression.endswith(".cpu_arch")) and operator in ("eq", "ne", "in", "contains"):
        result, value = _one_architecture(result), _one_architecture(value)
    return _plain(operator, result, value) is not negated


def same_json(value: object) -> str:
    """Return a text that equal JSON values share and others do not: 1 is 1.0, but not true nor "1"."""
    return json.dumps(_whole(value), sort_keys=True, separators=(",", ":"))


def _plain(operator: str, result: Any, value: Any) -> bool:
    if operator in _COMPARISONS:
        left, right = _number(result), _number(value)
        return left is not None and right is not None and _COMPARISONS[operator](left, right)
    if operator in _TEXT_TESTS:
        return isinstance(result, str) and _TEXT_TESTS[operator](result, value)
    if operator == "in":
        return result is not None and same_json(result) in {same_json(item) for item in value}
    if isinstance(result, str):
        return isinstance(value, str) and value in result
    return isinstance(result, list) and same_json(value) in {same_json(item) for item in result}


def _without_negation(operator: str) -> tuple[str, bool]:
    return (operator[1:], True) if operator.startswith("!") and operator != "!=" else (operator, False)


def _true(value: Any) -> bool:
    return not (value is None or value is False or value in ("", [], {}))


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        if not _JSON_NUMBER.fullmatch(value) or len(value) > 300:
            return None
        value = json.loads(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _one_architecture(value: Any) -> Any:
    if isinstance(value, list):
        return [_one_architecture(item) for item in value]
    return _SAME_ARCHITECTURE.get(value, value) if isinstance(value, str) else value


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


@cache
def _parsed(expression: str) -> dict[str, Any]:
    try:
        tree: dict[str, Any] = jmespath.parser.Parser().parse(expression).parsed
    except Exception as error:
        raise TripleUnknownError(f"{expression!r} is no JMESPath: {error}") from None
    return tree


@cache
def _pattern(text: str) -> Any:
    return re2.compile(text)
