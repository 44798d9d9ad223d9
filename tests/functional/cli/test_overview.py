# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx --help``, completion, and what the plugin costs other commands."""

from __future__ import annotations

import re
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.functional.cli.shell import openstack

_GROUP = "openstack.flocx.v1"


def _commands() -> list[str]:
    return sorted(point.name.replace("_", " ") for point in entry_points(group=_GROUP) if point.name != "flocx-help")


@pytest.mark.parametrize("words", ["flocx --help", "help flocx", "flocx", "flocx-help"])
def test_commands_are_grouped_by_those_who_need_them(words):
    ended = openstack(*words.split())
    assert ended.status == 0
    parts = re.split(r"^Commands for (.*):$", ended.out, flags=re.MULTILINE)
    groups = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(groups) == [
        "owners of nodes",
        "consumers of nodes",
        "owners and consumers",
        "operators of the market",
    ]
    assert "flocx offer create " in groups["owners of nodes"]
    assert "flocx bid create " in groups["consumers of nodes"]
    assert "flocx watch " in groups["owners and consumers"]
    assert "flocx provider create " in groups["operators of the market"]
    for command in _commands():
        assert ended.out.count(f"\n  {command} ") == 1, command


def test_the_exit_statuses_are_told():
    from flocx_client.osc import exit_statuses

    told = {
        int(line.split()[0]) for line in openstack("flocx", "--help").out.splitlines() if re.match("  [0-9]  ", line)
    }
    assert told == {value for name, value in vars(exit_statuses).items() if name.isupper()} - {130}


def test_a_word_that_is_no_command_is_told_with_those_that_may_be_meant():
    ended = openstack("flocx", "bid", "lst")
    assert ended.status == 2
    assert "There is no command 'flocx bid lst'" in ended.err
    assert "openstack flocx bid list" in ended.err


@pytest.mark.parametrize("command", _commands())
def test_every_command_has_help_of_its_own(command):
    ended = openstack(*command.split(), "--help")
    assert ended.status == 0
    assert ended.out.startswith(f"usage: openstack {command} ")
    assert "--utc" in ended.out


def test_completion_knows_every_command():
    out = openstack("complete").out
    [things] = re.findall(r"^  cmds_flocx='(.*)'$", out, flags=re.MULTILINE)
    assert {command.split()[1] for command in _commands()} <= set(things.split())
    for thing in ("allocation", "bid", "capacity", "contract", "event", "node", "offer", "provider"):
        [verbs] = re.findall(rf"^  cmds_flocx_{thing}='(.*)'$", out, flags=re.MULTILINE)
        assert {command.split()[2] for command in _commands() if command.split()[1] == thing} <= set(verbs.split())


def test_the_installed_commands_are_those_of_the_source():
    read = ConfigParser()
    read.optionxform = str
    read.read(Path(__file__).parents[3] / "setup.cfg")
    lines = read["options.entry_points"][_GROUP].strip().splitlines()
    assert sorted(line.partition(" = ")[0].replace("_", " ") for line in lines) == sorted(["flocx-help", *_commands()])


_HEAVY = {"jmespath", "keystoneauth1", "openstack", "requests", "yaml", "flocx_client.market"}


def _loaded(program: str) -> set[str]:
    """Return the modules that a program names."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {program}"], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_the_plugin_imports_nothing_heavy():
    """It is imported with every openstack command, whatever that does."""
    loaded = _loaded("import flocx_client.osc.plugin; print(*sorted(sys.modules))")
    assert not loaded & _HEAVY
    assert {name for name in loaded if name.startswith("flocx_")} == {
        "flocx_client",
        "flocx_client.osc",
        "flocx_client.osc.endpoints",
        "flocx_client.osc.plugin",
        "flocx_client.osc.secrecy",
    }


def test_the_commands_import_nothing_heavy_beyond_the_libraries_of_all_commands():
    modules = sorted({point.module for point in entry_points(group=_GROUP)})
    loaded = _loaded(
        "import osc_lib.command.command, cliff.lister, cliff.show; before = set(sys.modules); "
        f"import {', '.join(modules)}; print(*sorted(set(sys.modules) - before))"
    )
    assert not loaded & _HEAVY
