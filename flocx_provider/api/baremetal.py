# SPDX-License-Identifier: Apache-2.0
"""Serves /baremetal: Ironic's API, narrowed to what owner and lessee of a node may do.

Nothing of a request is handed on as it came. Path, query, body and headers of
what goes to Ironic are made anew from what was matched, checked and found, so
that Ironic never reads anything otherwise than it was judged.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import webob

from flocx_common.api.context import caller_from
from flocx_common.api.errors import error_response, plain_response, status_of
from flocx_common.api.middleware import WsgiApp
from flocx_common.domain.errors import FlocxError, Invalid, NotFound
from flocx_provider.api import baremetal_lists as lists
from flocx_provider.api import baremetal_nodes as nodes
from flocx_provider.api.baremetal_exchange import PREFIX, Exchange, MirrorServices
from flocx_provider.domain import baremetal_views as views
from flocx_provider.domain.baremetal_routes import Kind, Matched, match
from flocx_provider.domain.baremetal_rules import check_query
from flocx_provider.policies.baremetal import USE

LOG = logging.getLogger(__name__)

_FIELD_LIST = re.compile(r"[a-z_]{1,64}(,[a-z_]{1,64})*")
_SORT_KEY = re.compile(r"[a-z_]{1,64}")


class BaremetalAbsent(NotFound):
    """The provider's nodes are not in Ironic, so there is nothing of Ironic's to reach."""

    code = "flocx.baremetal.absent"
    title = "There is no bare-metal service behind this provider"


def mirrored(app: WsgiApp, services: MirrorServices | None) -> WsgiApp:
    """Return an application that has Ironic's API below ``/baremetal``.

    :param app: what serves everything else.
    :param services: None where the nodes are not in Ironic; then there is nothing, and it says so.
    """

    def served(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            return app(environ, start_response)
        environ["flocx.operation"] = "baremetal"
        request = webob.Request(environ)
        try:
            response = _served(request, path.removeprefix(PREFIX), services)
        except FlocxError as error:
            if status_of(error) >= 500:
                LOG.error("%s %s: %s", request.method, path, error.detail)
            response = _told_to_ironic_clients(error_response(error, environ.get("openstack.request_id")))
        return response(environ, start_response)

    return served


def _served(request: webob.Request, path: str, services: MirrorServices | None) -> webob.Response:
    matched = match(request.method, path)
    if services is None or not (isinstance(matched, Matched) and matched.route.kind is Kind.ROOT):
        # Who nobody knows learns nothing of what there is.
        caller = caller_from(request.environ)
    if services is None:
        raise BaremetalAbsent("path: the nodes of this provider are not in Ironic; [provider] driver says where")
    if not isinstance(matched, Matched):
        return _nothing(request, matched)
    request.environ["flocx.operation"] = f"baremetal_{matched.route.action}"
    if matched.route.kind is Kind.ROOT:
        return _root(Exchange(request, matched, services, None))
    services.policy.require(USE, caller, {"project_id": caller.project_id})
    return _answered(Exchange(request, matched, services, caller))


def _nothing(request: webob.Request, methods: frozenset[str]) -> webob.Response:
    request_id = request.environ.get("openstack.request_id")
    if not methods:
        detail = "path: nothing of Ironic's is served there"
        return _told_to_ironic_clients(plain_response(404, detail, request_id))
    detail = f"method: {request.method} does not go through here"
    response = _told_to_ironic_clients(plain_response(405, detail, request_id))
    response.headers["Allow"] = ", ".join(sorted(methods))
    return response


def _root(exchange: Exchange) -> webob.Response:
    """Answer for the roots, which anybody may read, by what Ironic tells anybody."""
    check_query(exchange.route, list(exchange.request.GET.items()))
    path = "/v1/" if exchange.route.path == "/v1" else "/"
    answer = exchange.send(path, anonymous=True)
    if isinstance(answer.body, dict) and answer.status == 200:
        shown = (
            views.version_view(answer.body, exchange.base_url)
            if exchange.route.path == "/v1"
            else views.relinked(answer.body, exchange.base_url)
        )
        return exchange.response(answer, shown)
    return exchange.response(answer, answer.body)


def _answered(exchange: Exchange) -> webob.Response:
    """Answer for everything that is about nodes."""
    check_query(exchange.route, list(exchange.request.GET.items()))
    query = dict(exchange.request.GET.items())
    _check_words(query)
    body = exchange.body()
    if exchange.route.kind is Kind.NODES and exchange.route.method == "GET":
        return lists.list_nodes(exchange, query)
    if exchange.route.kind is Kind.NODES:
        return nodes.enrol(exchange, body)
    if exchange.route.kind is Kind.CHILDREN and exchange.route.method == "GET":
        return lists.list_children(exchange, query)
    if exchange.route.kind is Kind.CHILDREN:
        return nodes.add_child(exchange, body)
    if exchange.route.kind is Kind.CHILD:
        return nodes.child(exchange, query, body)
    return nodes.node(exchange, query, body)


def _check_words(query: Mapping[str, str]) -> None:
    fields, key = query.get("fields"), query.get("sort_key")
    if fields is not None and not _FIELD_LIST.fullmatch(fields):
        raise Invalid("fields: names with commas between are expected", field="fields")
    if key is not None and not _SORT_KEY.fullmatch(key):
        raise Invalid("sort_key: the name of a field is expected", field="sort_key")


def _told_to_ironic_clients(response: webob.Response) -> webob.Response:
    """Return a refusal of ours that clients of Ironic's can read, too."""
    body = json.loads(response.body)
    detail = "; ".join(one["detail"] for one in body["errors"])
    fault = {"faultcode": "Client", "faultstring": detail, "debuginfo": None}
    response.body = json.dumps({**body, "error_message": json.dumps(fault)}).encode()
    return response
