# SPDX-License-Identifier: Apache-2.0
"""The provider's manager dies between what it does to a node and what it writes down about it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from acceptance.dealing import contracted, event_types, offer, until_free, until_status, withdraw
from acceptance.scene import Scene
from acceptance.steps.away import Away

TITLE = "The provider's manager is killed between a change of a node and its note of it"

_NODE, _MANAGER = "node-a1", "provider-1-manager"
_ATTEMPTS = 3


def play(scene: Scene, _away: Away) -> None:
    """Kill it at both changes, as often as it takes to hit the instant."""
    offers = offer(scene, "owner-a", _NODE)
    for attempt in range(1, _ATTEMPTS + 1):
        contract = contracted(scene, "consumer-a", offers, "20s", "--start", "+5s")
        allocation = str(contract["allocations"][0]["uuid"])
        _kill_when(scene, lambda carries: "flocx_contract_uuid" in carries)
        status = _delivery(scene, contract)["status"]
        scene.console.seen(
            f"attempt {attempt}: killed when the mark was on the node, and the provider's note said {status}"
        )
        _start_again(scene)
        if status == "acknowledged":
            break
        until_free(scene, _NODE)
    scene.record.check(status == "acknowledged", f"killed after the change and before the note (attempt {attempt})")
    seconds = until_status(scene, "consumer-a", contract, "active", 30)
    scene.record.check(
        scene.lessee(_NODE) == scene.project("consumer-a") and scene.mark(_NODE) == contract["uuid"],
        f"the next manager goes on from what it finds: the contract is active ({seconds:.1f} s)",
    )
    _kill_when(scene, lambda carries: "project_id" not in carries)
    status = _delivery(scene, contract)["status"]
    scene.record.check(
        status == "active", f"killed again when the lessee was taken from the node (the note said {status})"
    )
    _start_again(scene)
    until_free(scene, _NODE)
    until_status(scene, "consumer-a", contract, "completed", 30)
    scene.record.check(True, "the next manager takes the node back to the end")
    told = event_types(scene, "owner-a", allocation, "provider")
    scene.record.check(
        all(told.count(kind) == 1 for kind in ("allocation.activated", "allocation.released")),
        "nothing happened twice: one event of the hand-over, and one of the return",
    )
    withdraw(scene, "owner-a", *offers)


def _kill_when(scene: Scene, holds: Callable[[Mapping[str, Any]], bool]) -> None:
    """Kill the manager at the instant at which the node's properties are so."""
    # Through Ironic's API it would take as long as the manager takes to go on.
    with closing(sqlite3.connect(f"file:{scene.site.databases.file('ironic-1')}?mode=ro", uri=True)) as database:

        def so() -> bool | None:
            query = "SELECT properties FROM nodes WHERE uuid = ?"
            (properties,) = database.execute(query, (scene.uuids[_NODE],)).fetchone()
            if holds(json.loads(properties)):
                scene.processes.kill(_MANAGER)
                return True
            return None

        scene.wait("waiting for the instant", so, 60, pause=0.001)


def _delivery(scene: Scene, contract: Any) -> Any:
    """Return the provider's own note of the contract's allocation."""
    return scene.provider("owner-a").get_contract(contract["uuid"])["allocations"][0]


def _start_again(scene: Scene) -> None:
    scene.processes.restart(_MANAGER)
