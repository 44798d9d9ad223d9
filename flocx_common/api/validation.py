# SPDX-License-Identifier: Apache-2.0
"""JSON schemas applied: errors that name the field, the value and what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema
from jsonschema.validators import extend

from flocx_common.api.errors import InvalidMany
from flocx_common.domain.errors import Invalid

_MOST_PROBLEMS = 10


def _pattern(_: Any, pattern: str, value: object, __: object) -> Iterator[jsonschema.ValidationError]:
    # In JSON Schema $ is the end of the text; in Python also the place before a
    # line feed that ends it, which would let one through.
    strict = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(value, str) and re.search(strict, value) is None:
        yield jsonschema.ValidationError(f"does not match {pattern}")


_Draft = extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


class Validator:
    """One compiled schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        _Draft.check_schema(schema)
        self._validator = _Draft(schema)

    def check(self, value: object) -> None:
        """Refuse a value that does not fit.

        :raises Invalid: naming each field at fault, its value and what was expected.
        """
        problems: list[Invalid] = []
        for error in sorted(self._validator.iter_errors(value), key=lambda e: [str(part) for part in e.absolute_path]):
            problems += _explained(error)
            if len(problems) >= _MOST_PROBLEMS:
                break
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise InvalidMany(problems)


def _explained(error: jsonschema.ValidationError) -> list[Invalid]:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    limit = error.validator_value
    if error.validator == "additionalProperties":
        extra = sorted(set(error.instance) - set(error.schema.get("properties", {})))
        return [_about(_under(field, name), "unknown or read-only here") for name in extra]
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return [_about(_under(field, missing[0]), "required but missing")] if missing else []
    describe = _EXPECTED.get(str(error.validator))
    expected = describe(limit) if describe else error.message
    hint = error.schema.get("title") if isinstance(error.schema, Mapping) else None
    if error.validator in ("oneOf", "anyOf", "pattern") and hint:
        expected = f"expected is {hint}"
    return [_about(field or "body", f"{_shown(error.instance)}: {expected}")]


_EXPECTED: dict[str, Callable[[Any], str]] = {
    "type": lambda kinds: f"expected is {' or '.join([kinds] if isinstance(kinds, str) else kinds)}",
    "enum": lambda values: f"expected is one of {', '.join(map(str, values))}",
    "minimum": lambda bound: f"expected is at least {bound}",
    "maximum": lambda bound: f"expected is at most {bound}",
    "exclusiveMaximum": lambda bound: f"expected is less than {bound}",
    "minLength": lambda bound: f"expected are at least {bound} characters",
    "maxLength": lambda bound: f"expected are at most {bound} characters",
    "minItems": lambda bound: f"expected are at least {bound} items",
    "maxItems": lambda bound: f"expected are at most {bound} items",
    "uniqueItems": lambda _: "expected are items that differ",
    "minProperties": lambda bound: f"expected are at least {bound} fields",
    "pattern": lambda pattern: f"expected is text that matches {pattern}",
    "oneOf": lambda _: "it has none of the expected forms",
    "anyOf": lambda _: "it has none of the expected forms",
}


def _about(field: str, problem: str) -> Invalid:
    return Invalid(f"{field}: {problem}", field=field)


def _under(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
