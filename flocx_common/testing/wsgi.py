# SPDX-License-Identifier: Apache-2.0
"""Calling a WSGI application in this process through an ordinary HTTP session."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WsgiAdapter(BaseAdapter):
    """Carries requests to an application in place of a network.

    ``down`` makes every request fail as if nothing listened there.
    """

    def __init__(self, app: WsgiApp) -> None:
        super().__init__()
        self._app = app
        self.down = False

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Serve a request."""
        if self.down:
            raise requests.ConnectionError("the application is down", request=request)
        assert request.url is not None
        assert request.method is not None
        url = urlsplit(request.url)
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else bytes(body)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
            "QUERY_STRING": url.query,
            "SERVER_NAME": url.hostname or "",
            "SERVER_PORT": str(url.port or 80),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": url.scheme,
            "wsgi.input": io.BytesIO(raw),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        started: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = self._app(environ, lambda status, headers, *_: started.append((status, headers)))
        content = b"".join(chunks)
        status, headers = started[-1]
        response = requests.Response()
        response.status_code = int(status.split()[0])
        response.reason = status.partition(" ")[2]
        response.headers = requests.structures.CaseInsensitiveDict(headers)
        response.raw = HTTPResponse(body=io.BytesIO(content), headers=dict(headers), status=response.status_code)
        response._content = content  # noqa: SLF001 - as requests' own adapter does
        response.url = request.url
        response.request = request
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Do nothing: there is no connection."""
