# SPDX-License-Identifier: Apache-2.0
"""A node goes into maintenance before its contract starts: another one takes its place."""

from __future__ import annotations

from acceptance.dealing import contracted, end_now, event_types, offer, withdraw
from acceptance.flocx import DELIVERY_TIMEOUT, REPLACEMENT_TIMEOUT
from acceptance.scene import Scene

TITLE = "A node goes into maintenance before its contract starts"

#: Offered at the same price: a replacement is sought on the same terms.
_NODES = ("node-a2", "node-a3")


def play(scene: Scene) -> None:
    """Let one of two nodes fall ill between contract and start."""
    offers = {node: offer(scene, "owner-a", node)[0] for node in _NODES}
    contract = contracted(scene, "consumer-b", list(offers.values()), "10m", "--start", "+15s")
    allocation = contract["allocations"][0]
    ill = str(allocation["node_name"])
    other = next(node for node in _NODES if node != ill)
    scene.console.seen(f"a contract about {ill}, which starts in a moment")
    scene.client.do("admin-system", "baremetal", "node", "maintenance", "set", "--reason", "10.0.0.7 is dead", ill)
    market = scene.market("consumer-b")
    scene.until(
        "waiting until its offer is suspended", lambda: market.get_offer(offers[ill])["status"] == "suspended", 30
    )
    reason = market.get_offer(offers[ill])["status_reason"]
    scene.record.check(
        "maintenance" in reason and "10.0.0.7" not in reason, f"the offer of {ill} is suspended: {reason}"
    )

    def replaced() -> bool:
        nodes = {one["node_name"]: one["status"] for one in market.get_contract(contract["uuid"])["allocations"]}
        return nodes.get(other) == "active"

    seconds = scene.until(f"waiting for {other} in its place", replaced, 15 + DELIVERY_TIMEOUT + REPLACEMENT_TIMEOUT)
    shown = scene.client.read("consumer-b", "flocx", "contract", "show", contract["uuid"])
    failed = next(one for one in shown["allocations"] if one["node_name"] == ill)
    scene.record.check(
        failed["status"] == "replaced", f"its allocation is {failed['status']}: {failed['status_reason']}"
    )
    scene.record.check(True, f"{other} takes its place in the same contract ({seconds:.0f} s later)")
    scene.record.check(
        scene.lessee(other) == scene.project("consumer-b") and scene.lessee(ill) is None,
        f"in Ironic the consumer has {other}, and {ill} was never touched",
    )
    told = event_types(scene, "consumer-b", allocation["uuid"])
    scene.record.check("allocation.failed" in told, "the consumer is told")
    scene.client.do("admin-system", "baremetal", "node", "maintenance", "unset", ill)
    scene.until("waiting until its offer is back", lambda: market.get_offer(offers[ill])["status"] == "available", 30)
    scene.record.check(True, f"when {ill} is well again, so is its offer")
    end_now(scene, "consumer-b", contract, other)
    withdraw(scene, "owner-a", *offers.values())
