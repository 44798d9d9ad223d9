# SPDX-License-Identifier: Apache-2.0
"""The consumer launches again, on exactly the node of the contract; nobody else can."""

from __future__ import annotations

from acceptance.scene import Scene
from acceptance.steps.launching import launch, refused, told
from acceptance.steps.story import NODE, SERVER, Story

TITLE = "The consumer launches again, and the instance is active on that node"
NEEDS_NOVA = True


def play(scene: Scene, story: Story) -> None:
    """Launch as the lessee, and as somebody else at the same time."""
    story.server = server = launch(scene, "consumer-a", SERVER)
    scene.record.check(server["status"] == "ACTIVE", f"the server is {told(server)}")
    seen = scene.client.read("admin", "server", "show", server["id"])
    host = seen["OS-EXT-SRV-ATTR:hypervisor_hostname"]
    scene.record.check(host == scene.uuids[NODE], f"Nova says that it is on {NODE}")
    node = scene.node(NODE)
    scene.record.check(
        node.instance_id == server["id"] and node.provision_state == "active",
        f"and so does Ironic ({node.provision_state})",
    )
    other = launch(scene, "consumer-b", "somebody-else")
    scene.record.check(refused(other), f"another project is refused ({told(other)})")
    scene.client.do("consumer-b", "server", "delete", "somebody-else")
