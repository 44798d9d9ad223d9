# SPDX-License-Identifier: Apache-2.0
"""How soon ``openstack flocx offer list`` shows something when there is much to show.

A market with many offers runs on SQLite in a directory that is removed
afterwards. The list is taken whole, and taken of the first ten offers alone:
what matters is that the first line of the long list comes as soon as that of
the short one. Runs of each kind follow upon each other in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flocx_common.db.engine import create_engine
from flocx_common.db.migration import Migrations
from flocx_common.db.transactions import Database
from flocx_market.db.store import MarketStore
from tests.builders import market_offer, market_provider
from tests.e2e.deployment import await_that, free_ports, script
from tests.harness import write_conf


def fill(url: str, offers: int) -> None:
    """Make a market's database with so many offers, which are never looked at by a manager."""
    engine = create_engine(url)
    Migrations("flocx_migrations_market", engine).upgrade()
    store = MarketStore(Database(engine))
    store.write(lambda uow: uow.providers.add(market_provider()))
    for first in range(1, offers + 1, 1000):
        numbers = range(first, min(first + 1000, offers + 1))

        def work(uow, numbers=numbers):
            for number in numbers:
                offer = market_offer(number)
                uow.nodes.know(offer.node_uuid)
                uow.offers.add(replace(offer, window=replace(offer.window, end=None)))

        store.write(work)
    engine.dispose()


def timed(words: list[str], environment: dict[str, str]) -> tuple[float, float, int]:
    """Return the seconds to the first line that a command prints and to its end, and how many lines it printed."""
    began = time.perf_counter()
    with subprocess.Popen([script("openstack"), *words], stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - began
        lines = 1 + sum(1 for _ in process.stdout)
    if process.returncode:
        raise SystemExit(process.returncode)
    return first, time.perf_counter() - began, lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offers", type=int, default=10_000, help="offers on the market (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each kind (default: %(default)s)")
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="how to print the result")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory, (port,) = Path(name), free_ports(1)
        url = f"sqlite:///{directory}/market.sqlite"
        sys.stderr.write(f"making a market of {options.offers} offers\n")
        fill(url, options.offers)
        conf = write_conf(
            directory,
            "market.conf",
            {"api": {"auth_strategy": "noauth", "port": port}, "database": {"connection": url}},
        )
        command = [script("flocx-market-api"), "--config-file", str(conf)]
        environment = {
            **os.environ,
            "OS_AUTH_TYPE": "none",
            "OS_ENDPOINT": f"http://127.0.0.1:{port}",
            "OS_FLOCX_MARKET_ENDPOINT": f"http://127.0.0.1:{port}",
        }
        with (directory / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as api:
            try:
                await_that(lambda: _answers(port), "the market answers")
                kinds = {"ten": ["--limit", "10"], "all": ["--all"]}
                taken: dict[str, list[tuple[float, float, int]]] = {kind: [] for kind in kinds}
                for number in range(options.runs):
                    for kind, words in kinds.items():
                        taken[kind].append(timed(["flocx", "offer", "list", *words], environment))
                    sys.stderr.write(f"\r{number + 1} of {options.runs}")
                sys.stderr.write("\n")
            finally:
                api.terminate()
    ten, every = (statistics.median(first for first, _, _ in taken[kind]) for kind in ("ten", "all"))
    whole = statistics.median(last for _, last, _ in taken["all"])
    shown = {
        "offers": options.offers,
        "lines": taken["all"][0][2],
        "first_line_of_ten_seconds": round(ten, 3),
        "first_line_of_all_seconds": round(every, 3),
        "first_line_ratio": round(every / ten, 2),
        "last_line_of_all_seconds": round(whole, 3),
    }
    if options.format == "json":
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{name}: {value}\n" for name, value in shown.items())


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    main()
