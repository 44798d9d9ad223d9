# SPDX-License-Identifier: Apache-2.0
"""The contract ends by itself: the server is deleted, the node cleaned and the owner's again."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from openstack.exceptions import NotFoundException

from acceptance.dealing import event_types, free, status_of, withdraw
from acceptance.logs import Log
from acceptance.scene import Scene
from acceptance.steps.story import NODE, Story

TITLE = "The contract ends: the node is taken back and is the owner's again"


def play(scene: Scene, story: Story) -> None:
    """Wait for the end, follow the node, and read the books."""
    contract = story.contract
    left = datetime.fromisoformat(contract["end_time"]).timestamp() - time.time()
    scene.console.seen(f"the contract ends in {max(left, 0):.0f} s")
    states = _states(scene, max(left, 0) + 90)
    scene.console.seen(f"{NODE} was {', then '.join(states)}")
    if story.server:
        scene.record.check(_gone(scene, story.server["id"]), "the server is deleted")
    scene.record.check(not story.server or "cleaning" in states, "the node was cleaned, if anything was on it")
    scene.record.check(free(scene, NODE), "it is available, with no mark, no lessee and no instance")
    scene.until("waiting for the market's books", lambda: status_of(scene, "consumer-a", contract) == "completed", 30)
    final = scene.client.read("consumer-a", "flocx", "contract", "show", contract["uuid"])
    allocation = final["allocations"][0]
    scene.record.check(allocation["status"] == "released", "the allocation is released, and the contract completed")
    told = event_types(scene, "owner-a", allocation["uuid"], "provider")
    scene.record.check(
        [kind for kind in told if kind in ("allocation.activated", "allocation.ending", "allocation.released")]
        == ["allocation.activated", "allocation.ending", "allocation.released"],
        "the owner was told of start, coming end and end, once each",
    )
    entry = scene.wait("waiting for the provider's books", lambda: _entry(scene, contract["uuid"]), 20)
    scene.console.seen(f"the node's own record: {entry['delivered_seconds']} s delivered, {entry['amount']} earned")
    scene.record.check(
        entry["delivered_seconds"] > 0 and entry["amount"] == final["amount"], "its record shows it as used, and paid"
    )
    withdraw(scene, "owner-a", *story.offers.values())
    access = scene.provider("owner-a").get_node_access(NODE)
    scene.record.check(access["allowed"], f"owner-a: {access['reason']}")


def _states(scene: Scene, timeout: float) -> list[str]:
    """Return the provision states of the node until it is free.

    Ironic's log has all of them; who asks again and again may miss a cleaning of fake hardware.
    """
    node, log = scene.node(NODE), Log(scene.processes.log("ironic-1"))
    scene.wait("waiting until the node is back", lambda: True if free(scene, NODE) else None, timeout)
    return [node.provision_state, *log.provision_states(node.id)]


def _gone(scene: Scene, server: str) -> bool:
    try:
        return bool(scene.connection("admin").compute.get_server(server).status == "DELETED")
    except NotFoundException:
        return True


def _entry(scene: Scene, contract: str) -> dict[str, Any] | None:
    for entry in scene.provider("owner-a").get_node(NODE)["contracts"]:
        if entry["contract_uuid"] == contract and entry["market_status"] == "released":
            return dict(entry)
    return None
