# SPDX-License-Identifier: Apache-2.0
"""JMESPath for strangers: checked when it is placed, total and bounded when it runs.

Users supply the expressions, so three things are bounded: the text (length and
nesting), the work of one evaluation, and the size of its result. The work is
counted in steps of the interpreter and in the size of what it builds, compares
or hands to functions, as far as that is looked at, and never in seconds, so
that an outcome is the same on every machine.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import jmespath
import jmespath.exceptions
import jmespath.functions
import jmespath.lexer
import jmespath.visitor

from flocx_common.domain.errors import ExpressionInvalid
from flocx_common.domain.json_values import CHARACTERS_PER_VALUE, JSON, depth_of, size_within

#: Longest expression, in characters.
MAX_LENGTH = 1024
#: Deepest nesting of an expression, in nodes of its syntax tree.
MAX_DEPTH = 48
#: Most work one evaluation may take, in steps; beyond it the result is null. It is the same for every
#: document, so that the outcome depends only on what the expression looks at.
MAX_STEPS = 10_000
#: Largest result, counted by :func:`flocx_common.domain.json_values.size_within`.
MAX_RESULT = 50_000
#: Deepest nesting of a result.
MAX_RESULT_DEPTH = 100

_OPENING = frozenset({"lparen", "lbracket", "lbrace", "filter", "not", "expref", "flatten"})
# Function name -> (fewest arguments, more allowed). The library finds a wrong
# count only when it calls the function; a bid must learn it when it is placed.
_FUNCTIONS = jmespath.functions.Functions()
_ARITY = {
    name: (len(entry["signature"]), any(part.get("variadic") for part in entry["signature"]))
    for name, entry in jmespath.functions.Functions.FUNCTION_TABLE.items()
}
#: Functions that look at their arguments and the elements of these and no deeper.
SHALLOW_FUNCTIONS = frozenset(
    {"abs", "avg", "ceil", "ends_with", "floor", "length", "max", "min", "starts_with", "sum", "type"}
)

#: A node of a syntax tree: its ``type``, its ``children``, and a ``value``.
Node = dict[str, Any]


class _OutOfBoundsError(Exception):
    """One evaluation has used up its steps."""


class _BoundedInterpreter(jmespath.visitor.TreeInterpreter):  # type: ignore[misc]
    """The library's interpreter for one evaluation, with every step counted, and the values a step goes through."""

    def __init__(self) -> None:
        super().__init__()
        self._steps = 0

    def _step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > MAX_STEPS:
            raise _OutOfBoundsError

    def _spend(self, value: object) -> None:
        size = size_within(value, MAX_STEPS - self._steps)
        if size is None:
            raise _OutOfBoundsError
        self._steps += size

    def _spend_surface(self, value: object) -> None:
        parts = value if isinstance(value, list) else [value]
        texts = (len(part) // CHARACTERS_PER_VALUE for part in parts if isinstance(part, str))
        self._step(len(parts) + sum(1 + length for length in texts))

    def visit(self, node: Node, *args: object, **kwargs: object) -> object:
        self._step()
        return super().visit(node, *args, **kwargs)

    def _built(self, result: object) -> object:
        self._spend(result)
        return result

    def _gathered(self, result: object) -> object:
        # What is in it is only referred to, and not looked at here.
        self._step(1 + (len(result) if isinstance(result, list | dict) else 0))
        return result

    def visit_flatten(self, node: Node, value: object) -> object:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        # Empty lists leave no trace in the result, but they are walked over.
        self._step(len(base))
        flat: list[object] = []
        for element in base:
            if isinstance(element, list):
                flat.extend(element)
            else:
                flat.append(element)
        return self._gathered(flat)

    def visit_multi_select_list(self, node: Node, value: object) -> object:
        return self._gathered(super().visit_multi_select_list(node, value))

    def visit_multi_select_dict(self, node: Node, value: object) -> object:
        return self._gathered(super().visit_multi_select_dict(node, value))

    def visit_slice(self, node: Node, value: object) -> object:
        return self._gathered(super().visit_slice(node, value))

    def visit_comparator(self, node: Node, value: object) -> object:
        children = node["children"]
        left, right = (self.visit(child, value) for child in children)
        compare = self.COMPARATOR_FUNC[node["value"]]
        if node["value"] in ("eq", "ne"):
            # Equality walks both values side by side: as far as the smaller.
            self._spend(left)
            return compare(left, right)
        if all(isinstance(side, int | float | str) and not isinstance(side, bool) for side in (left, right)):
            return compare(left, right)
        return None

    def visit_function_expression(self, node: Node, value: object) -> object:
        # Every argument is a value, or an expression over a value already
        # charged for; what the functions build is no larger than what they got,
        # or a few times that, and charged too.
        charge = self._spend_surface if node["value"] in SHALLOW_FUNCTIONS else self._spend
        arguments = []
        for child in node["children"]:
            argument = self.visit(child, value)
            if child["type"] != "expref":
                charge(argument)
            arguments.append(argument)
        match node["value"], arguments:
            case "join", [str(glue), list(parts)]:
                # What stands between the parts is there once for each: the one result that
                # can be larger than what it is made of many times over.
                self._step(len(glue) * len(parts) // CHARACTERS_PER_VALUE)
        return self._built(_FUNCTIONS.call_function(node["value"], arguments))


class Expression:
    """A checked JMESPath expression.

    :raises ExpressionInvalid: the text is no JMESPath, calls a function that
        does not exist or with the wrong number of arguments, or is too long or
        too deeply nested.
    """

    __slots__ = ("path", "text", "tree")

    def __init__(self, text: str) -> None:
        self.text = text
        #: The library's syntax tree, for those who look at what it reads.
        self.tree = _checked_tree(text)
        #: The keys of an expression that only walks down from key to key, else None.
        self.path = _plain_path(self.tree)

    def evaluate(self, document: object) -> JSON:
        """Return what the expression gives on a JSON document; null whenever it fails.

        Total: it never raises, and takes at most :data:`MAX_STEPS` steps.
        """
        if self.path is not None:
            value: JSON = document  # type: ignore[assignment]
            for key in self.path:
                if not isinstance(value, dict):
                    return None
                value = value.get(key)
            return value
        try:
            result = _BoundedInterpreter().visit(self.tree, document)
        except Exception:
            # Type errors of the library, running out of steps, values that
            # cannot be compared: an expression that fails gives null, so that
            # nothing stored can ever stop a round.
            return None
        if isinstance(result, float) and not math.isfinite(result):
            return None
        if isinstance(result, str | list | dict) and not _presentable(result):
            return None
        return result  # type: ignore[return-value]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Return the checked expression for ``text``, from a cache where it is known.

    :raises ExpressionInvalid: as :class:`Expression`.
    """
    return Expression(text)


def is_true(value: object) -> bool:
    """Tell whether JMESPath counts a value as true: not null, false, "", [] or {}."""
    return not (value is None or value is False or (isinstance(value, str | list | dict) and not value))


def _checked_tree(text: str) -> Node:
    if len(text) > MAX_LENGTH:
        raise ExpressionInvalid(f"expression: {len(text)} characters long, at most {MAX_LENGTH} are allowed")
    try:
        tokens = list(jmespath.lexer.Lexer().tokenize(text))
        # The parser recurses on these, so they are counted before it runs.
        if sum(token["type"] in _OPENING for token in tokens) > MAX_DEPTH:
            raise ExpressionInvalid(f"expression: more than {MAX_DEPTH} brackets and prefixes in {_shown(text)}")
        tree: Node = jmespath.compile(text).parsed
    except jmespath.exceptions.JMESPathError as error:
        raise ExpressionInvalid(f"expression: {_shown(text)} is no JMESPath: {_problem(error)}") from None
    except (ValueError, RecursionError):
        raise ExpressionInvalid(f"expression: {_shown(text)} is no JMESPath") from None
    _check_tree(tree, text)
    return tree


def _check_tree(tree: Node, text: str) -> None:
    waiting: list[tuple[object, int, bool]] = [(tree, 1, False)]
    while waiting:
        node, depth, in_call = waiting.pop()
        if not isinstance(node, dict):
            continue
        if depth > MAX_DEPTH:
            raise ExpressionInvalid(f"expression: {_shown(text)} nests deeper than {MAX_DEPTH}")
        children = node.get("children") or []
        if node["type"] == "function_expression":
            _check_call(str(node["value"]), len(children), text)
        if node["type"] == "slice" and children[2] == 0:
            raise ExpressionInvalid(f"expression: {_shown(text)} has a slice whose step is 0")
        if node["type"] == "expref" and not in_call:
            raise ExpressionInvalid(f"expression: {_shown(text)} uses & outside the arguments of a function")
        is_call = node["type"] == "function_expression"
        waiting.extend((child, depth + 1, is_call) for child in children)


def _check_call(name: str, given: int, text: str) -> None:
    if name not in _ARITY:
        raise ExpressionInvalid(f"expression: {_shown(text)} calls {name}(), which is no JMESPath function")
    fewest, more_allowed = _ARITY[name]
    if given < fewest or (given > fewest and not more_allowed):
        wanted = f"at least {fewest}" if more_allowed else str(fewest)
        raise ExpressionInvalid(f"expression: {_shown(text)} calls {name}() with {given} arguments, not {wanted}")


def _plain_path(tree: Node) -> tuple[str, ...] | None:
    """Return the keys of an expression that only walks down from key to key, else None."""
    keys: list[str] = []

    def walk(node: object) -> bool:
        assert isinstance(node, dict)
        if node["type"] == "field":
            keys.append(node["value"])
            return True
        return node["type"] == "subexpression" and all(walk(child) for child in node["children"])

    return tuple(keys) if walk(tree) else None


def _problem(error: jmespath.exceptions.JMESPathError) -> str:
    match error:
        case jmespath.exceptions.EmptyExpressionError():
            return "it is empty"
        case jmespath.exceptions.IncompleteExpressionError():
            return "it ends too early"
        case jmespath.exceptions.LexerError():
            return f"{error.message} at character {error.lexer_position + 1}"
        case jmespath.exceptions.ParseError():
            return f"unexpected {error.token_value!r} at character {error.lex_position + 1}"
    return "it cannot be read"


def _presentable(result: object) -> bool:
    return size_within(result, MAX_RESULT) is not None and depth_of(result) <= MAX_RESULT_DEPTH


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
