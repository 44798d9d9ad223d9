# SPDX-License-Identifier: Apache-2.0
"""The start of the contract: the node carries the consumer's project in Ironic."""

from __future__ import annotations

from acceptance.dealing import until_status
from acceptance.scene import Scene
from acceptance.steps.story import NODE, Story

TITLE = "The contract starts: the node is handed over"


def play(scene: Scene, story: Story) -> None:
    """Wait for the hand-over, and look at the node where it is."""
    scene.client.do("consumer-a", "flocx", "contract", "wait", story.contract["uuid"], "--timeout", "30s")
    scene.record.check(until_status(scene, "consumer-a", story.contract, "active") < 1, "the contract is active")
    node = scene.client.read("admin-system", "baremetal", "node", "show", NODE)
    project = scene.project("consumer-a")
    scene.record.check(
        node["properties"].get("project_id") == project, f"{NODE} carries the consumer's project in Ironic"
    )
    scene.record.check(
        node["properties"].get("flocx_contract_uuid") == story.contract["uuid"], "and the mark of the contract"
    )
    for who, allowed in (("consumer-a", True), ("consumer-b", False), ("owner-a", False)):
        access = scene.provider(who).get_node_access(NODE)
        scene.record.check(access["allowed"] is allowed, f"{who}: {access['reason']}")
