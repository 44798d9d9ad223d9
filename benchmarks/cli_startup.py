# SPDX-License-Identifier: Apache-2.0
"""What the plugin costs whoever types ``openstack``: start-up with it and without it.

Runs of each kind follow upon each other in turn, so that all meet the same
machine; the figures are medians. "Without" is the same installation whose
entry points of FLOCX the client does not know: it keeps what it knows in a
cache, and there it gets one of its own.
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
from pathlib import Path

_PLAIN = "import sys; from openstackclient import shell; sys.exit(shell.main())"
_HIDING = """
import importlib.metadata as metadata
found = metadata.distributions
metadata.distributions = lambda **wanted: (one for one in found(**wanted) if one.metadata["Name"] != "flocx")
"""


def run(words: list[str], cache: Path, program: str = _PLAIN) -> float:
    """Return how many seconds a run of the client takes."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, check=False, env=environment, text=True
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    return took


def measure(runs: int, directory: Path) -> dict[str, float]:
    """Return the median seconds of each kind of run."""
    without, with_plugin = directory / "without", directory / "with"
    kinds = {
        "openstack --version, without the plugin": (["--version"], without),
        "openstack --version, with the plugin": (["--version"], with_plugin),
        "openstack token issue --help, without it": (["token", "issue", "--help"], without),
        "openstack token issue --help, with it": (["token", "issue", "--help"], with_plugin),
        "openstack flocx bid create --help": (["flocx", "bid", "create", "--help"], with_plugin),
    }
    run(["--version"], without, _HIDING + _PLAIN)
    if not list(without.rglob("*")):
        raise SystemExit("the client keeps no cache for a Python below /tmp; use another environment")
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(-1, runs):
        for kind, (words, cache) in kinds.items():
            seconds = run(words, cache)
            # The first round only warms up.
            if number >= 0:
                taken[kind].append(seconds)
        sys.stderr.write(f"\r{max(number + 1, 0)} of {runs}")
    sys.stderr.write("\n")
    return {kind: statistics.median(values) for kind, values in taken.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="runs of each kind (default: %(default)s)")
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="how to print the result")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        medians = measure(options.runs, Path(directory))
    values = list(medians.values())
    # Each run with the plugin against the like of it before: no command, and a command of the client's own.
    bases = [values[0], values[0], values[2], values[2], values[2]]
    shown = [
        {"run": kind, "median_seconds": round(value, 4), "more_milliseconds": round((value - base) * 1000, 1)}
        for (kind, value), base in zip(medians.items(), bases, strict=True)
    ]
    if options.format == "json":
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    for row in shown:
        sys.stdout.write(f"{row['run']:42} {row['median_seconds']:7.3f} s  {row['more_milliseconds']:+7.1f} ms\n")


if __name__ == "__main__":
    main()
