# SPDX-License-Identifier: Apache-2.0
"""Is it alive, is it ready, what does it count: answered without a token, saying nothing secret."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import webob

from flocx_common import metrics
from flocx_common.api.middleware import WsgiApp

#: A check raises to say that its part fails; it says nothing else.
Check = Callable[[], None]

_KEPT_SECONDS = 1.0


class Readiness:
    """Whether the parts a service depends on work, asked at most once a second.

    ``stopping`` is set before a shutdown, so that no new work is sent here.

    :param dismiss: sends home whoever waits for something, when the end has come.
    """

    def __init__(self, checks: Mapping[str, Check], dismiss: Callable[[], None] = lambda: None) -> None:
        self._checks = dict(checks)
        self.dismiss = dismiss
        self._lock = threading.Lock()
        self._failing: tuple[str, ...] = ()
        self._asked = float("-inf")
        self.stopping = False

    def failing(self) -> tuple[str, ...]:
        """Return the names of the parts that do not work, sorted; none when ready."""
        if self.stopping:
            return ("stopping",)
        with self._lock:
            if time.monotonic() - self._asked > _KEPT_SECONDS:
                self._failing = tuple(sorted(name for name, check in self._checks.items() if not _works(check)))
                self._asked = time.monotonic()
            return self._failing


def _works(check: Check) -> bool:
    try:
        check()
    except Exception:
        return False
    return True


class HealthEndpoints:
    """Serves /healthcheck, /readyz and /metrics and hands everything else on."""

    def __init__(self, app: WsgiApp, readiness: Readiness) -> None:
        self._app = app
        self._readiness = readiness

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        answer = None
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            match environ.get("PATH_INFO"):
                case "/healthcheck":
                    answer = _json(200, {"status": "alive"})
                case "/readyz":
                    failing = self._readiness.failing()
                    status = "not ready" if failing else "ready"
                    answer = _json(503 if failing else 200, {"status": status, "failing": list(failing)})
                case "/metrics":
                    answer = webob.Response(body=metrics.exposition())
                    answer.headers["Content-Type"] = metrics.CONTENT_TYPE
        if answer is None:
            return self._app(environ, start_response)
        environ["flocx.operation"] = environ["PATH_INFO"].strip("/")
        return answer(environ, start_response)


def health_only(readiness: Readiness) -> WsgiApp:
    """Return an application that serves nothing but the health endpoints, for a manager."""

    def nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return webob.Response(status=404)(environ, start_response)

    return HealthEndpoints(nothing, readiness)


def _json(status: int, body: object) -> webob.Response:
    response = webob.Response(status=status, content_type="application/json", charset="UTF-8")
    response.body = json.dumps(body).encode()
    return response
