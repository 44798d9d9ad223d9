# SPDX-License-Identifier: Apache-2.0
"""Keeping offers true to their nodes: health, ownership, hardware, and the passing of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from flocx_common.domain.clock import floor_second
from flocx_common.domain.json_values import json_equal
from flocx_provider.domain.node import NodeFacts
from flocx_provider.domain.offer import STANDING, Offer, OfferStatus, examined
from flocx_provider.domain.private_properties import PrivateProperties
from flocx_provider.ports.inventory import NodeInventory
from flocx_provider.ports.store import Store, UnitOfWork
from flocx_provider.services.offers import event


def examine_offers(*, inventory: NodeInventory, private: PrivateProperties, store: Store, now: datetime) -> int:
    """Bring standing offers up to date with their nodes; return how many changed.

    An offer whose node is not fit for use, gone or another project's is
    suspended, and comes back with its node. Changed hardware is published anew.

    :raises InventoryUnavailable: the inventory does not answer.
    """
    offers = store.read(lambda uow: uow.offers.with_status(STANDING))
    nodes = {node.node_uuid: node for node in inventory.nodes()} if offers else {}
    second = floor_second(now)
    changed = 0
    for offer in offers:
        after = _brought_up(offer, nodes.get(offer.node_uuid), private, second)
        if after != offer:
            store.write(partial(_write, offer, nodes.get(offer.node_uuid), private, now))
            changed += 1
    return changed


def _brought_up(offer: Offer, node: NodeFacts | None, private: PrivateProperties, now: datetime) -> Offer:
    after = examined(offer, _problem(offer, node), now)
    if node is None or after.status not in STANDING:
        return after
    properties = private.without(node.properties)
    described = (node.name, node.resource_class)
    if described != (after.node_name, after.resource_class) or not json_equal(properties, dict(after.properties)):
        after = replace(
            after.told("change", now), node_name=node.name, resource_class=node.resource_class, properties=properties
        )
    return after


def _problem(offer: Offer, node: NodeFacts | None) -> str | None:
    if node is None:
        return "the node is gone from the inventory"
    if node.conflict is None and node.owner_project_id != offer.owner_project_id:
        return "the node belongs to another project now"
    return node.unfit


def _write(seen: Offer, node: NodeFacts | None, private: PrivateProperties, now: datetime, uow: UnitOfWork) -> None:
    offer = uow.offers.get(seen.uuid)
    if offer is None:
        return
    after = _brought_up(offer, node, private, floor_second(now))
    if after == offer:
        return
    uow.nodes.bump({offer.node_uuid: uow.nodes.know(offer.node_uuid)})
    uow.offers.update(after)
    what = "changed" if after.status is offer.status else _PAST[after.status]
    uow.record(event(f"offer.{what}", after, now))


_PAST = {
    OfferStatus.AVAILABLE: "resumed",
    OfferStatus.SUSPENDED: "suspended",
    OfferStatus.EXPIRED: "expired",
}
