# SPDX-License-Identifier: Apache-2.0
"""Placement names fewer nodes than there are: with an aggregate for each project the right ones are among them."""

from __future__ import annotations

from typing import Any

from acceptance.dealing import contracted, end_now, offer, until_status, withdraw
from acceptance.scene import Scene
from acceptance.site import REGIONS
from acceptance.steps.launching import launch, told

TITLE = "Nova asks Placement for one candidate only"
NEEDS_NOVA = True

#: Not the first that Placement would name.
_NODE = "node-a3"


def play(scene: Scene) -> None:
    """Lower the limit, let the provider keep aggregates, and launch."""
    assert scene.nova
    scene.nova.configure({"max_placement_results": 1, "limit_tenants_to_placement_aggregate": True})
    scene.flocx.configure_provider(
        REGIONS[0], {"placement_aggregates": {"enabled": True}, "placement": {"auth_section": "nova"}}
    )
    _restart(scene)
    offers = offer(scene, "owner-a", _NODE)
    contract = contracted(scene, "consumer-b", offers, "10m")
    until_status(scene, "consumer-b", contract, "active")
    seconds = scene.until("waiting for the aggregate", lambda: _in_aggregate(scene), 30)
    scene.record.check(True, f"{_NODE} is in the aggregate of the consumer's project ({seconds:.1f} s after the start)")
    server = launch(scene, "consumer-b", "limited")
    scene.record.check(server["status"] == "ACTIVE", f"the consumer's server is {told(server)}")
    scene.record.check(scene.node(_NODE).instance_id == server["id"], f"and is on {_NODE}")
    end_now(scene, "consumer-b", contract, _NODE)
    scene.until("waiting until it is out of the aggregate", lambda: not _in_aggregate(scene), 30)
    scene.record.check(True, "after the end the node is in that aggregate no more")
    scene.nova.configure()
    scene.flocx.configure_provider(REGIONS[0])
    _restart(scene)
    withdraw(scene, "owner-a", *offers)


def _restart(scene: Scene) -> None:
    scene.processes.stop("nova-scheduler", "provider-1-manager")
    scene.processes.restart("nova-scheduler", "provider-1-manager")


def _in_aggregate(scene: Scene) -> bool:
    """Tell whether Placement has the node in the aggregate of the consumer's project."""
    admin: Any = scene.connection("admin")
    wanted = f"flocx-{scene.project('consumer-b')}"
    aggregate = next((one.uuid for one in admin.compute.aggregates() if one.name == wanted), None)
    answer = admin.placement.get(f"/resource_providers/{scene.uuids[_NODE]}/aggregates", microversion="1.19")
    return aggregate in answer.json()["aggregates"]
