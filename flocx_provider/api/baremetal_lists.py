# SPDX-License-Identifier: Apache-2.0
"""Lists of Ironic's, narrowed: nodes, and what belongs to nodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import webob

from flocx_common.domain.errors import Invalid, NotFound
from flocx_provider.api.baremetal_exchange import Exchange, target_of
from flocx_provider.domain import baremetal_views as views
from flocx_provider.domain.baremetal_routes import Action
from flocx_provider.domain.baremetal_rules import Side
from flocx_provider.services.baremetal import Seen, narrowed_page, page_limit, unknown_marker

_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})


def list_nodes(exchange: Exchange, query: dict[str, str]) -> webob.Response:
    """Answer with the nodes that are the caller's business.

    :raises MarkerUnknown: the page is to begin after a node that is not.
    :raises BaremetalUnavailable: Ironic does not answer.
    """
    seen = _listable(exchange)
    if set(query) - exchange.route.lessee_query or query.get("sort_key", "uuid") not in views.LESSEE_FIELDS:
        # By what it can be found a lessee would learn what it is not shown.
        seen = {uuid: one for uuid, one in seen.items() if one.standing.side is Side.OWNER}
    marker = query.pop("marker", None)
    if marker is not None and marker.lower() not in seen:
        raise unknown_marker(marker)
    limit = page_limit(query.pop("limit", None))
    detailed = exchange.route.path.endswith("/detail") or query.get("detail", "").lower() in _TRUE
    asked = query.get("fields")
    if asked is not None:
        query["fields"] = ",".join(dict.fromkeys([*asked.split(","), "uuid"]))
    # Ironic's own filter leaves the viewer's nodes only, where all of them can be found by it.
    native = bool(seen) and all(one.native for one in seen.values()) and exchange.knows_projects()
    if native:
        query["project"] = exchange.caller.project_id
    page = narrowed_page(
        exchange.services.service,
        exchange.request_for(exchange.route.path, query),
        "nodes",
        lambda node: node["uuid"] in seen,
        limit=limit,
        marker=None if marker is None else marker.lower(),
        detailed=detailed or asked is not None,
        all_shown=native,
        none_shown=not seen,
    )
    if page.refusal is not None:
        return exchange.response(page.refusal, page.refusal.body)
    nodes = [exchange.node_view(one, seen[str(one["uuid"])].standing) for one in page.items]
    if asked is not None and "uuid" not in asked.split(","):
        nodes = [{name: value for name, value in one.items() if name != "uuid"} for one in nodes]
    return exchange.page("nodes", nodes, page.marker, limit, page.headers)


def list_children(exchange: Exchange, query: dict[str, str]) -> webob.Response:
    """Answer with what belongs to the nodes that the caller's project owns.

    :raises NodeNotFound: the list is to be of a node that is not the caller's business.
    :raises MarkerUnknown: the page is to begin after something that is not.
    :raises BaremetalUnavailable: Ironic does not answer.
    """
    collection = exchange.route.collection
    assert collection is not None
    node = query.pop("node", None)
    node_uuid = query.pop("node_uuid", None)
    if node is not None and node_uuid is not None:
        raise Invalid("node: node or node_uuid is expected, not both", field="node")
    ident = node if node is not None else node_uuid
    if ident is None:
        owned = {uuid for uuid, one in _listable(exchange).items() if one.standing.side is Side.OWNER}
    else:
        uuid, standing = exchange.services.nodes.find(ident, exchange.viewer, exchange.now)
        exchange.judge(standing, {}, None)
        owned = {uuid}
        query["node"] = uuid
    marker = query.pop("marker", None)
    if marker is not None:
        _check_marker(exchange, marker, owned)
    limit = page_limit(query.pop("limit", None))
    detailed = exchange.route.path.endswith("/detail") or query.get("detail", "").lower() in _TRUE
    shown = None if detailed else query.get("fields", ",".join(collection.brief)).split(",")
    if shown is not None:
        query.pop("detail", None)
        query["fields"] = ",".join(dict.fromkeys([*shown, "uuid", "node_uuid"]))
    page = narrowed_page(
        exchange.services.service,
        exchange.request_for(exchange.route.path, query),
        collection.key,
        lambda one: one.get("node_uuid") in owned,
        limit=limit,
        marker=None if marker is None else marker.lower(),
        detailed=detailed,
        all_shown=ident is not None,
        none_shown=not owned,
    )
    if page.refusal is not None:
        return exchange.response(page.refusal, page.refusal.body)
    items = page.items
    if shown is not None:
        items = [{k: v for k, v in one.items() if k in shown or k == "links"} for one in items]
    relinked = [views.relinked(one, exchange.base_url) for one in items]
    return exchange.page(collection.key, relinked, page.marker, limit, page.headers)


def _listable(exchange: Exchange) -> Mapping[str, Seen]:
    """Return the nodes whose listing policy allows to this caller."""
    visible = exchange.services.nodes.visible(exchange.viewer, exchange.now)
    return {uuid: one for uuid, one in visible.items() if exchange.allows(Action.GET, target_of(one.standing))}


def _check_marker(exchange: Exchange, marker: str, owned: Collection[str]) -> None:
    collection = exchange.route.collection
    assert collection is not None
    try:
        _, node_uuid = exchange.services.nodes.node_of(collection, marker, exchange.viewer)
    except NotFound:
        raise unknown_marker(marker) from None
    if node_uuid not in owned:
        raise unknown_marker(marker)
