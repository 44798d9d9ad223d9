# SPDX-License-Identifier: Apache-2.0
"""An owner tries to offer a node that is not theirs."""

from __future__ import annotations

from acceptance.scene import Scene
from acceptance.steps.story import NODE, Story

TITLE = "An owner offers a node that is not theirs"


def play(scene: Scene, _story: Story) -> None:
    """Offer it."""
    answer = scene.client.run("owner-b", "flocx", "offer", "create", "--node", NODE, "--reserve-price", "1")
    scene.console.seen(answer.complaint)
    scene.record.check(
        answer.status == 3 and "flocx.node.not_found" in answer.errors, "it is refused with a clear error"
    )
    scene.record.check(
        not list(scene.provider("owner-a").offers()) and not list(scene.market("admin").offers()), "nothing was created"
    )
