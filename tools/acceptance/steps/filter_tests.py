# SPDX-License-Identifier: Apache-2.0
"""The tests that need OpenStack's own code, in its environment: the filter's, and those of Ironic's policy file."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from acceptance.scene import Scene

TITLE = "The filter's tests, in Nova's environment"
NEEDS_NOVA = True

_CHECKOUT = Path(__file__).resolve().parents[3]
_TIMEOUT = 180


def play(scene: Scene) -> None:
    """Run them."""
    beside = scene.environments.packages("pytest")
    log = scene.processes.log("filter-tests")
    command = [
        *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
        # What Nova is warned of is Nova's, and is an error in our own tests only.
        *("-W", "ignore"),
        # Fixtures of the other tests need what Nova's environment has not.
        *("--confcutdir", "tests/nova"),
        "tests/nova",
        # It knows Ironic's own rules, and Nova's environment has Ironic.
        "tests/unit/test_ironic_policy.py",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [scene.site.openstack.python, "-B", *command],
            cwd=_CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONPATH": f"{_CHECKOUT}:{beside}"},
        )
    try:
        status = scene.wait("waiting for the tests", process.poll, _TIMEOUT)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    last = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    scene.console.seen(last)
    scene.record.check(status == 0 and "passed" in last and "skipped" not in last, f"they pass ({last.strip('= ')})")
