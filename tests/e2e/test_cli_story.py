# SPDX-License-Identifier: Apache-2.0
"""The story of the quickstart, played by commands of the OpenStack client alone."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.data import CHECKOUT
from tests.e2e.sample_market import environment, sample_market

SCRIPT = CHECKOUT / "tests" / "e2e" / "cli_story.sh"


def test_the_story_is_played_by_commands_alone(tmp_path):
    with sample_market(tmp_path) as stack:
        played = subprocess.run(
            [SCRIPT],
            env=environment(OS_CLIENT_CONFIG_FILE=str(stack.clouds_yaml)),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    told = f"{played.stdout}\n{played.stderr}"
    assert played.returncode == 0, told
    assert "Traceback" not in told
    assert [line[0] for line in played.stdout.splitlines() if line[:1].isdigit()] == list("12345678"), told
    assert played.stdout.endswith("Every step of the story held.\n")


def test_a_step_that_does_not_hold_ends_the_story(tmp_path):
    # Nobody answers there.
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(
        "clouds: {consumer-a: {auth_type: none, auth: {endpoint: 'http://127.0.0.1:9'},"
        " baremetal_provider_endpoint_override: 'http://127.0.0.1:9'}}\n"
    )
    played = subprocess.run(
        [SCRIPT],
        env=environment(OS_CLIENT_CONFIG_FILE=str(clouds)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert played.returncode == 1
    assert "FAILED consumer-a may not use a01" in played.stderr
    assert "2  An owner" not in played.stdout


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_script_is_clean():
    checked = subprocess.run(["shellcheck", SCRIPT], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
