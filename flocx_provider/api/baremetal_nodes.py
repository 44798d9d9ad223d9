# SPDX-License-Identifier: Apache-2.0
"""What is asked of single nodes, and of what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping

import webob

from flocx_common.domain.errors import Invalid, NotFound
from flocx_common.domain.json_values import JSON
from flocx_provider.api.baremetal_exchange import Exchange
from flocx_provider.domain.baremetal_bodies import check_object, enrolled
from flocx_provider.domain.baremetal_routes import PORTGROUPS, Action
from flocx_provider.domain.baremetal_rules import Side, Standing


def node(exchange: Exchange, query: Mapping[str, str], body: JSON) -> webob.Response:
    """Answer for one node.

    :raises NodeNotFound: there is none that is the caller's business.
    """
    uuid, standing = exchange.services.nodes.find(exchange.variables["node"], exchange.viewer, exchange.now)
    exchange.judge(standing, query, body)
    path = exchange.route.path.format(**{**exchange.variables, "node": uuid})
    return exchange.passed(path, standing, query, body)


def child(exchange: Exchange, query: Mapping[str, str], body: JSON) -> webob.Response:
    """Answer for one port, port group or volume connector.

    :raises ThingNotFound: there is none on a node that the project owns.
    """
    collection = exchange.route.collection
    assert collection is not None
    ident = exchange.variables["uuid"]
    uuid, node_uuid = exchange.services.nodes.node_of(collection, ident, exchange.viewer)
    try:
        _, standing = exchange.services.nodes.find(node_uuid, exchange.viewer, exchange.now)
    except NotFound:
        raise exchange.services.nodes.nothing(ident) from None
    if standing.side is Side.LESSEE:
        raise exchange.services.nodes.nothing(ident)
    exchange.judge(standing, query, body)
    _check_references(exchange, body, node_uuid)
    return exchange.passed(f"{collection.path}/{uuid}", standing, query, body)


def add_child(exchange: Exchange, body: JSON) -> webob.Response:
    """Add something to a node.

    :raises NodeNotFound: there is no such node that is the caller's business.
    """
    collection = exchange.route.collection
    assert collection is not None
    check_object(exchange.route, body, lessee=False)
    body = body if isinstance(body, dict) else {}
    named = [name for name in ("node_uuid", "node_ident") if name in body]
    ident = body[named[0]] if len(named) == 1 else None
    if not isinstance(ident, str):
        raise Invalid("node_uuid: the node that it belongs to is expected", field="node_uuid")
    uuid, standing = exchange.services.nodes.find(ident, exchange.viewer, exchange.now)
    exchange.judge(standing, {}, body)
    _check_references(exchange, body, uuid)
    made = {name: value for name, value in body.items() if name not in named}
    return exchange.passed(collection.path, standing, {}, {**made, "node_uuid": uuid})


def enrol(exchange: Exchange, body: JSON) -> webob.Response:
    """Enrol a node as the caller's project's own."""
    exchange.require(Action.CREATE, {"project_id": exchange.caller.project_id})
    check_object(exchange.route, body, lessee=False)
    if not isinstance(body, dict):
        raise Invalid("body: an object is expected")
    own = enrolled(body, exchange.caller.project_id, exchange.services.nodes.attributes)
    standing = Standing(
        side=Side.OWNER, held=False, owner_project_id=exchange.caller.project_id, lessee_project_id=None
    )
    return exchange.passed("/v1/nodes", standing, {}, own)


def _check_references(exchange: Exchange, body: JSON, node_uuid: str) -> None:
    """Refuse a port group of another node's."""
    values = [body] if isinstance(body, dict) else body if isinstance(body, list) else []
    for one in values:
        assert isinstance(one, dict)
        group = one.get("value") if one.get("path") == "/portgroup_uuid" else one.get("portgroup_uuid")
        if group is None:
            continue
        foreign = Invalid("portgroup_uuid: a port group of the same node is expected", field="portgroup_uuid")
        try:
            _, owner = exchange.services.nodes.node_of(PORTGROUPS, str(group), exchange.viewer)
        except NotFound:
            raise foreign from None
        if owner != node_uuid:
            raise foreign
