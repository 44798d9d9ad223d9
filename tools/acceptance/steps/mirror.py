# SPDX-License-Identifier: Apache-2.0
"""Ironic's API through the provider: owners see their nodes, lessees what they hold, and nobody more."""

from __future__ import annotations

from acceptance.dealing import contracted, end_now, offer, until_status, withdraw
from acceptance.people import through
from acceptance.scene import Scene

TITLE = "Ironic's own client, through the provider"

_NODE, _OTHER = "node-a2", "node-a1"


def play(scene: Scene) -> None:
    """Look and act as owner, lessee and stranger, with nothing but another endpoint."""
    owner, lessee, stranger = (through(who) for who in ("owner-a", "consumer-b", "consumer-a"))
    offers = offer(scene, "owner-a", _NODE)
    scene.record.check(_names(scene, lessee) == [], "before the contract the consumer sees no node")
    contract = contracted(scene, "consumer-b", offers, "10m")
    until_status(scene, "consumer-b", contract, "active")
    scene.record.check(
        _names(scene, owner) == ["node-a1", "node-a2", "node-a3"], "the owner sees its nodes, and no other's"
    )
    scene.record.check(_names(scene, lessee) == [_NODE], f"the lessee sees {_NODE}")
    scene.record.check(_names(scene, stranger) == [], "another project sees none")
    scene.client.do(lessee, "baremetal", "node", "power", "on", _NODE)
    seconds = scene.until("waiting for its power", lambda: scene.node(_NODE).power_state == "power on", 30)
    scene.record.check(True, f"the lessee turns it on ({seconds:.1f} s)")
    for what, cloud, words in (
        ("the lessee may not change what the node is", lessee, ("set", _NODE, "--property", "project_id=mine")),
        ("the lessee does not find the owner's other nodes", lessee, ("show", _OTHER)),
        ("the owner may not turn off what somebody else holds", owner, ("power", "off", _NODE)),
        ("another project does not find it", stranger, ("show", _NODE)),
    ):
        answer = scene.client.run(cloud, "baremetal", "node", *words)
        scene.console.seen(answer.complaint)
        scene.record.check(not answer.done and "50" not in answer.complaint[:4], what)
    scene.record.check(scene.node(_NODE).power_state == "power on", "and so nothing was changed")
    end_now(scene, "consumer-b", contract, _NODE)
    scene.record.check(_names(scene, lessee) == [], "when the contract is over the consumer sees no node")
    scene.client.do(owner, "baremetal", "node", "power", "off", _NODE)
    scene.until("waiting for its power", lambda: scene.node(_NODE).power_state == "power off", 30)
    scene.record.check(True, "and the owner turns it off")
    withdraw(scene, "owner-a", *offers)


def _names(scene: Scene, cloud: str) -> list[str]:
    return sorted(node["name"] for node in scene.client.read(cloud, "baremetal", "node", "list", "--fields", "name"))
