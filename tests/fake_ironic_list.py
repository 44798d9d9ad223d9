# SPDX-License-Identifier: Apache-2.0
"""Ironic's list of nodes in memory, as a WSGI application."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs


class FakeIronic:
    """Nodes that can be listed page by page.

    ``status`` makes it answer with something else than 200, ``body`` with
    something else than a list; ``most`` is the page size it allows at most.
    """

    def __init__(self, nodes: Iterable[dict[str, Any]] = (), most: int = 1000) -> None:
        self.nodes = {node["uuid"]: node for node in nodes}
        self.most = most
        self.status = "200 OK"
        self.body: bytes | None = None
        self.requests: list[dict[str, Any]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        query = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        self.requests.append(
            query
            | {
                "path": environ["PATH_INFO"],
                "version": environ.get("HTTP_X_OPENSTACK_IRONIC_API_VERSION"),
                "token": environ.get("HTTP_X_AUTH_TOKEN"),
            }
        )
        self.meanwhile()
        start_response(self.status, [("Content-Type", "application/json"), ("Location", "http://elsewhere.test/")])
        return [self._page(query) if self.body is None else self.body]

    def _page(self, query: dict[str, Any]) -> bytes:
        uuids = list(self.nodes)
        first = uuids.index(query["marker"]) + 1 if "marker" in query else 0
        limit = min(int(query["limit"]), self.most)
        fields = query["fields"].split(",")
        page = [{field: self.nodes[one].get(field) for field in fields} for one in uuids[first : first + limit]]
        answer: dict[str, Any] = {"nodes": page}
        if len(uuids) > first + limit:
            answer["next"] = "http://elsewhere.test/v1/nodes?marker=x"
        return json.dumps(answer).encode()
