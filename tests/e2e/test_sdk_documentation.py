# SPDX-License-Identifier: Apache-2.0
"""What the page of the SDK shows, as scripts of a user: against a market and a provider that really run."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from tests.e2e.deployment import PATIENCE, await_that
from tests.unit.documented import SOURCE, indented_blocks, page


@pytest.fixture
def deployment(deploy):
    """A market on which everything that owner-a has but one node is offered."""
    deployment = deploy()
    for service in ("market", "provider"):
        deployment.start_api(service)
        deployment.start_manager(service)
    owner = deployment.provider("owner-a")
    end = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds")
    nodes = list(owner.nodes(sort="node_name"))[1:]
    for node in nodes:
        owner.create_offer(node_uuid=node.id, end_time=end, reserve_price="1.5")
    consumer = deployment.market("consumer-a")
    await_that(lambda: len(list(consumer.offers(status="available"))) == len(nodes), "every offer is on the market")
    return deployment


def run(deployment, user, source):
    """Run a script as somebody whose clouds.yaml is that of the page for http_basic, with their own names in it."""
    [documented] = [block for block in indented_blocks(page("sdk"), "yaml") if "http_basic" in block]
    entry = yaml.safe_load(documented)["clouds"]["mine"]
    entry["auth"] = {"username": user, "password": user, "endpoint": deployment.market_url}
    entry["baremetal_market_endpoint_override"] = deployment.market_url
    entry["baremetal_provider_endpoint_override"] = deployment.provider_url
    home = deployment.directory / user
    home.mkdir()
    (home / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"mine": entry}}))
    (home / "script.py").write_text(source)
    environment = {name: value for name, value in deployment.environment.items() if not name.startswith("OS_")}
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


def test_the_program_of_ten_lines_bids_and_waits_and_every_other_piece_of_the_page_runs(deployment):
    source = (SOURCE / "examples" / "bid_and_wait.py").read_text()
    code = [line for line in source.splitlines() if line and not line.startswith("#")]
    assert len(code) <= 10
    done = run(deployment, "consumer-a", source)
    assert done.returncode == 0, done.stderr
    # How often it looks before the provider has handed the node over is the machine's affair.
    assert re.fullmatch(
        r"(created for \d+ s\n)*m\d is ours until \d\d:\d\d UTC, at 1\.500000 an hour\n", done.stdout
    ), done.stdout
    [contract] = deployment.market("consumer-a").contracts()
    assert contract.status == "active"

    blocks = indented_blocks(page("sdk"), "python")
    assert len(blocks) > 10
    # The owner's business is one block of the page; the rest is the consumer's.
    [offering] = [block for block in blocks if "create_offer" in block]
    done = run(deployment, "owner-a", "\n".join([blocks[0], offering]))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("pending", "published")

    done = run(deployment, "consumer-b", "\n".join(block for block in blocks if block != offering))
    assert done.returncode == 0, done.stderr
    assert "free from" in done.stdout
    assert "limit 0.1" in done.stdout, "a bid below every reserve is explained"
    assert "it has a contract by now" in done.stdout
    assert deployment.market("consumer-b").find_contract("training").status in ("created", "active")
