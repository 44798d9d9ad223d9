# SPDX-License-Identifier: Apache-2.0
"""Errors on the wire: the only place that knows which kind is which HTTP status."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import webob

from flocx_common.domain import errors

_STATUS: tuple[tuple[type[errors.FlocxError], HTTPStatus], ...] = (
    (errors.Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.Forbidden, HTTPStatus.FORBIDDEN),
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.PreconditionFailed, HTTPStatus.PRECONDITION_FAILED),
    (errors.Conflict, HTTPStatus.CONFLICT),
    (errors.Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.Invalid, HTTPStatus.BAD_REQUEST),
)

#: Codes of refusals that have no class of their own, by HTTP status.
CODES = {
    HTTPStatus.BAD_REQUEST: "flocx.request.invalid",
    HTTPStatus.UNAUTHORIZED: "flocx.auth.unauthenticated",
    HTTPStatus.FORBIDDEN: "flocx.auth.forbidden",
    HTTPStatus.NOT_FOUND: "flocx.request.not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "flocx.request.method_not_allowed",
    HTTPStatus.NOT_ACCEPTABLE: "flocx.request.version_unsupported",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "flocx.request.too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "flocx.request.media_type_unsupported",
    HTTPStatus.INTERNAL_SERVER_ERROR: "flocx.service.internal_error",
    HTTPStatus.SERVICE_UNAVAILABLE: "flocx.service.unavailable",
}


class InvalidMany(errors.Invalid):
    """A request with several things wrong; each is told."""

    def __init__(self, problems: Sequence[errors.Invalid]) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = problems


def status_of(error: errors.FlocxError) -> HTTPStatus:
    """Return the HTTP status of an error; what is not the caller's fault is 500."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def error_response(error: errors.FlocxError, request_id: str | None) -> webob.Response:
    """Return the response that tells a client of an error."""
    status = status_of(error)
    problems = error.problems if isinstance(error, InvalidMany) else [error]
    return response(
        status,
        [
            item(status, problem.code, problem.title, problem.detail, request_id, field=problem.field)
            for problem in problems
        ],
    )


def plain_response(status: int, detail: str, request_id: str | None, **more: Any) -> webob.Response:
    """Return the response for a refusal that has no error class, such as an unknown path."""
    known = HTTPStatus(status)
    code = CODES.get(known, f"flocx.http.{status}")
    return response(known, [item(known, code, known.phrase, detail, request_id, **more)])


def item(status: HTTPStatus, code: str, title: str, detail: str, request_id: str | None, **more: Any) -> dict[str, Any]:
    """Return one error in the form of the API-SIG guideline."""
    body = {"status": int(status), "code": code, "title": title, "detail": detail, "request_id": request_id, **more}
    return {key: value for key, value in body.items() if key != "field" or value is not None}


def response(status: HTTPStatus, items: Sequence[dict[str, Any]]) -> webob.Response:
    """Return a JSON response that holds errors."""
    made = webob.Response(status=int(status), content_type="application/json", charset="UTF-8")
    made.body = json.dumps({"errors": list(items)}).encode()
    return made
