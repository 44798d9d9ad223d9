# SPDX-License-Identifier: Apache-2.0
"""An Ironic in memory that answers HTTP: nodes, their states, JSON patches, locks and inspections.

Only what the driver uses is there. What it does is what Ironic 39 was seen to do.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import webob
from keystoneauth1 import loading
from keystoneauth1 import session as ksa_session

from flocx_common.testing.wsgi import WsgiAdapter

ENDPOINT = "http://ironic.test"
VERSIONS = {"X-OpenStack-Ironic-API-Minimum-Version": "1.1", "X-OpenStack-Ironic-API-Maximum-Version": "1.109"}

_PLAIN: dict[str, Any] = {
    "owner": None,
    "lessee": None,
    "properties": {},
    "traits": [],
    "resource_class": "baremetal",
    "maintenance": False,
    "maintenance_reason": None,
    "fault": None,
    "power_state": "power off",
    "provision_state": "available",
    "instance_uuid": None,
    "inspection_finished_at": None,
    "driver_info": {"redfish_password": "******"},
}


class FakeIronicApi:
    """Nodes by uuid, in the form of the API.

    ``locked`` holds how many more changes of a node are refused because it is
    locked; ``calls`` is every request as (method, path). ``before`` is called
    with (method, path) before a request is served, to let something happen in
    between; ``status`` makes every request fail with it.
    """

    def __init__(self, page: int = 1000) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.inventories: dict[str, Any] = {}
        self.locked: dict[str, int] = {}
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.status: int | None = None
        self.adapter = WsgiAdapter(self)
        self._page = page
        self._lock = threading.Lock()

    def put(self, uuid: str, **fields: Any) -> None:
        """Let a node be there."""
        self.nodes[uuid] = {"uuid": uuid, "name": None, **deepcopy(_PLAIN), **fields}

    def connect(self) -> tuple[ksa_session.Session, str]:
        """Return a session that reaches it without authentication, and its endpoint."""
        auth = loading.get_plugin_loader("none").load_from_options(endpoint=ENDPOINT)
        session = ksa_session.Session(auth=auth)
        session.session.mount(ENDPOINT, self.adapter)
        return session, ENDPOINT

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        request = webob.Request(environ)
        self.calls.append((request.method, request.path_qs))
        self.before(request.method, request.path)
        with self._lock:
            response = self._served(request)
        response.headers.update(VERSIONS)
        return response(environ, start_response)

    def _served(self, request: webob.Request) -> webob.Response:
        if self.status is not None:
            return _fault(self.status, "it is not well")
        if request.path.rstrip("/") == "/v1":
            return _json({"id": "v1"})
        if request.path.rstrip("/") == "/v1/nodes":
            return self._list(request)
        match = re.fullmatch(r"/v1/nodes/([^/]+)(/inventory|/states/provision)?", request.path)
        node = None if match is None else self._find(match[1])
        if match is None or node is None:
            return _fault(404, f"Node {match[1] if match else ''} could not be found.")
        match request.method, match[2]:
            case "GET", None:
                return _json(_fields(node, request))
            case "GET", "/inventory":
                found = self.inventories.get(node["uuid"])
                return _fault(404, "no inventory") if found is None else _json({"inventory": found, "plugin_data": {}})
            case "PATCH", None:
                return self._changed(node, lambda: _patch(node, request.json))
            case "PUT", "/states/provision":
                return self._changed(node, lambda: _undeploy(node, request.json["target"]))
        return _fault(405, "Method Not Allowed")

    def _find(self, ident: str) -> dict[str, Any] | None:
        return self.nodes.get(ident) or next((one for one in self.nodes.values() if one["name"] == ident), None)

    def _list(self, request: webob.Request) -> webob.Response:
        uuids = sorted(self.nodes)
        marker = request.GET.get("marker")
        first = 0 if marker is None else uuids.index(marker) + 1
        size = min(int(request.GET.get("limit", self._page)), self._page)
        shown = uuids[first : first + size]
        body: dict[str, Any] = {"nodes": [_fields(self.nodes[uuid], request) for uuid in shown]}
        if first + size < len(uuids):
            fields = request.GET.get("fields", "")
            body["next"] = f"{ENDPOINT}/v1/nodes?limit={size}&fields={fields}&marker={shown[-1]}"
        return _json(body)

    def _changed(self, node: dict[str, Any], change: Callable[[], webob.Response]) -> webob.Response:
        if self.locked.get(node["uuid"], 0) > 0:
            self.locked[node["uuid"]] -= 1
            return _fault(409, f"Node {node['uuid']} is locked by host conductor-1, please retry.")
        return change()


def _fields(node: dict[str, Any], request: webob.Request) -> dict[str, Any]:
    wanted = request.GET.get("fields")
    return deepcopy(node if not wanted else {name: node[name] for name in wanted.split(",")})


def _patch(node: dict[str, Any], changes: list[dict[str, Any]]) -> webob.Response:
    after = deepcopy(node)
    for change in changes:
        keys = change["path"].lstrip("/").split("/")
        place = after
        for key in keys[:-1]:
            place = place[key]
        if change["op"] == "remove":
            if keys[-1] not in place:
                return _fault(400, f"Couldn't apply patch: {change['path']} is not there")
            if len(keys) == 1:
                place[keys[-1]] = None
            else:
                del place[keys[-1]]
        else:
            place[keys[-1]] = change["value"]
    node.update(after)
    return _json(node)


def _undeploy(node: dict[str, Any], target: str) -> webob.Response:
    if target != "deleted" or node["provision_state"] in ("available", "deleting", "cleaning", "clean wait"):
        return _fault(400, f'The requested action "{target}" can not be performed on node in its state.')
    node["provision_state"] = "deleting"
    return webob.Response(status=202)


def _json(body: Any) -> webob.Response:
    return webob.Response(json_body=body, content_type="application/json", charset="UTF-8")


def _fault(status: int, text: str) -> webob.Response:
    response = _json({"error_message": json.dumps({"faultcode": "Client", "faultstring": text, "debuginfo": None})})
    response.status = status
    return response
