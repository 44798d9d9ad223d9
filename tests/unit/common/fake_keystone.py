# SPDX-License-Identifier: Apache-2.0
"""As much of Keystone as checks tokens: version discovery, issuing and validating."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import webob

from flocx_common.api.server import Server

_DOMAIN = {"id": "default", "name": "Default"}


class FakeKeystone:
    """A Keystone on a port of loopback. Its users log in with any password; tokens are made by :meth:`issue`.

    :ivar url: where it is.
    :ivar asked: the tokens it was asked to validate.
    :ivar projects: what it lists, as are its other ``domains``; ``listed`` counts the questions, and
        ``list_status`` is the status of the answer.
    """

    def __init__(self) -> None:
        self._server = Server(self._serve, "127.0.0.1", 0, threads=2)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._tokens: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.projects: list[dict[str, str]] = []
        self.domains: list[dict[str, str]] = []
        self.listed = 0
        self.list_status = 200
        self._server.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop()

    def issue(
        self, token: str, *, project: str | None = "p-1", roles: Sequence[str] = ("member",), expired: bool = False
    ) -> str:
        """Make a token valid (or expired) and return it; without a project it is scoped to the system."""
        now = datetime.now(tz=UTC)
        body: dict[str, Any] = {
            "methods": ["password"],
            "issued_at": _time(now - timedelta(hours=2)),
            "expires_at": _time(now + timedelta(hours=-1 if expired else 1)),
            "user": {"id": f"u-{token}", "name": token, "domain": _DOMAIN},
            "roles": [{"id": f"r-{role}", "name": role} for role in roles],
            "catalog": [
                {
                    "id": "identity",
                    "type": "identity",
                    "name": "keystone",
                    "endpoints": [
                        {"id": interface, "interface": interface, "region": "one", "region_id": "one", "url": self.url}
                        for interface in ("public", "internal", "admin")
                    ],
                }
            ],
        }
        body |= {"system": {"all": True}} if project is None else {}
        body |= {} if project is None else {"project": {"id": project, "name": f"name of {project}", "domain": _DOMAIN}}
        self._tokens[token] = {"expired": expired, "body": {"token": body}}
        return token

    def options(self) -> dict[str, Any]:
        """Return what ``[keystone_authtoken]`` says for this Keystone."""
        return {
            "www_authenticate_uri": self.url,
            "auth_url": self.url,
            "auth_type": "password",
            "username": "market",
            "password": "any",
            "project_name": "services",
            "user_domain_id": "default",
            "project_domain_id": "default",
            "service_token_roles_required": "true",
        }

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = webob.Request(environ)
        match request.method, request.path.rstrip("/"):
            case "GET", "" | "/v3":
                version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": f"{self.url}/v3/"}]}
                found = {"versions": {"values": [version]}} if request.path == "/" else {"version": version}
                response = _json(300 if request.path == "/" else 200, found)
            case "POST", "/v3/auth/tokens":
                mine = self.issue("the-market", roles=("service",))
                response = _json(201, self._tokens[mine]["body"])
                response.headers["X-Subject-Token"] = mine
            case "GET", "/v3/projects" | "/v3/domains":
                self.listed += 1
                found = {"projects": self.projects, "domains": [{"id": "default", "name": "Default"}, *self.domains]}
                response = _json(self.list_status, found)
            case "GET", "/v3/auth/tokens":
                wanted = request.headers["X-Subject-Token"]
                self.asked.append(wanted)
                known = self._tokens.get(wanted)
                if known is None or (known["expired"] and request.GET.get("allow_expired") != "1"):
                    response = _json(404, {"error": {"code": 404, "title": "Not Found", "message": "no such token"}})
                else:
                    response = _json(200, known["body"])
            case _:
                response = _json(404, {})
        return response(environ, start_response)


def _json(status: int, body: object) -> webob.Response:
    return webob.Response(status=status, content_type="application/json", body=json.dumps(body).encode())


def _time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
