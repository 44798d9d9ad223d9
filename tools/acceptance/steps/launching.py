# SPDX-License-Identifier: Apache-2.0
"""Launching servers as projects do, and looking at what became of them."""

from __future__ import annotations

from typing import Any

from acceptance.launchables import IMAGE
from acceptance.scene import Scene

_REFUSED = "No valid host was found"


def launch(scene: Scene, who: str, name: str) -> Any:
    """Launch a bare-metal server, wait until it is active or in error, and return it as its project sees it."""
    scene.client.run(
        who,
        *("server", "create", "--flavor", "baremetal", "--image", IMAGE, "--nic", "none", "--wait", name),
    )
    return scene.client.read(who, "server", "show", name)


def refused(server: Any) -> bool:
    """Tell whether a server was not launched because no node may be used for it."""
    return server["status"] == "ERROR" and _REFUSED in (server.get("fault") or {}).get("message", "")


def told(server: Any) -> str:
    """Return in words what became of a server."""
    fault = (server.get("fault") or {}).get("message", "")
    return f"{server['status']}{': ' if fault else ''}{fault}"
