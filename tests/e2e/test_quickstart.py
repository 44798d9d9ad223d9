# SPDX-License-Identifier: Apache-2.0
"""The quickstart, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from openstack.config import loader

from flocx_client.market import MarketClient
from tests.data import CHECKOUT, chameleon
from tests.e2e.deployment import await_that, free_ports

PORTS = (
    "--market-port",
    "--provider-port",
    "--second-provider-port",
    "--market-manager-port",
    "--provider-manager-port",
    "--second-provider-manager-port",
)


class Quickstart:
    """Runs of the quickstart on one state directory."""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "state"
        self._printed = directory / "printed"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start it; the ports are new each time, which continues no worse."""
        ports = [word for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True) for word in (name, str(port))]
        with self._printed.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "quickstart", "--state-dir", str(self.state), *ports, *options],
                env={**os.environ, "PYTHONPATH": str(CHECKOUT / "tools"), "PYTHONUNBUFFERED": "1"},
                cwd=self.state.parent,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self._printed.read_text()

    def end(self, timeout: float = 300) -> int:
        """Return its exit status."""
        assert self._process is not None
        return self._process.wait(timeout)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)

    def await_printed(self, text: str) -> None:
        """Wait until it has printed something."""

        def there() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.printed
            return text in self.printed

        await_that(there, f"it prints {text!r}", timeout=240)

    def processes(self) -> list[str]:
        """Return the command lines of processes that still work on the state."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if any(str(self.state) in word for word in words):
                found.append(" ".join(words))
        return found

    def contracts(self) -> list[str]:
        """Return the market's contracts, as its administrator sees them with clouds.yaml."""
        config = loader.OpenStackConfig(config_files=[str(self.state / "clouds.yaml")], load_envvars=False)
        cloud = config.get_one(cloud="admin")
        market = MarketClient(cloud.get_session(), endpoint_override=cloud.get_endpoint("baremetal-market"))
        return [contract["uuid"] for contract in market.contracts()]


@pytest.fixture
def quickstart(tmp_path):
    one = Quickstart(tmp_path)
    yield one
    if one.processes():
        one.interrupt()
        one.end()


def _try_what_it_says(quickstart):
    """Run the three commands as they are printed."""
    quickstart.await_printed("Ctrl-C stops everything")
    lines = quickstart.printed.partition("Three things to try")[2].splitlines()
    offer, watch, bid = (line.strip() for line in lines if " flocx " in line)

    offered = subprocess.run(offer, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert offered.returncode == 0, offered.stderr
    assert offered.stdout.count("offered") >= 1
    seen = quickstart.state / "watched"
    with seen.open("w") as out:
        watching = subprocess.Popen(["/bin/sh", "-c", f"exec {watch}"], stdout=out, stderr=subprocess.STDOUT)
    try:
        # It tells what happens from when it runs; what happened before does not matter to it.
        await_that(lambda: watching.poll() is None and seen.exists(), "it watches")
        placed = subprocess.run(f"{bid} -f json", shell=True, capture_output=True, text=True, timeout=60, check=False)
        assert placed.returncode == 0, placed.stderr
        assert json.loads(placed.stdout)["status"] == "matched"
        again = subprocess.run(bid, shell=True, capture_output=True, text=True, timeout=60, check=False)
        assert again.returncode == 0, again.stderr
        await_that(lambda: "contract" in seen.read_text(), "the contract is seen")
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait(30)
    assert "Traceback" not in seen.read_text()


def test_the_story_holds_and_a_second_start_goes_on_from_the_first(quickstart):
    quickstart.start("--exit")
    assert quickstart.end() == 0, quickstart.printed
    assert "Every step of the story held." in quickstart.printed
    assert re.search(r"on the market after \d+\.\d+ s", quickstart.printed)
    assert re.search(r"carries consumer-a \d+\.\d+ s after the bid", quickstart.printed)
    assert quickstart.processes() == []
    assert oct((quickstart.state / "clouds.yaml").stat().st_mode)[-3:] == "600"

    quickstart.start()
    quickstart.await_printed("Three things to try")
    assert "Every step of the story held." in quickstart.printed
    assert len(quickstart.contracts()) == 4, "two of each run"
    assert len(quickstart.processes()) > 6
    _try_what_it_says(quickstart)
    quickstart.interrupt()
    assert quickstart.end() == 0
    assert quickstart.processes() == []


def test_ctrl_c_in_the_middle_of_the_story_leaves_no_process(quickstart):
    quickstart.start()
    quickstart.await_printed("The contract starts")
    quickstart.interrupt()
    assert quickstart.end(60) == 130
    assert quickstart.processes() == []


def test_the_story_holds_on_the_machines_of_a_real_testbed(quickstart):
    quickstart.start(
        *("--exit", "--inventory", str(chameleon()), "--uuid-expression", "uid", "--name-expression", "node_name"),
        *("--owner-expression", "site", "--owner-map", "tacc=owner-a,uc=owner-b"),
        *("--resource-class-expression", "node_type"),
    )
    assert quickstart.end() == 0, quickstart.printed
    assert "Every step of the story held." in quickstart.printed
    [(first, second)] = re.findall(
        r"^(\d+) machines at provider-1, (\d+) at provider-2", quickstart.printed, re.MULTILINE
    )
    assert int(first) + int(second) == 445


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--inventory", "nowhere.json"), "nowhere.json"),
        (("--owner-map", "tacc=me"), "VALUE=owner-a"),
        (("--uuid-expression", "a["), "uuid_expression"),
        (("--market-port", "many"), "--market-port"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line_and_starts_nothing(quickstart, options, told):
    quickstart.start(*options)
    assert quickstart.end() in (1, 2)
    assert told in quickstart.printed.splitlines()[-1]
    assert "Traceback" not in quickstart.printed
    assert quickstart.processes() == []
