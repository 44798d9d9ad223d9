# SPDX-License-Identifier: Apache-2.0
"""Pieces that the JSON schemas of both services are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: A JSON schema. Its title says what is expected of a value, as refusals tell
#: it; its description says what the value is for.
Schema = dict[str, Any]

#: Visible text on one line; nothing that ends, hides or reorders a line.
LINE = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"

UUID: Schema = {
    "type": "string",
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "title": "a UUID in canonical lower-case form",
}
REASON: Schema = {"type": ["string", "null"], "maxLength": 1024, "pattern": LINE, "title": "text on one line"}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": LINE, "title": "text on one line"}
PROJECT: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "pattern": r"^[^\s\u0000-\u001f\u007f-\u009f]+$",
    "title": "a project's id or name, without spaces",
    "description": "A project: its id, or its name where names can be resolved.",
}
PROJECT_NAME: Schema = {"type": ["string", "null"], "description": "The project's name, where it can be resolved."}
TIME: Schema = {
    "type": "string",
    "maxLength": 40,
    "title": "an instant in ISO 8601, whole seconds",
    "description": "Without an offset it is UTC.",
}
TIME_OUT: Schema = {"type": "string", "format": "date-time", "description": "An instant in UTC."}
PRICE: Schema = {
    "oneOf": [
        {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6}0*)?$", "maxLength": 40},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 10**12},
    ],
    "title": "a price: an exact decimal with up to six fractional digits",
    "description": "Per node-hour.",
}
PRICE_OUT: Schema = {
    "type": "string",
    "pattern": r"^[0-9]+\.[0-9]{6}$",
    "description": "An exact decimal with six fractional digits.",
}
SECONDS: Schema = {"type": "integer", "minimum": 0, "maximum": 10**10, "description": "A length of time in seconds."}
REASON_OUT: Schema = {"type": ["string", "null"], "description": "Why the status is what it is."}

LINKS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"rel": {"type": "string"}, "href": {"type": "string"}},
        "required": ["rel", "href"],
        "additionalProperties": False,
    },
    "description": "A link with rel next where there are more.",
}

ERRORS: Schema = {
    "type": "object",
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "status": {"type": "integer"},
                    "code": {"type": "string", "description": "A stable code; does not change with the wording."},
                    "title": {"type": "string"},
                    "detail": {"type": "string", "description": "The field, the value and what was expected."},
                    "field": {"type": "string"},
                    "request_id": {"type": ["string", "null"]},
                    "min_version": {"type": "string"},
                    "max_version": {"type": "string"},
                },
                "required": ["status", "code", "title", "detail", "request_id"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["errors"],
    "additionalProperties": False,
}


def nullable(schema: Schema) -> Schema:
    """Return the schema with null allowed, too."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    said = {key: schema[key] for key in ("title", "description") if key in schema}
    return {"anyOf": [{key: value for key, value in schema.items() if key not in said}, {"type": "null"}]} | said


def described(schema: Schema, description: str) -> Schema:
    """Return the schema with a description of its own."""
    return {**schema, "description": description}


def closed(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def entity(properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that always has all of these properties."""
    return closed(properties, tuple(properties))


def collection(name: str, item: Schema) -> Schema:
    """Return the schema of a page of a list."""
    return closed({name: {"type": "array", "items": item}, "links": LINKS}, (name, "links"))
