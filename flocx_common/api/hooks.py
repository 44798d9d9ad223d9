# SPDX-License-Identifier: Apache-2.0
"""Pecan hooks: which paths may be walked, and how errors become answers."""

from __future__ import annotations

import logging
from typing import Any

import webob
import webob.exc
from pecan.hooks import PecanHook

from flocx_common.api.errors import error_response, plain_response, status_of
from flocx_common.domain.errors import FlocxError

LOG = logging.getLogger(__name__)


class PathHook(PecanHook):  # type: ignore[misc]
    """Answers in JSON whatever is accepted, and keeps paths to declared routes.

    Pecan walks attributes by the segments of the path; what is not meant to be
    one begins with an underscore or is the index a path ends in.
    """

    def on_route(self, state: Any) -> None:
        """Refuse a path before it is walked."""
        state.request.pecan["content_type"] = "application/json"
        segments = state.request.path_info.split("/")
        if any(segment.startswith("_") or segment == "index" for segment in segments):
            raise webob.exc.HTTPNotFound


class ErrorHook(PecanHook):  # type: ignore[misc]
    """Turns what a controller raised into the one form of errors."""

    def on_error(self, state: Any, error: Exception) -> webob.Response:
        """Return the answer for an error; one that nobody foresaw is logged and told as 500."""
        request_id = state.request.environ.get("openstack.request_id")
        if isinstance(error, FlocxError):
            if status_of(error) >= 500:
                LOG.error("%s %s: %s", state.request.method, state.request.path_info, error.detail)
            return error_response(error, request_id)
        if isinstance(error, webob.exc.WSGIHTTPException):
            response = plain_response(error.status_int, _detail(error, state.request), request_id)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response
        LOG.error("%s %s failed", state.request.method, state.request.path_info, exc_info=error)
        return plain_response(500, "The service failed; its log tells more under the request id.", request_id)


def _detail(error: webob.exc.WSGIHTTPException, request: webob.Request) -> str:
    match error.status_int:
        case 404:
            return f"path: there is nothing at {request.path_info}"
        case 405:
            return f"method: {request.method} is not allowed at {request.path_info}"
    return error.explanation or error.title or "refused"
