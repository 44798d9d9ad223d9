# SPDX-License-Identifier: Apache-2.0
"""Ironic is back: what should have been done meanwhile is done now."""

from __future__ import annotations

import time

from acceptance.dealing import end_now, free, offer, status_of, until_status, withdraw
from acceptance.scene import Scene
from acceptance.site import readiness
from acceptance.steps.away import (
    ENDING,
    ENDING_FOR,
    IRONIC,
    LATER,
    OWNER,
    REGION,
    SECONDS,
    STARTING,
    STARTING_FOR,
    Away,
)

TITLE = "Ironic is back"


def play(scene: Scene, away: Away) -> None:
    """Start it again, and wait for both contracts."""
    log = away.log
    assert log
    scene.until("waiting until the minute is over", lambda: time.monotonic() - away.since >= SECONDS, SECONDS + 5)
    gone = time.monotonic() - away.since
    scene.record.check(
        status_of(scene, STARTING_FOR, away.starting) == "created",
        f"after {gone:.0f} s nothing has failed, though a contract should have started",
    )
    scene.processes.restart(IRONIC)
    manager = scene.flocx.provider_manager_url(REGION)
    scene.until("waiting until the provider is ready", lambda: readiness(manager).status == 200, 30)
    seconds = until_status(scene, STARTING_FOR, away.starting, "active", 60)
    scene.record.check(
        scene.lessee(STARTING) == scene.project(STARTING_FOR), f"{STARTING} is handed over ({seconds:.0f} s)"
    )
    scene.until(f"waiting until {ENDING} is back", lambda: free(scene, ENDING), 60)
    until_status(scene, ENDING_FOR, away.ending, "completed")
    scene.record.check(True, f"{ENDING} is taken back, whose contract ended meanwhile")
    scene.until("waiting until all jobs work again", lambda: all(one.recovered for one in log.troubles().values()), 30)
    troubles = log.troubles()
    for job, trouble in troubles.items():
        scene.console.seen(f"{job}: {'; '.join(trouble.reasons)}")
    scene.record.check(
        troubles and all(trouble.told_well for trouble in troubles.values()),
        "the log has one line for each reason why a job fails, and one when it works again",
    )
    told = sum(len(trouble.reasons) for trouble in troubles.values())
    scene.record.check(log.errors == told, f"and no other errors ({log.errors - told})")
    away.offers += offer(scene, OWNER, LATER, region=REGION)
    scene.record.check(True, "offers are taken again")
    end_now(scene, STARTING_FOR, away.starting, STARTING)
    withdraw(scene, OWNER, *away.offers, region=REGION)
