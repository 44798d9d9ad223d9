# SPDX-License-Identifier: Apache-2.0
"""The owner offers nodes that are theirs, and they are on the market at once."""

from __future__ import annotations

import time
from typing import Any

from acceptance.scene import Scene
from acceptance.steps.story import NODE, OFFERED, Story

TITLE = "The owner offers nodes that are theirs"

#: The promise, in seconds.
_AT_ONCE = 1.0


def play(scene: Scene, story: Story) -> None:
    """Offer them one by one, and measure how long the market takes to show each."""
    for node in OFFERED:
        price = "1.00" if node == NODE else "1.20"
        seconds, offer = _offered(scene, node, price)
        story.offers[node] = offer["uuid"]
        scene.record.check(
            seconds < _AT_ONCE, f"{node} is on the market within a second of the offer (measured {seconds:.2f} s)"
        )
    known = [scene.client.read("consumer-a", "flocx", "offer", "show", uuid) for uuid in story.offers.values()]
    hardware = known[0]["properties"]
    scene.console.seen(
        f"{known[0]['node_name']}: {hardware['cpus']} CPUs, {hardware['local_gb']} GB, {hardware['cpu_arch']}"
    )
    scene.record.check(
        all(one["properties"]["inventory"]["cpu"]["count"] == 32 for one in known),
        "each with what Ironic and its inspection know of the hardware",
    )
    scene.record.check(
        not any(private in str(known) for private in ("serial-of-", "52:54:00", "192.0.2.")),
        "without serial numbers and addresses",
    )


def _offered(scene: Scene, node: str, price: str) -> tuple[float, Any]:
    """Offer a node, and return the seconds between its offer at the provider and on the market, and the offer."""
    provider, market = scene.provider("owner-a"), scene.market("owner-a")
    uuid = scene.uuids[node]
    command = scene.client.begin(
        "owner-a", *("flocx", "offer", "create", "--node", node, "--reserve-price", price, "--end", "+6h")
    )
    made = scene.wait(
        f"waiting for the offer of {node}", lambda: next(provider.offers(node_uuid=uuid), None), 30, pause=0.01
    )
    began = time.monotonic()
    scene.wait(f"waiting for {node} on the market", lambda: next(market.offers(node_uuid=uuid), None), 30, pause=0.01)
    seconds = time.monotonic() - began
    command.wait()
    return seconds, made
