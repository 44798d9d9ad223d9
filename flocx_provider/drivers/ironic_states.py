# SPDX-License-Identifier: Apache-2.0
"""What the states of an Ironic node mean to us: fit for use, deployed, or busy.

The states are those of Ironic's state machine; one that is not known here is
taken for trouble, as nobody can say what it would be safe to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Something is, or is being, installed on the node.
DEPLOYED = frozenset(
    {
        "active",
        "deploying",
        "wait call-back",
        "deploy hold",
        "deploy complete",
        "deploy failed",
        "rebuild",
        "rescue",
        "rescuing",
        "rescue wait",
        "rescue failed",
        "unrescuing",
        "unrescue failed",
        "servicing",
        "service wait",
        "service hold",
        "service failed",
        # Undoing a deployment failed; it can be undone again.
        "error",
    }
)
# On its way back from a deployment, with the word for it.
_BUSY = {
    "deleting": "being undeployed",
    "deleted": "being undeployed",
    "cleaning": "being cleaned",
    "clean wait": "being cleaned",
    "clean hold": "held in the middle of being cleaned",
    "clean failed": "not clean: cleaning has failed",
}


def problem_of(node: Mapping[str, Any]) -> str | None:
    """Return why a node is not fit for use, None when it is. Powered off is normal.

    It is told to the market. So the reason of a maintenance and the text of an
    error, which may name addresses, are not in it; Ironic shows them to the owner.
    """
    if node.get("maintenance"):
        return "the node is in maintenance"
    if node.get("fault"):
        return f"the node has a fault: {node['fault']}"
    power = node.get("power_state")
    if power is None or power == "error":
        return "the node's power state is not known" if power is None else "the node's power state is error"
    state = node.get("provision_state")
    if state == "available" or (state in DEPLOYED and state != "error"):
        return None
    if state in _BUSY and state != "clean failed":
        return None
    return f"the node's provision state is {state}"


def deployed(node: Mapping[str, Any]) -> bool:
    """Tell whether something is installed on a node, or about to be."""
    if node.get("provision_state") in _BUSY:
        return False
    return node.get("provision_state") in DEPLOYED or node.get("instance_uuid") is not None


def busy_with(node: Mapping[str, Any]) -> str | None:
    """Return what a node is busy with on its way back, None where it is not."""
    state = node.get("provision_state")
    return _BUSY.get(state) if isinstance(state, str) else None
