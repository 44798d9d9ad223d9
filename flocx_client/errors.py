# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a call, by the service's stable error code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """A call did not succeed."""


class ServiceUnreachable(ClientError):
    """The service itself did not answer: nothing is known of the call's fate."""


class NothingFound(ClientError):
    """Nothing has the name or UUID that was given."""


class Ambiguous(ClientError):
    """Several things have the name that was given."""


class RequestRefused(ClientError):
    """The service answered with an error.

    :param status: the HTTP status.
    :param code: the stable error code, such as ``flocx.bid.not_found``; None
        when something else than a FLOCX service answered.
    :param detail: the field, the value and what was expected, in words.
    :param field: the field at fault, where one is.
    :param request_id: finds the request in the service's log.
    """

    def __init__(
        self,
        status: int,
        code: str | None,
        detail: str,
        *,
        field: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{detail} (HTTP {status}, {code or 'no code'}, request {request_id or 'unknown'})")
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
        self.request_id = request_id


class BadRequest(RequestRefused):
    """The request is wrong in itself."""


class Unauthorized(RequestRefused):
    """The credentials are missing or wrong."""


class Forbidden(RequestRefused):
    """The caller may not do this."""


class NotFound(RequestRefused, NothingFound):
    """There is no such thing, or the caller may not see it."""


class Conflict(RequestRefused):
    """The request contradicts the current state."""


class PreconditionFailed(RequestRefused):
    """The entity has changed since it was read."""


class ServiceFailed(RequestRefused):
    """The service cannot answer now, or has failed; trying again may help."""


_KINDS: Mapping[int, type[RequestRefused]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: BadRequest,
}


def refusal(status: int, body: Any, request_id: str | None) -> RequestRefused:
    """Return the error for an answer with a status of 400 or more.

    :param body: the parsed body, whatever it is.
    """
    kind = _KINDS.get(status, ServiceFailed if status >= 500 else RequestRefused)
    errors = body.get("errors") if isinstance(body, dict) else None
    told = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    first = told[0] if told else {}
    details = [str(error["detail"]) for error in told if "detail" in error]
    return kind(
        status,
        first.get("code"),
        "; ".join(details) or "the answer says nothing more",
        field=first.get("field"),
        request_id=first.get("request_id") or request_id,
    )
