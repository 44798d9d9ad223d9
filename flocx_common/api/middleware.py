# SPDX-License-Identifier: Apache-2.0
"""WSGI middleware around the API, from the outside in."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import webob
from oslo_context.context import RequestContext
from oslo_middleware.request_id import RequestId

from flocx_common.api.context import IDENTITY_HEADERS
from flocx_common.api.errors import plain_response
from flocx_common.metrics import REQUESTS, SECONDS

LOG = logging.getLogger(__name__)

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_STRIPPED = tuple("HTTP_" + name.upper().replace("-", "_") for name in IDENTITY_HEADERS)


class Guarded:
    """Sends every refusal in the one form of errors, whoever made it; logs and measures requests.

    Authentication middleware and servers have error bodies of their own; an
    exception that comes through is a defect and is told as 500. What sets
    ``flocx.errors_as_they_are`` in the environment passes on another service's errors.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        began = time.perf_counter()
        # Until it is known who calls, log lines must not name the caller this thread served before.
        RequestContext(request_id=environ.get("openstack.request_id"))
        response = self._served(environ)
        took = time.perf_counter() - began
        operation = environ.get("flocx.operation", "none")
        REQUESTS.labels(operation, environ["REQUEST_METHOD"], str(response.status_int)).inc()
        SECONDS.labels(operation).observe(took)
        LOG.info(
            "%s %s %s %d, %d bytes in %.3f s",
            environ.get("REMOTE_ADDR", "-"),
            environ["REQUEST_METHOD"],
            environ.get("PATH_INFO", ""),
            response.status_int,
            response.content_length or 0,
            took,
        )
        return response(environ, start_response)

    def _served(self, environ: dict[str, Any]) -> webob.Response:
        request_id = environ.get("openstack.request_id")
        problem = _unreadable(environ)
        if problem is not None:
            return plain_response(400, problem, request_id)
        head = environ["REQUEST_METHOD"] == "HEAD"
        if head:
            # A HEAD is a GET whose body is not sent; no controller needs to know.
            environ["REQUEST_METHOD"] = "GET"
        try:
            response = webob.Request(environ).get_response(self._app)
        except Exception:
            LOG.exception("%s %s failed", environ["REQUEST_METHOD"], environ.get("PATH_INFO"))
            return plain_response(500, "The service failed; its log tells more under the request id.", request_id)
        finally:
            if head:
                environ["REQUEST_METHOD"] = "HEAD"
        passed = response.status_int < 400 or environ.get("flocx.errors_as_they_are") or _is_ours(response)
        return response if passed else _restated(response, request_id)


def _unreadable(environ: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the path, the query or the length, before anything tries to read them."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        return "Content-Length: a number of bytes is expected"
    try:
        # WSGI hands bytes over as Latin-1.
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8")
    except UnicodeError:
        return "path: UTF-8 is expected"
    if "\x00" in path:
        return "path: text must not hold NUL"
    try:
        dict(webob.Request(dict(environ)).GET)
    except (UnicodeError, ValueError):
        return "query: UTF-8 is expected"
    return None


def _is_ours(response: webob.Response) -> bool:
    if response.content_type != "application/json":
        return False
    try:
        body = json.loads(response.body)
    except ValueError:
        return False
    return isinstance(body, dict) and "errors" in body


def _restated(response: webob.Response, request_id: str | None) -> webob.Response:
    details = {
        401: "token: valid credentials are expected with the request",
        413: "body: it is larger than this service takes",
        503: "authentication: the identity service does not answer",
    }
    restated = plain_response(response.status_int, details.get(response.status_int, response.status), request_id)
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        if name in response.headers:
            restated.headers[name] = response.headers[name]
    return restated


class IdentityHeadersRemoved:
    """Removes the headers by which authentication speaks, so that no client can speak for it."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        for name in _STRIPPED:
            environ.pop(name, None)
        return self._app(environ, start_response)


class BodyLimited:
    """Refuses bodies larger than a limit, in bytes, with 413."""

    def __init__(self, app: WsgiApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        request = webob.Request(environ)
        too_large = f"body: at most {self._limit} bytes are taken"
        request_id = environ.get("openstack.request_id")
        if request.content_length is not None and request.content_length > self._limit:
            return plain_response(413, too_large, request_id)(environ, start_response)
        if request.content_length is None and environ.get("wsgi.input_terminated"):
            # A chunked body: read it as far as the limit, and hand on what was read.
            body = request.body_file_raw.read(self._limit + 1)
            if len(body) > self._limit:
                return plain_response(413, too_large, request_id)(environ, start_response)
            request.body = body
        return self._app(environ, start_response)


class MicroversionNegotiated:
    """Answers in the microversion that was asked for, or tells which there are.

    :param service_type: the word in the header, as in the catalog.
    """

    def __init__(self, app: WsgiApp, service_type: str, lowest: tuple[int, int], highest: tuple[int, int]) -> None:
        self._app = app
        self._service_type = service_type
        self._lowest, self._highest = lowest, highest

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        wanted = self._wanted(environ.get("HTTP_OPENSTACK_API_VERSION"))
        if wanted is None or not self._lowest <= wanted <= self._highest:
            lowest, highest = _dotted(self._lowest), _dotted(self._highest)
            response = plain_response(
                406,
                f"OpenStack-API-Version: {self._service_type} {lowest} to {highest} is expected",
                environ.get("openstack.request_id"),
                min_version=lowest,
                max_version=highest,
            )
            wanted = self._lowest
        else:
            environ["flocx.microversion"] = wanted
            response = webob.Request(environ).get_response(self._app)
        response.headers["OpenStack-API-Version"] = f"{self._service_type} {_dotted(wanted)}"
        response.headers.add("Vary", "OpenStack-API-Version")
        return response(environ, start_response)

    def _wanted(self, header: str | None) -> tuple[int, int] | None:
        """Return the version the header asks for, the lowest without one, None for nonsense."""
        for part in (header or "").split(","):
            words = part.split()
            if len(words) == 2 and words[0].lower() == self._service_type:
                if words[1].lower() == "latest":
                    return self._highest
                major, _, minor = words[1].partition(".")
                digits = all(number.isascii() and number.isdigit() and len(number) < 6 for number in (major, minor))
                return (int(major), int(minor)) if digits else None
        return self._lowest


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


__all__ = [
    "BodyLimited",
    "Guarded",
    "IdentityHeadersRemoved",
    "MicroversionNegotiated",
    "RequestId",
    "WsgiApp",
]
