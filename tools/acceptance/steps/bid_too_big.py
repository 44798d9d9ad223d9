# SPDX-License-Identifier: Apache-2.0
"""A consumer asks for more than there is, and is told why nothing comes of it."""

from __future__ import annotations

from acceptance.dealing import bid
from acceptance.scene import Scene
from acceptance.steps.story import Story

TITLE = "A consumer bids for what nobody has"

_SENTENCE = "All 3 offers in the window fail `local_gb > 9000` (largest: 1024)"


def play(scene: Scene, _story: Story) -> None:
    """Bid, look at the explanation, and take the bid back."""
    placed = bid(
        scene,
        "consumer-a",
        *("--name", "too big", "--require", "cpus == 32", "--require", "local_gb > 9000", "--for", "1h"),
    )
    explanation = scene.client.read("consumer-a", "flocx", "bid", "explain", "too big")
    scene.console.seen(f"FLOCX says: {explanation['sentence']}")
    scene.record.check(explanation["sentence"].startswith(_SENTENCE), f'it says why: "{_SENTENCE}"')
    scene.record.check(placed["status"] == "open", "the bid stays open")
    scene.client.do("consumer-a", "flocx", "bid", "cancel", "too big")
