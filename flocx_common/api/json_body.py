# SPDX-License-Identifier: Apache-2.0
"""Reading JSON from strangers: strict, bounded, and exact with numbers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import NoReturn, Self

from flocx_common.domain.errors import Invalid
from flocx_common.domain.json_values import JSON

#: Deepest nesting of a body.
MAX_DEPTH = 64

_BRACKETS = re.compile(r"[\[\]{}]")


class LiteralFloat(float):
    """A number with a point that remembers how it was written, so that a price stays exact."""

    __slots__ = ("literal",)

    def __new__(cls, literal: str) -> Self:
        """Read a JSON number."""
        number = super().__new__(cls, literal)
        number.literal = literal
        return number

    literal: str


def parse_json(body: bytes) -> JSON:
    """Return the JSON value of a request body.

    Numbers with a point come as :class:`LiteralFloat`.

    :raises Invalid: it is no JSON, repeats a key, nests too deeply, holds an
        infinite number, or text that cannot be stored.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"body: UTF-8 is expected; byte {error.start} is not") from None
    if _nests_too_deeply(text):
        raise Invalid(f"body: it nests deeper than {MAX_DEPTH}")
    try:
        value: JSON = json.loads(
            text, parse_float=_number, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys
        )
    except Invalid:
        raise
    except (ValueError, RecursionError) as error:
        problem = f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise Invalid(f"body: JSON is expected: {problem}") from None
    _refuse_unstorable(value)
    return value


def _nests_too_deeply(text: str) -> bool:
    # Counted before parsing, as the parser recurses. Brackets inside strings
    # count too, so the bound leaves room for some.
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_DEPTH * 4


def _number(literal: str) -> LiteralFloat:
    number = LiteralFloat(literal)
    if not math.isfinite(number):
        raise Invalid(f"body: the number {literal[:40]} is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise Invalid(f"body: {name} is no JSON number")


def _unique_keys(pairs: Iterable[tuple[str, JSON]]) -> dict[str, JSON]:
    result: dict[str, JSON] = {}
    for key, value in pairs:
        if key in result:
            raise Invalid(f"{key}: the key is given twice", field=key)
        result[key] = value
    return result


def _refuse_unstorable(value: JSON) -> None:
    waiting: list[tuple[JSON, str, int]] = [(value, "body", 0)]
    while waiting:
        item, where, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise Invalid(f"{where}: it nests deeper than {MAX_DEPTH}")
        if isinstance(item, str):
            _check_text(item, where)
        elif isinstance(item, dict):
            for key, child in item.items():
                _check_text(key, where)
                waiting.append((child, key if where == "body" else where, depth + 1))
        elif isinstance(item, list):
            waiting.extend((child, where, depth + 1) for child in item)


def _check_text(text: str, where: str) -> None:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(f"{where}: text must not hold NUL or half of a surrogate pair", field=where)
