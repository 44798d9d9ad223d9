# SPDX-License-Identifier: Apache-2.0
"""Placement's resource providers and Nova's aggregates in memory, as two WSGI applications."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs


class _App:
    """What both have in common: routes, versions, and every call written down.

    ``meanwhile`` is called before each call is served; ``statuses`` answers
    (method, path) with a status in place of what would be.
    """

    version = ""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.statuses: dict[tuple[str, str], int] = {}
        self.meanwhile: Callable[[str, str], None] = lambda method, path: None
        self.page: bytes | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        assert environ.get("HTTP_OPENSTACK_API_VERSION") == self.version
        query = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        raw = environ["wsgi.input"].read()
        self.calls.append((method, path))
        self.meanwhile(method, path)
        if (method, path) in self.statuses:
            status, body = self.statuses[method, path], None
        else:
            status, body = self.serve(method, path, query, json.loads(raw) if raw else None)
        start_response(f"{status} Status", [("Content-Type", "application/json")])
        if self.page is not None:
            return [self.page]
        return [b"" if body is None else json.dumps(body).encode()]

    def serve(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Return status and body."""
        raise NotImplementedError


class FakePlacement(_App):
    """Resource providers with their aggregates; each change raises a provider's generation."""

    version = "placement 1.19"

    def __init__(self, *uuids: str) -> None:
        super().__init__()
        self.aggregates: dict[str, set[str]] = {one: set() for one in uuids}
        self.generations = dict.fromkeys(uuids, 0)

    def set(self, provider: str, *aggregates: str) -> None:
        """Let somebody set the aggregates of a provider."""
        self.aggregates[provider] = set(aggregates)
        self.generations[provider] = self.generations.get(provider, 0) + 1

    def serve(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Return status and body."""
        parts = path.strip("/").split("/")
        if path == "/":
            return 200, {"versions": []}
        if parts == ["resource_providers"]:
            wanted = query.get("member_of")
            found = [one for one, members in self.aggregates.items() if wanted is None or wanted in members]
            return 200, {"resource_providers": [{"uuid": one, "generation": self.generations[one]} for one in found]}
        provider = parts[1]
        if provider not in self.aggregates:
            return 404, {"errors": []}
        if method == "PUT":
            if body["resource_provider_generation"] != self.generations[provider]:
                return 409, {"errors": [{"code": "placement.concurrent_update"}]}
            self.set(provider, *body["aggregates"])
        return 200, {
            "aggregates": sorted(self.aggregates[provider]),
            "resource_provider_generation": self.generations[provider],
        }


class FakeNova(_App):
    """Host aggregates."""

    version = "compute 2.41"

    def __init__(self) -> None:
        super().__init__()
        self.aggregates: dict[int, dict[str, Any]] = {}
        self._numbers = itertools.count(1)

    def add(self, name: str, hosts: Iterable[str] = (), **metadata: str) -> dict[str, Any]:
        """Let there be an aggregate."""
        number = next(self._numbers)
        made = {"id": number, "uuid": str(uuid.UUID(int=0xA66 << 64 | number)), "name": name}
        self.aggregates[number] = made | {"hosts": list(hosts), "metadata": dict(metadata)}
        return self.aggregates[number]

    def named(self, name: str) -> dict[str, Any] | None:
        """Return an aggregate by name."""
        return next((one for one in self.aggregates.values() if one["name"] == name), None)

    def serve(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Return status and body."""
        parts = path.strip("/").split("/")
        if parts == ["os-aggregates"] and method == "GET":
            return 200, {"aggregates": list(self.aggregates.values())}
        if parts == ["os-aggregates"]:
            name = body["aggregate"]["name"]
            return (409, {}) if self.named(name) else (200, {"aggregate": self.add(name)})
        number = int(parts[1])
        if number not in self.aggregates:
            return 404, {}
        if method == "DELETE":
            if self.aggregates[number]["hosts"]:
                return 409, {}
            del self.aggregates[number]
            return 200, None
        metadata = self.aggregates[number]["metadata"]
        for key, value in body["set_metadata"]["metadata"].items():
            if value is None:
                metadata.pop(key, None)
            else:
                metadata[key] = value
        return 200, {"aggregate": self.aggregates[number]}
