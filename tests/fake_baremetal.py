# SPDX-License-Identifier: Apache-2.0
"""Ironic's API in memory, as a WSGI application: what a provider passes requests on to."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, unquote

import requests
from urllib3.response import HTTPResponse

from flocx_common.testing.wsgi import WsgiAdapter


class Wire(WsgiAdapter):
    """Carries requests to an application, and answers so that they can be read piece by piece."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Serve a request."""
        response = super().send(*args, **kwargs)
        response.raw = HTTPResponse(
            body=io.BytesIO(response.content), status=response.status_code, preload_content=False
        )
        response._content, response._content_consumed = False, False
        return response


TOKEN = "the provider's own token"
HIGHEST = 115
#: Where Ironic thinks that it is.
PLACE = "http://ironic.internal:6385"

_BRIEF = {
    "nodes": ("instance_uuid", "maintenance", "power_state", "provision_state", "uuid", "name"),
    "ports": ("uuid", "address"),
    "portgroups": ("uuid", "address", "name"),
    "connectors": ("uuid", "node_uuid", "type", "connector_id"),
}
_FILTERS = ("owner", "lessee", "maintenance", "provision_state", "driver", "resource_class", "instance_uuid", "retired")


class Refused(Exception):
    """An answer that refuses."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class FakeBaremetal:
    """Nodes, ports, port groups and volume connectors, with Ironic's paging, versions and errors.

    ``most`` is the page size it allows at most. ``say`` makes it answer with a
    given status, body and headers whatever is asked. ``requests`` is what it was asked.
    """

    def __init__(self, most: int = 1000) -> None:
        self.things: dict[str, dict[str, dict[str, Any]]] = {key: {} for key in _BRIEF}
        self.most = most
        self.say: tuple[int, bytes, list[tuple[str, str]]] | None = None
        self.requests: list[dict[str, Any]] = []

    def add(self, key: str, **fields: Any) -> dict[str, Any]:
        """Add a thing."""
        self.things[key][fields["uuid"]] = fields
        return fields

    def changes(self) -> list[dict[str, Any]]:
        """Return the requests that were to change something."""
        return [one for one in self.requests if one["method"] != "GET"]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.requests.append(
            {
                "method": environ["REQUEST_METHOD"],
                "path": environ["PATH_INFO"],
                "query": environ["QUERY_STRING"],
                "headers": {name: value for name, value in environ.items() if name.startswith("HTTP_")},
                "body": json.loads(raw) if raw else None,
            }
        )
        headers = [
            ("X-OpenStack-Ironic-API-Minimum-Version", "1.1"),
            ("X-OpenStack-Ironic-API-Maximum-Version", f"1.{HIGHEST}"),
            ("X-Powered-By", "the inside"),
            ("Set-Cookie", "inside=1"),
            ("Connection", "close"),
        ]
        if self.say is not None:
            status, content, more = self.say
            start_response(f"{status} Said", [("Content-Type", "application/json"), *more])
            return [content]
        try:
            minor = self._minor(environ)
            headers.append(("X-OpenStack-Ironic-API-Version", f"1.{minor}"))
            status, body, more = self._answer(environ, minor)
        except Refused as refusal:
            status, more = refusal.status, []
            fault = {"faultcode": "Client", "faultstring": refusal.text, "debuginfo": None}
            body = {"error_message": json.dumps(fault)}
        content = b"" if body is None else json.dumps(body).encode()
        kind = [] if body is None else [("Content-Type", "application/json")]
        start_response(f"{status} Answered", [*headers, *more, *kind])
        return [content]

    def _minor(self, environ: dict[str, Any]) -> int:
        text = environ.get("HTTP_X_OPENSTACK_IRONIC_API_VERSION", "1.1")
        if text == "latest":
            return HIGHEST
        major, minor = text.split(".")
        if int(major) != 1 or not 1 <= int(minor) <= HIGHEST:
            raise Refused(406, f"Version {text} was requested but is not supported: [1.1, 1.{HIGHEST}].")
        return int(minor)

    def _answer(self, environ: dict[str, Any], minor: int) -> tuple[int, Any, list[tuple[str, str]]]:
        method = environ["REQUEST_METHOD"]
        query = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        segments = [unquote(one) for one in environ["PATH_INFO"].strip("/").split("/") if one]
        if not segments:
            return 200, self._root(), []
        if segments == ["v1"]:
            return 200, self._v1(), []
        if environ.get("HTTP_X_AUTH_TOKEN") != TOKEN:
            raise Refused(401, "The request you have made requires authentication.")
        segments = segments[1:] if segments[0] == "v1" else segments
        if segments[:2] == ["volume", "connectors"]:
            segments = ["connectors", *segments[2:]]
        key, *rest = segments
        if key not in self.things:
            raise Refused(404, f"nothing at {key}")
        body = self.requests[-1]["body"]
        if not rest or (rest == ["detail"] and key != "connectors"):
            if method == "POST":
                return self._create(key, body)
            return 200, self._list(key, query, minor, detail=bool(rest)), []
        one = self._find(key, rest[0])
        if len(rest) == 1:
            return self._one(method, key, one, query, body)
        return self._part(method, one, rest[1:], query, minor)

    def _root(self) -> dict[str, Any]:
        version = {
            "id": "v1",
            "status": "CURRENT",
            "min_version": "1.1",
            "version": f"1.{HIGHEST}",
            "links": [{"href": f"{PLACE}/v1/", "rel": "self"}],
        }
        return {"name": "OpenStack Ironic API", "default_version": version, "versions": [version]}

    def _v1(self) -> dict[str, Any]:
        links = {
            name: [{"href": f"{PLACE}/v1/{name}/", "rel": "self"}, {"href": f"{PLACE}/{name}/", "rel": "bookmark"}]
            for name in ("nodes", "ports", "portgroups", "volume", "chassis", "drivers", "conductors", "allocations")
        }
        root = self._root()["default_version"]
        described = {"href": "https://docs.openstack.org/ironic/latest/contributor//webapi.html", "rel": "describedby"}
        return {"id": "v1", "links": [*root["links"], described], "version": root, **links}

    def _find(self, key: str, ident: str) -> dict[str, Any]:
        for one in self.things[key].values():
            if ident in (one["uuid"], one.get("name")) or ident.removesuffix(".json") == one.get("name"):
                return one
        raise Refused(404, f"{key} {ident} could not be found.")

    def _shown(self, key: str, one: dict[str, Any], fields: Iterable[str] | None) -> dict[str, Any]:
        path = "volume/connectors" if key == "connectors" else key
        kept = one if fields is None else {name: one.get(name) for name in fields}
        links = [
            {"href": f"{PLACE}/v1/{path}/{one['uuid']}", "rel": "self"},
            {"href": f"{PLACE}/{path}/{one['uuid']}", "rel": "bookmark"},
        ]
        below = {"ports": [{"href": f"{PLACE}/v1/nodes/{one['uuid']}/ports", "rel": "self"}]} if key == "nodes" else {}
        return {**kept, "links": links, **(below if fields is None else {})}

    def _list(
        self, key: str, query: dict[str, str], minor: int, *, detail: bool, only: str | None = None
    ) -> dict[str, Any]:
        found = list(self.things[key].values())
        node = only or query.get("node") or query.get("node_uuid")
        if key != "nodes" and node:
            uuid = self._find("nodes", node)["uuid"]
            found = [one for one in found if one["node_uuid"] == uuid]
        if "project" in query:
            if minor < 65:
                raise Refused(406, "Request not acceptable.")
            found = [one for one in found if query["project"] in (one.get("owner"), one.get("lessee"))]
        for name in _FILTERS:
            if name in query:
                found = [one for one in found if str(one.get(name)) == query[name]]
        if query.get("sort_key"):
            found.sort(key=lambda one: (str(one.get(query["sort_key"])), one["uuid"]))
            if query.get("sort_dir") == "desc":
                found.reverse()
        if "marker" in query:
            uuids = [one["uuid"] for one in found]
            if query["marker"] not in uuids:
                raise Refused(404, "The marker could not be found.")
            found = found[uuids.index(query["marker"]) + 1 :]
        limit = min(int(query.get("limit", self.most)), self.most)
        fields = tuple(query["fields"].split(",")) if "fields" in query else None
        full = detail or query.get("detail", "").lower() == "true"
        shown = None if full else fields or _BRIEF[key]
        answer = {key: [self._shown(key, one, shown) for one in found[:limit]]}
        if found[:limit] and len(found) > limit:
            answer["next"] = f"{PLACE}/v1/{key}?sort_key=id&limit={limit}&marker={found[limit - 1]['uuid']}"
        return answer

    def _create(self, key: str, body: dict[str, Any]) -> tuple[int, Any, list[tuple[str, str]]]:
        made = {"uuid": f"{len(self.things[key]) + 1:08d}-aaaa-4aaa-8aaa-aaaaaaaaaaaa", **body}
        self.things[key][made["uuid"]] = made
        return 201, self._shown(key, made, None), [("Location", f"{PLACE}/v1/{key}/{made['uuid']}")]

    def _one(
        self, method: str, key: str, one: dict[str, Any], query: dict[str, str], body: Any
    ) -> tuple[int, Any, list[tuple[str, str]]]:
        if method == "DELETE":
            del self.things[key][one["uuid"]]
            return 204, None, []
        if method == "PATCH":
            for change in body:
                *way, last = change["path"].strip("/").split("/")
                place = one
                for word in way:
                    place = place.setdefault(word, {})
                if change["op"] == "remove":
                    place.pop(last, None)
                else:
                    place[last] = change["value"]
        fields = query["fields"].split(",") if "fields" in query else None
        return 200, self._shown(key, one, fields), []

    def _part(
        self, method: str, node: dict[str, Any], rest: list[str], query: dict[str, str], minor: int
    ) -> tuple[int, Any, list[tuple[str, str]]]:
        body, path = self.requests[-1]["body"], "/".join(rest)
        if method != "GET":
            if path == "states/power":
                if node["provision_state"] == "cleaning":
                    raise Refused(400, 'The requested action "power" can not be performed.')
                node["power_state"] = body["target"]
                return 202, None, [("Location", f"{PLACE}/v1/nodes/{node['uuid']}/states")]
            if path == "maintenance":
                node["maintenance"] = method == "PUT"
            return 202, None, []
        if path == "volume/connectors":
            return 200, self._list("connectors", query, minor, detail=False, only=node["uuid"]), []
        if rest[0] in ("ports", "portgroups"):
            return 200, self._list(rest[0], query, minor, detail=rest[-1] == "detail", only=node["uuid"]), []
        if path == "states":
            names = ("power_state", "provision_state", "target_power_state", "last_error", "console_enabled")
            return 200, {name: node.get(name) for name in names}, []
        if path == "bios":
            link = {"href": f"{PLACE}/v1/nodes/{node['uuid']}/bios/x", "rel": "self"}
            return 200, {"bios": [{"name": "x", "value": "y", "links": [link]}]}, []
        if path == "states/console":
            return 200, {"console_enabled": True, "console_info": {"type": "shellinabox", "url": "http://c"}}, []
        if re.fullmatch(r"management/boot_device(/supported)?|validate|traits|firmware|inventory|history", path):
            return 200, {"asked": path}, []
        raise Refused(404, f"nothing at {path}")
