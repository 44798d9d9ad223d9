# SPDX-License-Identifier: Apache-2.0
"""One request for Ironic's API: judged, passed on, and answered."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import webob

from flocx_common.api.context import Caller
from flocx_common.api.json_body import parse_json
from flocx_common.api.policy import Policy
from flocx_common.domain.clock import Clock
from flocx_common.domain.errors import Forbidden, Invalid
from flocx_common.domain.json_values import JSON
from flocx_provider.domain import baremetal_views as views
from flocx_provider.domain.baremetal_routes import Action, Kind, Matched, Route
from flocx_provider.domain.baremetal_rules import Standing, needed
from flocx_provider.domain.private_properties import PrivateProperties
from flocx_provider.policies.baremetal import rule_of
from flocx_provider.ports.baremetal import BaremetalAnswer, BaremetalRequest, BaremetalService
from flocx_provider.services.baremetal import Nodes, Viewer, page_limit

LOG = logging.getLogger(__name__)

#: Where the mirror stands in the provider's API.
PREFIX = "/baremetal"

_VERSION = re.compile(r"latest|[0-9]{1,3}\.[0-9]{1,5}", re.I)
_VERSION_HEADER = "X-OpenStack-Ironic-API-Version"
_JSON_TYPES = ("application/json", "")


@dataclass(frozen=True, kw_only=True)
class MirrorServices:
    """What the mirror works with."""

    service: BaremetalService
    nodes: Nodes
    policy: Policy
    private: PrivateProperties
    clock: Clock
    public_endpoint: str | None


class Exchange:
    """One request, and what is asked of Ironic for it.

    :param caller: None for the roots, which anybody may read.
    """

    def __init__(
        self, request: webob.Request, matched: Matched, services: MirrorServices, caller: Caller | None
    ) -> None:
        self.request = request
        self.route: Route = matched.route
        self.variables = matched.variables
        self.services = services
        self.now = services.clock.now()
        environ = request.environ
        self.request_id = environ.get("openstack.global_request_id") or environ.get("openstack.request_id")
        self.base_url = (services.public_endpoint or request.application_url).rstrip("/") + PREFIX
        self.version = _version(request)
        if caller is not None:
            self.caller = caller
            self.viewer = Viewer(project_id=caller.project_id, everything=caller.is_admin, request_id=self.request_id)

    def body(self) -> JSON:
        """Return the body as JSON, None where there is none.

        :raises Invalid: it cannot be read as one thing.
        """
        raw = self.request.body
        if not raw.strip():
            return None
        kind = (self.request.content_type or "").partition(";")[0].strip().lower()
        if kind not in _JSON_TYPES:
            raise Invalid(f"Content-Type: {kind[:80]!r}: application/json is expected", field="Content-Type")
        return parse_json(raw)

    def judge(self, standing: Standing, query: Mapping[str, str], body: JSON) -> None:
        """Refuse what the project, or this user of it, may not do to a node.

        :raises Forbidden: it may not.
        :raises Invalid: the body asks for what does not go through.
        """
        actions = needed(self.route, standing, query, body, self.services.nodes.attributes)
        target = target_of(standing)
        if not self.allows(Action.GET, target):
            raise Forbidden(f"policy: {rule_of(Action.GET)} does not allow this to the caller's roles")
        if Action.HELD in actions and not self.allows(Action.HELD, target):
            raise Forbidden(
                f"node: a lessee holds it, or it is on its way there or back; {rule_of(Action.HELD)} does not allow "
                "this to its owner meanwhile"
            )
        for action in sorted(actions):
            self.require(action, target)

    def allows(self, action: Action, target: Mapping[str, str]) -> bool:
        """Tell whether policy allows an action on a node."""
        return self.services.policy.allows(rule_of(action), self.caller, target)

    def require(self, action: Action, target: Mapping[str, str]) -> None:
        """Refuse an action that policy does not allow.

        :raises Forbidden: it does not.
        """
        self.services.policy.require(rule_of(action), self.caller, target)

    def passed(self, path: str, standing: Standing, query: Mapping[str, str], body: JSON) -> webob.Response:
        """Pass the request on, with a path and a body that were made here, and answer with what may be seen."""
        if self.route.body is not None and body is None:
            body = {}
        if self.route.method != "GET":
            LOG.info(
                "passed on for the %s project %s: %s %s",
                standing.side,
                self.caller.project_id,
                self.route.method,
                path,
            )
        answer = self.send(path, query, body)
        shown = answer.body
        if answer.status < 400 and isinstance(shown, dict):
            if self.route.kind in (Kind.NODE, Kind.NODES):
                shown = self.node_view(shown, standing)
            elif self.route.kind is Kind.STATES:
                shown = views.states_view(shown, standing)
            else:
                shown = self._part_view(shown, path)
        return self.response(answer, shown)

    def send(
        self, path: str, query: Mapping[str, str] | None = None, body: JSON = None, *, anonymous: bool = False
    ) -> BaremetalAnswer:
        """Send the request's method to a path.

        :raises BaremetalUnavailable: Ironic does not answer.
        """
        return self.services.service.send(
            BaremetalRequest(
                method=self.route.method,
                path=path,
                query=tuple((query or {}).items()),
                body=body,
                version=self.version,
                request_id=self.request_id,
                anonymous=anonymous,
            )
        )

    def request_for(self, path: str, query: Mapping[str, str]) -> BaremetalRequest:
        """Return a read in the caller's microversion."""
        return BaremetalRequest(
            method="GET",
            path=path,
            query=tuple(query.items()),
            version=self.version,
            request_id=self.request_id,
        )

    def node_view(self, node: Mapping[str, JSON], standing: Standing) -> dict[str, JSON]:
        """Return what the caller sees of a node."""
        driven = self.allows(Action.DRIVER_INFO, target_of(standing))
        shown = views.node_view(node, standing, self.services.private, driver_information=driven)
        made = views.relinked(shown, self.base_url)
        assert isinstance(made, dict)
        return made

    def _part_view(self, part: Mapping[str, JSON], path: str) -> JSON:
        shown = views.relinked(dict(part), self.base_url)
        assert isinstance(shown, dict)
        following = shown.pop("next", None)
        marker = views.next_marker(following)
        if marker is not None:
            # Ironic's own link forgets which node the list is about.
            shown["next"] = self.next_link(path, marker, page_limit(self.request.GET.get("limit")))
        return shown

    def page(
        self, key: str, items: list[Any], marker: str | None, limit: int, headers: Mapping[str, str]
    ) -> webob.Response:
        """Answer with a page of a list.

        :param marker: where the next page begins; None on the last.
        """
        body: dict[str, JSON] = {key: items}
        if marker is not None:
            body["next"] = self.next_link(self.route.path, marker, limit)
        return self.response(BaremetalAnswer(status=200, headers=headers), body)

    def next_link(self, path: str, marker: str, limit: int) -> str:
        """Return the address of the next page of a path of the mirror."""
        kept = [(name, value) for name, value in self.request.GET.items() if name not in ("marker", "limit")]
        query = urlencode([*kept, ("limit", limit), ("marker", marker)], safe=",:")
        return f"{self.base_url}{path}?{query}"

    def knows_projects(self) -> bool:
        """Tell whether the caller's microversion has a filter by project."""
        if self.version is None or "." not in self.version:
            return self.version is not None
        major, minor = self.version.split(".")
        return (int(major), int(minor)) >= (1, 65)

    def response(self, answer: BaremetalAnswer, body: JSON) -> webob.Response:
        """Answer with a status and headers of Ironic's."""
        response = webob.Response(status=answer.status)
        if body is None:
            del response.content_type
        else:
            response.content_type = "application/json"
            response.charset = "UTF-8"
            response.body = json.dumps(body).encode()
        for name, value in answer.headers.items():
            address = views.relinked_address(value, self.base_url) if name == "Location" else value
            if address is not None:
                response.headers[name] = address
        response.headers.add("Vary", _VERSION_HEADER)
        if answer.status >= 400:
            # Clients of Ironic's know Ironic's errors.
            self.request.environ["flocx.errors_as_they_are"] = True
        return response


def _version(request: webob.Request) -> str | None:
    """Return the microversion of Ironic's that is asked for, the newer header first, as Ironic does."""
    found = None
    for part in request.headers.get("OpenStack-API-Version", "").split(","):
        words = part.split()
        if len(words) == 2 and words[0].lower() == "baremetal":
            found = words[1]
    found = found or request.headers.get(_VERSION_HEADER) or None
    if found is None:
        return None
    if not _VERSION.fullmatch(found.strip()):
        raise Invalid(f"{_VERSION_HEADER}: {found[:40]!r}: 1.N or latest is expected", field=_VERSION_HEADER)
    return found.strip().lower()


def target_of(standing: Standing) -> dict[str, str]:
    """Return what policy rules compare the caller with; who holds nothing is nobody's equal."""
    found = {"owner_project_id": standing.owner_project_id, "lessee_project_id": standing.lessee_project_id}
    return {name: value for name, value in found.items() if value is not None}
