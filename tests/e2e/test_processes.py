# SPDX-License-Identifier: Apache-2.0
"""Processes that are started, killed, doubled and stopped, on every kind of database."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from flocx_common.testing.databases import KINDS
from tests.e2e.deployment import await_that

#: Seconds of each contract of the test.
LENGTH = 6


def _in(**ahead):
    return (datetime.now(UTC).replace(microsecond=0) + timedelta(**ahead)).isoformat()


def _everything_offered(deployment):
    nodes = list(deployment.provider("admin").nodes())
    for node in nodes:
        owner = node["owner_project_id"].removeprefix("p-")
        deployment.provider(owner).create_offer(node_uuid=node["node_uuid"], end_time=_in(hours=1), reserve_price="1")
    consumer = deployment.market("consumer-a")
    await_that(lambda: len(list(consumer.offers(status="available"))) == len(nodes), "every offer is on the market")
    return nodes


def _bid(deployment, user, **fields):
    return deployment.market(user).create_bid(duration=LENGTH, end_time=_in(minutes=30), limit_price="2", **fields)


@pytest.mark.parametrize("kind", KINDS)
def test_managers_in_pairs_that_are_killed_over_and_over_break_no_rule(deploy, kind):
    deployment = deploy(kind)
    for service in ("market", "provider"):
        deployment.start_api(service)
        for number in (1, 2):
            deployment.start_manager(service, number)
    nodes = _everything_offered(deployment)
    bids = [_bid(deployment, f"consumer-{'ab'[number % 2]}", quantity=1 + number % 3) for number in range(8)]
    wanted = sum(bid["quantity"] for bid in bids)
    assert wanted > len(nodes), "nodes have to be used one after the other"

    admin = deployment.market("admin")
    dice = random.Random(7)

    def over():
        service, number = dice.choice(("market", "provider")), dice.choice((1, 2))
        name = f"{service}-manager-{number}"
        starts = deployment.log(name).count("manager started")
        deployment.kill(name)
        deployment.start_manager(service, number)
        # The next is killed as soon as this one works.
        await_that(lambda: deployment.log(name).count("manager started") > starts, f"{name} is back")
        contracts = list(admin.contracts())
        return len(contracts) == len(bids) and {one["status"] for one in contracts} == {"completed"}

    await_that(over, "every contract is completed", timeout=240)

    allocations = [allocation for contract in admin.contracts() for allocation in contract["allocations"]]
    assert len([one for one in allocations if one["status"] == "released"]) >= wanted
    windows = defaultdict(list)
    for one in allocations:
        windows[one["node_uuid"]].append((one["start_time"], one["end_time"]))
    for node, times in windows.items():
        times.sort()
        for (_, end), (start, _) in pairwise(times):
            assert end <= start, f"two contracts held {node} at once"
    for contract in admin.contracts():
        served = [one for one in contract["allocations"] if one["status"] == "released"]
        assert len(served) >= contract["quantity"]

    provider = deployment.provider("admin")
    await_that(lambda: all(one["lessee_project_id"] is None for one in provider.nodes()), "every node is back")
    for service in ("market", "provider"):
        for number in (1, 2):
            assert "Traceback" not in deployment.log(f"{service}-manager-{number}")


def test_every_process_ends_well_when_asked_to(deploy):
    deployment = deploy()
    for service in ("market", "provider"):
        deployment.start_api(service)
        deployment.start_manager(service)
    _everything_offered(deployment)
    _bid(deployment, "consumer-a")
    # Managers first: they have long polls open at the market, for which nobody waits.
    names = list(reversed(deployment.processes))
    assert {name: deployment.terminate(name, timeout=20) for name in names} == dict.fromkeys(names, 0)
    for name in names:
        assert "Traceback" not in deployment.log(name)


def test_no_process_imports_eventlet(deploy, tmp_path):
    # In front of any real one: an eventlet that leaves a trace of who wanted it.
    trap = tmp_path / "trap"
    trap.mkdir()
    trace = tmp_path / "trace"
    (trap / "eventlet.py").write_text(
        "import os, sys\n"
        f"with open({str(trace)!r}, 'a') as file:\n"
        "    print(os.getpid(), sys.argv, file=file)\n"
        "raise ImportError('eventlet is not for us')\n"
    )
    deployment = deploy(environment={"PYTHONPATH": str(trap)})
    for service in ("market", "provider"):
        deployment.start_api(service)
        deployment.start_manager(service)
    _everything_offered(deployment)
    _bid(deployment, "consumer-a")
    await_that(lambda: list(deployment.market("admin").contracts(status="completed")) or None, "a contract")
    assert not trace.exists(), trace.read_text()
