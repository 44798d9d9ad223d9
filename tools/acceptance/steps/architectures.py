# SPDX-License-Identifier: Apache-2.0
"""Nodes of two architectures in two clouds: who asks for one never gets the other, however it is spelled."""

from __future__ import annotations

from acceptance.dealing import bid, contracted, end_now, offer, until_status, withdraw
from acceptance.scene import Scene
from acceptance.site import REGIONS

TITLE = "Two architectures in two clouds"

#: As their operators spell them: aarch64, amd64 and arm64.
_AARCH64, _AMD64, _ARM64 = "node-b1", "node-b3", "node-b4"


def play(scene: Scene) -> None:
    """Bid for each, limited to nodes of both."""
    here = offer(scene, "owner-b", _AARCH64)
    there = offer(scene, "owner-b", _AMD64, _ARM64, region=REGIONS[1])
    both = [*here, *there]
    for spelling, wrong in (("x86_64", [here[0], there[1]]), ("amd64", [here[0], there[1]]), ("aarch64", [there[0]])):
        chosen = [word for one in wrong for word in ("--offer", one)]
        told = bid(scene, "consumer-a", "--dry-run", "--require", f"cpu_arch == {spelling}", "--for", "10m", *chosen)
        failed = [step["detail"] for step in told["steps"] if step["before"] and not step["after"]]
        scene.record.check(
            len(failed) == 1 and "cpu_arch" in failed[0], f"{spelling} is not found among the others: {failed}"
        )
    one = contracted(scene, "consumer-a", both, "10m", "--require", "cpu_arch == x86_64")
    two = contracted(scene, "consumer-b", both, "10m", "--require", "cpu_arch == arm64", "--quantity", "2")
    for consumer, contract, nodes in (("consumer-a", one, {_AMD64}), ("consumer-b", two, {_AARCH64, _ARM64})):
        got = {allocation["node_name"] for allocation in contract["allocations"]}
        scene.record.check(got == nodes, f"{consumer} gets {' and '.join(sorted(got))}")
        until_status(scene, consumer, contract, "active")
        project = scene.project(consumer)
        scene.record.check(
            all(scene.lessee(node) == project for node in nodes), f"which {consumer}'s project has in Ironic"
        )
    placed = bid(scene, "consumer-a", "--require", "cpu_arch == x86_64", "--for", "10m", *_only(both))
    scene.record.check(
        scene.market("consumer-a").get_bid(placed["uuid"])["status"] == "open",
        "who asks for one more x86_64 node waits",
    )
    scene.client.do("consumer-a", "flocx", "bid", "cancel", placed["uuid"])
    end_now(scene, "consumer-a", one, _AMD64)
    end_now(scene, "consumer-b", two, _AARCH64, _ARM64)
    withdraw(scene, "owner-b", *here)
    withdraw(scene, "owner-b", *there, region=REGIONS[1])


def _only(offers: list[str]) -> list[str]:
    return [word for one in offers for word in ("--offer", one)]
