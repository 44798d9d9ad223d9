# SPDX-License-Identifier: Apache-2.0
"""The consumer asks for what there is: a contract, which both sides and the provider hear of."""

from __future__ import annotations

import time

from acceptance.dealing import bid, contract_of, event_types
from acceptance.scene import Scene
from acceptance.steps.story import CONTRACT, CONTRACT_WITHOUT_NOVA, NODE, Story

TITLE = "The consumer bids again, and the market makes a contract"


def play(scene: Scene, story: Story) -> None:
    """Bid, and wait for the contract everywhere."""
    seconds = CONTRACT if scene.nova else CONTRACT_WITHOUT_NOVA
    placed = bid(
        scene,
        "consumer-a",
        *("--name", "story", "--require", "cpus == 32", "--require", "local_gb > 512", "--for", f"{seconds}s"),
    )
    began = time.monotonic()
    story.contract = contract = contract_of(scene, "consumer-a", placed["uuid"])
    scene.record.check(
        [one["node_uuid"] for one in contract["allocations"]] == [scene.uuids[NODE]],
        f"a contract about {NODE}, at {float(contract['clearing_price']):.2f} an hour",
    )
    provider = scene.provider("owner-a")
    scene.until(
        "waiting until the provider has it",
        lambda: any(one["uuid"] == contract["uuid"] for one in provider.contracts()),
        20,
        pause=0.05,
    )
    scene.record.check(True, f"the provider has pulled it ({time.monotonic() - began:.2f} s after the bid was placed)")
    for who in ("consumer-a", "owner-a"):
        scene.record.check("contract.created" in event_types(scene, who, contract["uuid"]), f"{who} is told")
