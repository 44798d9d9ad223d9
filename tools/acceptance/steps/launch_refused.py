# SPDX-License-Identifier: Apache-2.0
"""A consumer launches, and no node is theirs to use."""

from __future__ import annotations

from acceptance.scene import Scene
from acceptance.steps.launching import launch, refused, told
from acceptance.steps.story import Story

TITLE = "A consumer launches an instance on bare metal: no node is theirs to use"
NEEDS_NOVA = True


def play(scene: Scene, _story: Story) -> None:
    """Launch without a contract."""
    server = launch(scene, "consumer-a", "too-early")
    scene.record.check(refused(server), f"Nova refuses it ({told(server)})")
    used = [name for name in scene.uuids if name.startswith("node-a") and scene.node(name).instance_id]
    scene.record.check(not used, "no node was touched")
    scene.client.do("consumer-a", "server", "delete", "--wait", "too-early")
