# SPDX-License-Identifier: Apache-2.0
"""The market is away while offers are made: they wait with the provider, and go out when it is back."""

from __future__ import annotations

from acceptance.dealing import offer, withdraw
from acceptance.flocx import MARKET
from acceptance.logs import Log
from acceptance.scene import Scene
from acceptance.site import REGIONS, readiness

TITLE = "The market is away while offers are made"

_NODES = ("node-a1", "node-a2", "node-a3")


def play(scene: Scene) -> None:
    """Offer nodes meanwhile."""
    log = Log(scene.processes.log("provider-1-manager"))
    scene.processes.stop(*MARKET)
    offers = offer(scene, "owner-a", *_NODES, wait=False)
    provider = scene.provider("owner-a")
    scene.record.check(
        len(offers) == len(_NODES) and all(provider.get_offer(one)["publication"] == "pending" for one in offers),
        "offers are taken, and wait at the provider",
    )
    scene.record.check(
        readiness(scene.flocx.provider_url(REGIONS[0])).status == 200, "the provider goes on being ready"
    )
    answer = scene.client.run("consumer-a", "flocx", "bid", "list")
    scene.console.seen(answer.complaint)
    scene.record.check(answer.status == 6, "who asks the market itself is told that it does not answer")
    scene.processes.restart(*MARKET)
    market = scene.market("owner-a")

    def known() -> bool:
        return {one["uuid"] for one in market.offers(status="available")} >= set(offers)

    seconds = scene.until("waiting for the offers on the market", known, 30, pause=0.05)
    scene.record.check(True, f"all of them are published when it is back (after {seconds:.1f} s)")
    lines = log.text.count("publish failed")
    scene.record.check(
        lines <= 1 and not log.tracebacks, "the provider's log has one line about it and not one for each try"
    )
    withdraw(scene, "owner-a", *offers)
