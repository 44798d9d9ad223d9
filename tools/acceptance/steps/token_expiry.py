# SPDX-License-Identifier: Apache-2.0
"""All tokens become invalid at once, and new ones live for seconds: everybody goes on with new ones."""

from __future__ import annotations

import json
import shutil
import time

from acceptance.dealing import bid, contract_of, end_now, offer, status_of, until_status, withdraw
from acceptance.logs import Log
from acceptance.scene import Scene
from acceptance.services import keystone
from acceptance.site import REGIONS, readiness

TITLE = "Tokens expire while services and clients wait"

_LIFETIME = 10
_NODE = "node-a1"
_SERVICES = ("market-api", "market-manager", "provider-1-api", "provider-1-manager")


def play(scene: Scene) -> None:
    """Let the tokens that everybody holds become invalid, and wait for several lifetimes of the next."""
    logs = {name: Log(scene.processes.log(name)) for name in _SERVICES}
    watch = scene.client.begin("consumer-a", "flocx", "watch", "-f", "json", "--timeout", "90s")
    scene.until("waiting until the watch has begun", lambda: "GET /v1/events" in logs["market-api"].text, 20)
    placed = bid(scene, "consumer-a", "--require", "cpus == 32", "--end", "+20m", "--duration", "10m")
    wait = scene.client.begin("consumer-a", "flocx", "bid", "wait", placed["uuid"], "--timeout", "90s", "-f", "json")
    scene.until("waiting until the wait has begun", lambda: f"/v1/bids/{placed['uuid']}" in logs["market-api"].text, 20)
    _restart(scene, _LIFETIME, new_keys=True)
    scene.console.seen(f"no token of before counts any more; new ones live for {_LIFETIME} s")
    began = time.monotonic()
    scene.until("waiting for more than two lifetimes", lambda: time.monotonic() - began > 2.2 * _LIFETIME, 60)
    heard = scene.market("admin").find_provider("provider-1")
    scene.record.check(not heard["silent"], "the market has heard of the provider all the time")
    offers = offer(scene, "owner-a", _NODE)
    contract = contract_of(scene, "consumer-a", placed["uuid"])
    until_status(scene, "consumer-a", contract, "active")
    scene.record.check(
        scene.lessee(_NODE) == scene.project("consumer-a"),
        "an offer, a contract and a hand-over as if nothing had been",
    )
    answer = wait.wait(30)
    scene.console.seen(f"it ended with status {answer.status} {answer.complaint}".rstrip())
    scene.record.check(
        answer.done and answer.json()["contract_uuid"] == contract["uuid"], "a client that waited all the time sees it"
    )
    seen = scene.until("waiting for the watch", lambda: contract["uuid"] in watch.output, 30)
    kinds = [json.loads(line)["event_type"] for line in watch.output.splitlines()]
    watch.stop()
    scene.record.check("contract.created" in kinds, f"and one that watches is told ({seen:.1f} s): {', '.join(kinds)}")
    bad = [name for name, log in logs.items() if log.tracebacks]
    scene.record.check(not bad, f"no service logs an error that it did not foresee {bad or ''}".rstrip())
    scene.record.check(
        all(readiness(scene.site.url(name)).status == 200 for name in _SERVICES), "and all of them are ready"
    )
    _restart(scene, keystone.TOKEN_LIFETIME)
    end_now(scene, "consumer-a", contract, _NODE)
    scene.record.check(
        status_of(scene, "consumer-a", contract) in ("terminated", "completed"), "the contract ends well"
    )
    withdraw(scene, "owner-a", *offers, region=REGIONS[0])


def _restart(scene: Scene, lifetime: int, *, new_keys: bool = False) -> None:
    """Start Keystone again with another lifetime of tokens, and new keys if what they signed is to be forgotten."""
    scene.processes.stop("keystone")
    keystone.configure(scene.site, lifetime)
    if new_keys:
        shutil.rmtree(scene.site.state / "keystone" / "keys")
        scene.site.directory("keystone/keys")
        scene.processes.run([keystone.keys(scene.site)])
    scene.processes.restart("keystone")
