# SPDX-License-Identifier: Apache-2.0
"""A service that answers what a test says, behind an ordinary session of keystoneauth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import webob
from keystoneauth1 import loading
from keystoneauth1 import session as ksa_session

from flocx_common.testing.wsgi import WsgiAdapter

URL = "http://service.test"


class FakeService(WsgiAdapter):
    """Answers requests in turn, the last answer again and again, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.answers: list[webob.Response | Exception] = []
        self.requests: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []

    def say(self, body: Any = None, status: int = 200, **headers: str) -> None:
        """Answer so to the next request: JSON, or bytes as they are."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        response = webob.Response(status=status, body=raw, content_type="application/json")
        response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        self.answers.append(response)

    def fail(self, error: Exception) -> None:
        """Break the connection at the next request."""
        self.answers.append(error)

    def session(self) -> ksa_session.Session:
        """Return a user's session with this service behind it."""
        plugin = loading.get_plugin_loader("http_basic").load_from_options(
            username="ann", password="secret", endpoint=URL
        )
        http = requests.Session()
        http.mount(URL, self)
        return ksa_session.Session(auth=plugin, session=http)

    def asked(self) -> tuple[str, str]:
        """Return the method and the path of the last request, quoted as it came."""
        assert self.requests[-1].url is not None
        return str(self.requests[-1].method), urlsplit(self.requests[-1].url).path

    def queries(self) -> list[dict[str, str]]:
        """Return the query of each request."""
        return [dict(parse_qsl(urlsplit(str(one.url)).query, keep_blank_values=True)) for one in self.requests]

    def body(self) -> Any:
        """Return the body of the last request; None where there was none."""
        sent = self.requests[-1].body
        return None if sent is None else json.loads(sent)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Serve a request, or break the connection."""
        self.requests.append(request)
        self.timeouts.append(kwargs.get("timeout"))
        if isinstance(self.answers[0], Exception):
            raise self._next()
        return super().send(request, *args, **kwargs)

    def _next(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._next()(environ, start_response)
