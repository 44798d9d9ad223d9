# SPDX-License-Identifier: Apache-2.0
"""The REST reference, from the OpenAPI documents that the services serve."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from flocx_common.api import openapi
from flocx_common.api.discovery import spelled
from flocx_common.api.operation import operations
from flocx_common.api.query import PageLimits
from flocx_common.domain.json_values import canonical_json
from flocx_docs.rst import escaped, heading, literal, table
from flocx_market.api.controllers.root import RootController as MarketRoot
from flocx_market.api.services import SERVICE_TYPE as MARKET_TYPE
from flocx_market.api.services import VERSIONS as MARKET_VERSIONS
from flocx_provider.api.controllers.root import RootController as ProviderRoot
from flocx_provider.api.services import SERVICE_TYPE as PROVIDER_TYPE
from flocx_provider.api.services import VERSIONS as PROVIDER_VERSIONS

_SERVICES = {
    "market": (MarketRoot, MARKET_TYPE, MARKET_VERSIONS),
    "provider": (ProviderRoot, PROVIDER_TYPE, PROVIDER_VERSIONS),
}
_METHODS = ("get", "post", "put", "patch", "delete")

#: What a route answers with where its last segment is not the word for it.
_WORDS = {"access": "access", "cancel": "contract", "explain": "explanation", "release": "allocation"}

Schema = dict[str, Any]


def document(service: str) -> dict[str, Any]:
    """Return the OpenAPI document of a service; what its controllers work with makes no difference to it."""
    root, service_type, versions = _SERVICES[service]
    limits = PageLimits(100, 1000)
    served = operations(root(SimpleNamespace(settings=None, page_limits=limits)))
    title, version = f"FLOCX {service}", spelled(versions[1])
    return openapi.document(served, title=title, version=version, service_type=service_type, limits=limits)


def routes(service: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (METHOD, path, operation) of a service, by path."""
    for path, methods in sorted(document(service)["paths"].items()):
        for method in _METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def page(service: str) -> str:
    """Return every route of a service, and the things that they answer with."""
    named = _named(service)
    parts = [heading("Things", "-"), "What the routes answer with. Every field is always there.\n"]
    for schema, name in sorted(named.values(), key=lambda pair: pair[1]):
        parts += [f".. _{_anchor(service, name)}:\n", heading(name.capitalize(), "~")]
        parts.append(_fields(schema, service, named, answered=True))
    parts += [heading("Routes", "-")]
    for method, path, operation in routes(service):
        parts += [heading(f"{method} {path}", "~"), *_route(operation, service, named)]
    return "\n".join(parts)


def _route(operation: dict[str, Any], service: str, named: dict[str, Any]) -> Iterator[str]:
    rule = operation.get("x-policy-rule")
    guarded = f"Policy rule: {literal(rule)}." if rule else "Needs no token."
    since = operation.get("x-openstack", {}).get("min-ver")
    new = f" From microversion {since} on." if since else ""
    yield f"{escaped(operation['summary'].rstrip('.'))}. {guarded}{new}\n"
    query = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
    if query:
        yield table(
            ["Query parameter", "Meaning"],
            [[literal(one["name"]), escaped(one["schema"].get("description", ""))] for one in query],
            [25, 75],
        )
    if "requestBody" in operation:
        yield "The body:\n"
        yield _fields(operation["requestBody"]["content"]["application/json"]["schema"], service, named, answered=False)
    answers, refusals = [], []
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        schema = next(iter(content.values()))["schema"] if content else None
        if schema is not None and "$ref" in schema:
            refusals.append(status)
        else:
            answers.append((status, schema))
    for status, schema in answers:
        what, shown = _answer(schema, service, named)
        yield f"Answers **{status}** ({HTTPStatus(int(status)).phrase}) with {what}.\n"
        if shown:
            yield shown
    if refusals:
        yield f"Refuses with {', '.join(refusals)}; see :doc:`errors`.\n"


def _answer(schema: Schema | None, service: str, named: dict[str, Any]) -> tuple[str, str]:
    """Return the words for an answer, and a table of its fields where no words are enough."""
    if schema is None:
        return "nothing", ""
    if (key := canonical_json(schema)) in named:
        return f"the {_link(service, named[key][1])}", ""
    listed = _listed(schema)
    if listed is not None:
        field, item = listed
        return f"a page of {literal(field)}, each a {_link(service, named[canonical_json(item)][1])}, and ``links``", ""
    if schema.get("properties"):
        return "these fields", _fields(schema, service, named, answered=True)
    return ("text" if schema.get("type") == "string" else "a JSON document"), ""


