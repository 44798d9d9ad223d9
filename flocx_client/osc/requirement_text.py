# SPDX-License-Identifier: Apache-2.0
"""Requirements as people write them: ``cpus >= 32`` for ``["cpus", ">=", 32]``.

A requirement is ``[not] EXPRESSION [OPERATOR VALUE]``. It is split at the first
operator that stands after an operand, outside of quotes and of brackets. So a
comparison of JMESPath itself goes into brackets, ``(cpus > `16`)``, where it
always is in a filter, ``disks[?size > `100`]``. A value reaches to the end.

=============  ==============================================  ====================
sugar          value                                           operator
=============  ==============================================  ====================
``=``, ``==``  a number, or a text                             ``==``, or ``eq``
``!=``         a number, or a text                             ``!=``, or ``ne``
``<`` ``<=``   a number                                        the same
``>`` ``>=``   a number                                        the same
``~``          an RE2 regular expression                       ``matches``
``in``         ``(x86_64, aarch64)``, or a list in JSON        ``in``
``contains``   JSON, or else a text                            ``contains``
a word         a text: eq, ne, startswith, endswith, matches   the same
none           none: the expression is true by JMESPath        null
=============  ==============================================  ====================

``not`` before it negates. A value is JSON where it is JSON, and else a text;
only where nothing but a text can stand it is one anyway (``model ~ 100``). A
text in double quotes is read as JSON, one in single quotes as it stands, and
both are texts whatever they hold.

A triple in JSON, ``["cpus", ">=", 32]``, is taken as it is. Every triple can be
written that way, and those are that cannot be written in another.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jmespath
import jmespath.exceptions

#: An expression, an operator or None, and any JSON.
Triple = list[Any]

_ORDERED = ("<", "<=", ">", ">=")
_TEXTUAL = {"~": "matches", **{word: word for word in ("eq", "ne", "startswith", "endswith", "matches")}}
# By the kind of the value: a number, or a text.
_EQUALITY = {"=": ("==", "eq"), "==": ("==", "eq"), "!=": ("!=", "ne")}
_OPERATORS = {*_EQUALITY, *_ORDERED, *_TEXTUAL, "in", "contains"}
_SUGAR = {"eq": "=", "ne": "!=", "matches": "~"}

_SHOWN = "=, !=, <, <=, >, >=, ~, in, contains, startswith or endswith"
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<quoted>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `(?:[^`\\]|\\.)*`)
    | (?P<open>[\[({]) | (?P<close>[\])}])
    | (?P<join>&&|\|\||[|.&])
    | (?P<compare>!?[<>=~]+)
    | (?P<not>!)
    | (?P<leaf>[@*])
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"[": "]", "(": ")", "{": "}"}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class RequirementTextError(ValueError):
    """A text is no requirement.

    :param text: the whole text.
    :param position: the index of the character where it goes wrong.
    :param expected: what should stand there.
    """

    def __init__(self, text: str, position: int, expected: str) -> None:
        # On one line, and each character as wide as it is counted.
        shown = "".join(character if character.isprintable() else " " for character in text)
        super().__init__(f"{shown}\n{' ' * _columns(shown[:position])}^\n{expected}")
        self.text = text
        self.position = position
        self.expected = expected


def parse_requirement(text: str) -> Triple:
    """Return the triple that a text stands for.

    :raises RequirementTextError: it stands for none.
    """
    triple = _raw_triple(text)
    if triple is not None:
        return triple
    begin = _after_space(text, 0)
    negated = re.compile(r"not(?=\s|$)").match(text, begin)
    if negated:
        begin = _after_space(text, negated.end())
    found = _find_operator(text, begin)
    expression = text[begin : found.start if found else len(text)].rstrip()
    _check_expression(text, begin, expression)
    if found is None:
        return [expression, "!" if negated else None, None]
    operator, value = _Value(text, found).read()
    return [expression, f"!{operator}" if negated else operator, value]


def parse_requirements(texts: Iterable[str]) -> list[Triple]:
    """Return the triples that texts stand for.

    :raises RequirementTextError: one stands for none.
    """
    return [parse_requirement(text) for text in texts]


def format_requirement(triple: Sequence[Any]) -> str:
    """Return the text that stands for a triple: as short as reads back the same."""
    wanted = json.dumps(list(triple), allow_nan=False)
    for text in _candidates(*triple):
        try:
            if json.dumps(parse_requirement(text)) == wanted:
                return text
        except RequirementTextError:
            continue
    return wanted


@dataclass(frozen=True, slots=True)
class _Operator:
    word: str
    start: int
    end: int


def _find_operator(text: str, begin: int) -> _Operator | None:
    """Return the operator that splits a text; None when it is an expression alone.

    :raises RequirementTextError: two operands stand side by side, an operand is
        missing, or a bracket or quote is left open.
    """
    place = begin
    complete = False  # whether an operand has just ended: only then an operator can follow
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise RequirementTextError(text, place, _unreadable(text[place], complete))
        kind = token.lastgroup
        operator = kind == "compare" or (kind == "word" and complete)
        if operator and not complete:
            raise RequirementTextError(text, place, f"an expression is expected before {token[0]}")
        if operator and token[0] in _OPERATORS:
            return _Operator(token[0], place, token.end())
        if kind == "compare":
            raise RequirementTextError(text, place, f"{token[0]} is no operator; one is expected: {_SHOWN}")
        if complete and kind in ("word", "quoted", "leaf", "not"):
            hint = "; not stands before the expression" if token[0] == "not" else ""
            raise RequirementTextError(text, place, f"an operator is expected: {_SHOWN}{hint}")
        if kind == "open":
            place = _after_bracket(text, place)
            complete = True
            continue
        if kind == "close":
            raise RequirementTextError(text, place, f"no bracket is open that {token[0]} could close")
        if kind != "space":
            complete = kind in ("word", "quoted", "leaf")
        place = token.end()
    if not complete:
        raise RequirementTextError(text, len(text.rstrip()), "a JMESPath expression is expected")
    return None


def _after_bracket(text: str, begin: int) -> int:
    """Return where the bracket that opens at ``begin`` has closed."""
    open_at: list[int] = []
    place = begin
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None and text[place] in "'\"`":
            raise RequirementTextError(text, place, _unreadable(text[place], False))
        if token is not None and token.lastgroup == "open":
            open_at.append(place)
        elif token is not None and token.lastgroup == "close":
            wanted = _CLOSING[text[open_at.pop()]]
            if token[0] != wanted:
                raise RequirementTextError(text, place, f"{wanted} is expected here, not {token[0]}")
            if not open_at:
                return token.end()
        place = place + 1 if token is None else token.end()
    raise RequirementTextError(text, open_at[-1], f"{_CLOSING[text[open_at[-1]]]} is missing: this bracket stays open")


def _unreadable(character: str, complete: bool) -> str:
    if character in "'\"`":
        return f"{character} is missing: these quotes stay open"
    if complete:
        return f'an operator is expected: {_SHOWN}; a name with such characters goes into double quotes, "gpu-model"'
    return 'a JMESPath expression is expected; a name with other characters goes into double quotes, "gpu-model"'


def _check_expression(text: str, begin: int, expression: str) -> None:
    try:
        jmespath.compile(expression)
    except jmespath.exceptions.IncompleteExpressionError:
        raise RequirementTextError(text, begin + len(expression), "the JMESPath expression ends too early") from None
    except jmespath.exceptions.LexerError as error:
        place = begin + min(error.lexer_position, len(expression))
        raise RequirementTextError(text, place, "this is no JMESPath") from None
    except jmespath.exceptions.ParseError as error:
        place = begin + min(error.lex_position, len(expression))
        raise RequirementTextError(text, place, f"{error.token_value!r} cannot stand here in JMESPath") from None
    except (ValueError, RecursionError):
        raise RequirementTextError(text, begin, "this is no JMESPath") from None


class _Value:
    """What follows an operator, up to the end of the text."""

    def __init__(self, text: str, operator: _Operator) -> None:
        self._text = text
        self._word = operator.word
        self._begin = _after_space(text, operator.end)
        if self._begin == len(text):
            raise RequirementTextError(text, len(text.rstrip()), f"a value is expected after {operator.word}")

    def read(self) -> tuple[str, Any]:
        """Return the operator of the triple, and its value."""
        if self._word in _TEXTUAL:
            return _TEXTUAL[self._word], self._quoted_or(str)
        if self._word == "in":
            return "in", self._list()
        value = self._quoted_or(_json_or_text)
        if self._word == "contains":
            return "contains", value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if self._word in _EQUALITY and (number or isinstance(value, str)):
            return _EQUALITY[self._word][0 if number else 1], value
        if self._word in _EQUALITY:
            raise self._mistake(
                f"a number or a text is expected; whatever is JSON can stand in a list, in ({self._rest()})"
            )
        if number or (isinstance(value, str) and _writes_a_number(value)):
            return self._word, value
        raise self._mistake(
            f"a number is expected after {self._word}; a comparison of JMESPath itself goes into brackets"
        )

    def _rest(self) -> str:
        return self._text[self._begin :].rstrip()

    def _mistake(self, expected: str, place: int | None = None) -> RequirementTextError:
        return RequirementTextError(self._text, self._begin if place is None else place, expected)

    def _quoted_or(self, otherwise: Any) -> Any:
        if self._text[self._begin] not in "'\"":
            return otherwise(self._rest())
        value, end = self._quoted(self._begin)
        self._nothing_after(end)
        return value

    def _quoted(self, begin: int) -> tuple[str, int]:
        """Return the text in quotes that begins somewhere, and where it ends."""
        quote = self._text[begin]
        token = _TOKEN.match(self._text, begin)
        if token is None:
            raise self._mistake(f"{quote} is missing: these quotes stay open", begin)
        if quote == "'":
            return token[0][1:-1].replace("\\'", "'"), token.end()
        try:
            return json.loads(token[0]), token.end()
        except ValueError as error:
            place = begin + getattr(error, "pos", 0)
            raise self._mistake("a text in double quotes is JSON, which this is not", place) from None

    def _nothing_after(self, end: int) -> None:
        place = _after_space(self._text, end)
        if place < len(self._text):
            raise self._mistake("nothing more is expected after the value", place)

    def _list(self) -> list[Any]:
        if self._text[self._begin] != "(":
            value = _json_or_text(self._rest())
            if isinstance(value, list):
                return value
            raise self._mistake("a list is expected, like (x86_64, aarch64)")
        items: list[Any] = []
        place = _after_space(self._text, self._begin + 1)
        if self._text[place : place + 1] == ")":
            self._nothing_after(place + 1)
            return items
        while True:
            item, place = self._item(place)
            items.append(item)
            following = self._text[place : place + 1]
            if following == ")":
                self._nothing_after(place + 1)
                return items
            if following != ",":
                raise self._mistake("a comma or ) is expected", place)
            place = _after_space(self._text, place + 1)

    def _item(self, begin: int) -> tuple[Any, int]:
        """Return the item of a list that begins somewhere, and where it is followed by more."""
        first = self._text[begin : begin + 1]
        if first in ("'", '"'):
            value, end = self._quoted(begin)
        elif first and first in "[{":
            try:
                value, end = _DECODER.raw_decode(self._text, begin)
            except (ValueError, RecursionError) as error:
                raise self._mistake("JSON is expected", getattr(error, "pos", begin)) from None
        else:
            match = re.compile(r"[^,)]*").match(self._text, begin)
            assert match is not None
            value, end = _json_or_text(match[0].rstrip()), match.end()
            if not match[0].strip():
                raise self._mistake("a value is expected", begin)
        return value, _after_space(self._text, end)


def _writes_a_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and math.isfinite(float(text))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _no_number(text: str) -> float:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_number)


def _json_or_text(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text


def _raw_triple(text: str) -> Triple | None:
    if not text.lstrip().startswith("["):
        return None
    value = _json_or_text(text)
    if not isinstance(value, list) or len(value) != 3:
        return None
    expression, operator, _ = value
    return value if isinstance(expression, str) and (operator is None or isinstance(operator, str)) else None


def _candidates(expression: Any, operator: Any, value: Any) -> Iterator[str]:
    """Yield the texts that may stand for a triple, the plainest first."""
    if operator in (None, "!"):
        yield f"not {expression}" if operator else f"{expression}"
        return
    negated = str(operator).startswith("!") and operator != "!="
    plain = str(operator).removeprefix("!") if negated else str(operator)
    begin = f"{'not ' if negated else ''}{expression} {_SUGAR.get(plain, plain)} "
    if plain == "in" and isinstance(value, list):
        yield f"{begin}({', '.join(_item_text(item) for item in value)})"
    if isinstance(value, str) and value.isprintable():
        yield begin + value
    yield begin + _json_text(value)


def _item_text(item: Any) -> str:
    plain = isinstance(item, str) and re.fullmatch(r"[^\s,)'\"\[{](?:[^,)]*[^\s,)])?", item) and item.isprintable()
    return item if plain and _json_or_text(item) is item else _json_text(item)


def _json_text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else json.dumps(value)


def _after_space(text: str, place: int) -> int:
    return place + len(text[place:]) - len(text[place:].lstrip())


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
