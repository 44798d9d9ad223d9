# SPDX-License-Identifier: Apache-2.0
"""Ironic goes away: under a contract that is about to end, and before another one."""

from __future__ import annotations

import time

from acceptance.dealing import bid, contract_of, contracted, offer, until_status
from acceptance.logs import Log
from acceptance.scene import Scene
from acceptance.site import readiness
from acceptance.steps.away import (
    ENDING,
    ENDING_FOR,
    IRONIC,
    LATER,
    MANAGER,
    OWNER,
    REGION,
    STARTING,
    STARTING_FOR,
    Away,
)

TITLE = "Ironic goes away for a minute"


def play(scene: Scene, away: Away) -> None:
    """Stop it, and see what can still be done."""
    away.offers = [*offer(scene, OWNER, ENDING, region=REGION), *offer(scene, OWNER, STARTING, region=REGION)]
    away.ending = contracted(scene, ENDING_FOR, away.offers[:1], "30s")
    until_status(scene, ENDING_FOR, away.ending, "active")
    away.log = Log(scene.processes.log(MANAGER))
    scene.processes.stop(IRONIC)
    away.since = time.monotonic()
    manager = scene.flocx.provider_manager_url(REGION)
    scene.until("waiting until the provider notices", lambda: readiness(manager).status == 503, 30)
    failing = readiness(manager).failing
    scene.record.check(
        failing == ["inventory"], f"/readyz of the provider fails, and names the {' and '.join(failing)}"
    )
    placed = bid(scene, STARTING_FOR, "--offer", away.offers[1], "--for", "10m")
    away.starting = contract_of(scene, STARTING_FOR, placed["uuid"])
    scene.record.check(True, "what is offered can still be bid for: a contract comes about")
    asked = time.monotonic()
    answer = scene.client.run(OWNER, "flocx", "offer", "create", "--node", LATER, "--reserve-price", "1", region=REGION)
    scene.console.seen(f"{answer.complaint} (after {time.monotonic() - asked:.0f} s)")
    scene.record.check(answer.status == 6, "a new offer is refused in a sentence, as nobody can say whose the node is")