def _named(service: str) -> dict[str, tuple[Schema, str]]:
    """Return the schemas that have a name, by their canonical text: what is listed, and what has a route of its own."""
    named: dict[str, tuple[Schema, str]] = {}
    for _, path, operation in routes(service):
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/json")
            if content is None or not status.startswith("2") or not path.startswith("/v1/") or path == "/v1/":
                continue
            schema = content["schema"]
            found = _listed(schema)
            if found is not None:
                named.setdefault(canonical_json(found[1]), (found[1], found[0].removesuffix("s")))
            elif schema.get("properties") and "next_since" not in schema["properties"]:
                word = [part for part in path.split("/") if part and not part.startswith("{")][-1]
                named.setdefault(canonical_json(schema), (schema, _WORDS.get(word) or word.removesuffix("s")))
    return named


def _listed(schema: Schema) -> tuple[str, Schema] | None:
    """Return (field, item) of a page of a list."""
    properties = schema.get("properties", {})
    if set(properties) - {"links"} and len(properties) == 2 and "links" in properties:
        field = next(name for name in properties if name != "links")
        items = properties[field].get("items")
        return (field, items) if items else None
    return None


def _fields(schema: Schema, service: str, named: dict[str, Any], *, answered: bool) -> str:
    rows = []
    for name, kind, about, needed in _flat(schema, "", service, named):
        must = [] if answered else ["yes" if needed else ""]
        rows.append([literal(name), escaped(kind), *must, about])
    if answered:
        return table(["Field", "Type", "Meaning"], rows, [28, 22, 50])
    return table(["Field", "Type", "Required", "Meaning"], rows, [24, 20, 10, 46])


def _flat(schema: Schema, prefix: str, service: str, named: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """Yield (field, type, meaning, required) for an object and the objects in it."""
    for name, given in schema["properties"].items():
        inner, null = _without_null(given)
        required = name in schema.get("required", ())
        item = inner.get("items") or {}
        about = escaped(given.get("description") or inner.get("description") or _sentence(inner.get("title")))
        bounds = _bounds(inner)
        about = " ".join(part for part in (about, bounds) if part)
        kind = _kind(inner) + (" or null" if null else "")
        if (key := canonical_json(item)) in named:
            about = f"{about} Each a {_link(service, named[key][1])}.".strip()
            yield prefix + name, kind, about, required
            continue
        yield prefix + name, kind, about, required
        if inner.get("properties"):
            yield from _flat(inner, f"{prefix}{name}.", service, named)
        elif item.get("properties"):
            yield from _flat(item, f"{prefix}{name}[].", service, named)


def _sentence(title: str | None) -> str:
    return f"{title[0].upper()}{title[1:]}." if title else ""


def _without_null(schema: Schema) -> tuple[Schema, bool]:
    if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
        (inner,) = [one for one in schema["anyOf"] if one != {"type": "null"}]
        return inner, True
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return {**schema, "type": next(kind for kind in kinds if kind != "null")}, "null" in kinds
    return schema, False


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "oneOf" in schema:
        return " or ".join(one["type"] for one in schema["oneOf"])
    if schema.get("type") == "array":
        inner = schema.get("items") or {}
        return f"array of {_kind(inner)}s" if inner.get("type") else "array"
    return str(schema.get("type", "any"))


def _bounds(schema: Schema) -> str:
    told = []
    if schema.get("type") == "integer" and "minimum" in schema:
        top = schema.get("maximum")
        told.append(f"From {schema['minimum']} to {top}." if top is not None else f"At least {schema['minimum']}.")
    if "maxLength" in schema:
        told.append(f"At most {schema['maxLength']} characters.")
    if "maxItems" in schema:
        told.append(f"At most {schema['maxItems']} items.")
    return " ".join(told)


def _anchor(service: str, name: str) -> str:
    return f"{service}-{name.replace(' ', '-')}"


def _link(service: str, name: str) -> str:
    return f":ref:`{name} <{_anchor(service, name)}>`"
