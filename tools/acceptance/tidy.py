# SPDX-License-Identifier: Apache-2.0
"""Putting everything back as it was before a step that did not get to its end."""

from __future__ import annotations

from contextlib import suppress

from openstack.exceptions import SDKException
from quickstart.console import StoryFailed

from acceptance.dealing import until_free
from acceptance.errors import CannotRun
from acceptance.nodes import NODES
from acceptance.scene import Scene
from acceptance.services import keystone
from acceptance.site import REGIONS
from flocx_client.errors import ClientError

_LIVING = "in:created,active"


def tidy(scene: Scene) -> None:
    """Start what is stopped, with the configuration it had; end bids, contracts and offers; wait for the nodes.

    What cannot be put back stays: the next step will tell.
    """
    keystone.configure(scene.site)
    for region in REGIONS:
        scene.flocx.configure_provider(region)
    if scene.nova:
        scene.nova.configure()
    with suppress(StoryFailed, ClientError, SDKException, CannotRun):
        scene.processes.restart(*scene.processes.stopped)
        market = scene.market("admin")
        for bid in list(market.bids(status="open")):
            market.delete_bid(bid)
        for contract in list(market.contracts(status=_LIVING)):
            end = market.cancel_contract if contract["status"] == "created" else market.terminate_contract
            with suppress(ClientError):
                end(contract)
        for region in REGIONS:
            provider = scene.provider("admin", region)
            for offer in list(provider.offers(status="in:available,suspended")):
                provider.delete_offer(offer)
        for hardware in NODES:
            ironic = scene.ironic(hardware.name)
            if ironic.get_node(scene.uuids[hardware.name]).is_maintenance:
                ironic.unset_node_maintenance(scene.uuids[hardware.name])
        until_free(scene, *scene.uuids)
