# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI 3.1 document, made from what the operations declare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flocx_common.api.discovery import spelled
from flocx_common.api.operation import Operation
from flocx_common.api.query import PageLimits, list_parameters
from flocx_common.api.schemas import ERRORS, closed

# What any request with a token can be refused with.
_ALWAYS = (400, 406)
_WITH_TOKEN = (401, 403, 503)
_WITH_BODY = (413,)

_REFUSALS = {
    400: "The request is wrong in itself.",
    401: "No valid credentials came with the request.",
    403: "The caller may not do this.",
    404: "There is no such thing, or the caller may not see it.",
    406: "The microversion is not supported.",
    409: "The request contradicts the current state.",
    412: "The entity is no longer the one the caller had seen.",
    413: "The body is too large.",
    503: "Something the service depends on does not answer.",
}
_SUCCESSES = {200: "Done.", 201: "Created.", 204: "Done; nothing to show."}

_HEALTH = {
    "/healthcheck": ("Is the process alive?", {200: closed({"status": {"type": "string"}}, ("status",))}),
    "/readyz": (
        "Can it serve requests? Names the parts that fail.",
        {
            status: closed(
                {"status": {"type": "string"}, "failing": {"type": "array", "items": {"type": "string"}}},
                ("status", "failing"),
            )
            for status in (200, 503)
        },
    ),
}


def document(
    operations: Iterable[Operation], *, title: str, version: str, service_type: str, limits: PageLimits
) -> dict[str, Any]:
    """Return the document of a service.

    :param version: the highest microversion.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in sorted(operations, key=lambda o: (o.path, o.method)):
        entry = paths.setdefault(operation.path, {})
        entry[operation.method.lower()] = _operation(operation, limits)
    for path, (summary, answers) in _HEALTH.items():
        paths[path] = {
            "get": {
                "operationId": path.strip("/"),
                "summary": summary,
                "security": [],
                "responses": {
                    str(status): {"description": "The answer.", "content": {"application/json": {"schema": schema}}}
                    for status, schema in answers.items()
                },
            }
        }
    paths["/metrics"] = {
        "get": {
            "operationId": "metrics",
            "summary": "Figures in the Prometheus text format.",
            "security": [],
            "responses": {
                "200": {"description": "The figures.", "content": {"text/plain": {"schema": {"type": "string"}}}}
            },
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": f"Microversions go in the header OpenStack-API-Version: {service_type} 1.N.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Errors": ERRORS},
            "securitySchemes": {
                "keystone": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "http_basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{"keystone": []}, {"http_basic": []}],
    }


def _operation(operation: Operation, limits: PageLimits) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, limits)],
        "responses": _responses(operation),
    }
    if operation.microversion > (1, 0):
        made["x-openstack"] = {"min-ver": spelled(operation.microversion)}
    if operation.policy is None:
        made["security"] = []
    else:
        made["x-policy-rule"] = operation.policy
    if operation.body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": operation.body}}}
    return made


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", operation.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(operation: Operation, limits: PageLimits) -> list[dict[str, Any]]:
    declared = dict(operation.parameters)
    if operation.listing is not None:
        declared |= list_parameters(operation.listing, limits)
    return [
        {"name": name, "in": "query", "required": parameter.required, "schema": parameter.schema}
        for name, parameter in sorted(declared.items())
    ]


def _responses(operation: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, schema in operation.answers.items():
        responses[str(status)] = {"description": _SUCCESSES.get(status, "The answer.")}
        if schema is not None:
            responses[str(status)]["content"] = {"application/json": {"schema": schema}}
    refusals = {*operation.statuses, *_ALWAYS}
    if operation.policy is not None:
        refusals |= set(_WITH_TOKEN)
    if operation.body is not None:
        refusals |= set(_WITH_BODY)
    if "{" in operation.path or operation.microversion > (1, 0):
        refusals.add(404)
    for status in sorted(refusals):
        responses[str(status)] = {
            "description": _REFUSALS[status],
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}},
        }
    return responses
