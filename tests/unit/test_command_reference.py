# SPDX-License-Identifier: Apache-2.0
"""The reference of the commands and the manual pages: nothing that can be typed is missing from them."""

from __future__ import annotations

import configparser
import importlib.util
import re
import subprocess
import sys

import pytest

from flocx_client.osc import exit_statuses
from tests.unit.documented import ROOT, SOURCE, page

from flocx_docs import command_pages, manual_pages, parser_text  # isort: skip - found through the line above

pytest.importorskip("osc_lib", reason="the commands need the extra cli")


def _entry_points(group):
    known = configparser.ConfigParser()
    known.read(ROOT / "setup.cfg")
    return [line.partition("=")[0].strip() for line in known["options.entry_points"][group].splitlines() if line]


def _sections(text):
    return dict(re.findall(r"^([^\n]+)\n~+\n(.*?)(?=^[^\n]+\n~+\n|\Z)", text, re.MULTILINE | re.DOTALL))


SECTIONS = {
    name: (audience, text)
    for audience in command_pages.AUDIENCES
    for name, text in _sections(command_pages.page(audience)).items()
}
SHARED = "".join(map(command_pages.shared_arguments, command_pages.KINDS))


def test_every_command_of_the_entry_points_is_in_the_reference_of_those_it_is_for():
    declared = {name.replace("_", " ") for name in _entry_points(command_pages.GROUP) if name.startswith("flocx_")}
    assert len(declared) > 25
    assert set(SECTIONS) == declared
    for name, (audience, _) in SECTIONS.items():
        assert command_pages.commands()[name].audience == command_pages.AUDIENCES[audience]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_option_of_a_command_is_told_with_its_help(name):
    text = SECTIONS[name][1]
    for action in parser_text.described(command_pages.parser_of(name)._actions):
        assert action.help, f"{name} {action.dest} has no help"
        described = f"``{parser_text.term(action)}``\n    "
        assert described in text or described in SHARED, f"{name} {action.dest}"
        required = action.option_strings and action.required
        assert not required or f"{described}" in text


def test_the_synopsis_has_what_is_required_and_what_excludes_what():
    text = SECTIONS["flocx offer create"][1]
    synopsis = " ".join(text.split("::", 1)[1].split("``--node")[0].split())
    assert "(--node <node> | --all-idle)" in synopsis
    assert "[--end <time> | --for <duration>]" in synopsis
    assert " --reserve-price <price> " in synopsis


def test_global_options_are_those_of_the_plugin():
    told = command_pages.global_arguments()
    for option in command_pages.plugin_parser()._option_string_actions:
        assert f"``{option} " in told


def test_every_exit_status_is_told():
    statuses = {value for name, value in vars(exit_statuses).items() if name.isupper()}
    # That of an interrupted process is everybody's, and the page tells it in words.
    assert set(command_pages.statuses()) == statuses - {exit_statuses.INTERRUPTED}
    assert f"status {exit_statuses.INTERRUPTED}" in page("commands")


def test_there_is_a_manual_page_for_every_console_script():
    assert list(manual_pages.scripts()) == sorted(_entry_points("console_scripts"))
    for script in manual_pages.scripts():
        assert f"man-{script}" in page("index")


@pytest.mark.parametrize("script", manual_pages.scripts())
def test_a_manual_page_has_every_option_and_every_command(script):
    shown = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = [{script!r}, '--help']; {_call(script)}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    options = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", shown, re.MULTILINE)) - {"--help", "--version"}
    assert options
    text = manual_pages.page(script)
    for option in options:
        assert re.search(rf"``[^`]*{option}\b", text), option


def _call(script):
    [point] = [one for one in manual_pages.distribution("flocx").entry_points if one.name == script]
    return f"from {point.module} import {point.attr}; {point.attr}()"


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("flocx-market-manage", {"db sync", "db version", "db check"}),
        ("flocx-provider-manage", {"db sync", "db version", "db check", "node list", "node set"}),
    ],
)
def test_a_manual_page_has_the_commands_of_its_script(script, commands):
    assert commands <= set(_sections(manual_pages.page(script)))


@pytest.mark.skipif(importlib.util.find_spec("sphinx") is None, reason="sphinx is not installed")
def test_the_manual_pages_build_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "man"]
    built = subprocess.run(
        [*command, "-d", tmp_path / "doctrees", SOURCE, tmp_path / "out"], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    pages = {path.name: path.read_text() for path in (tmp_path / "out").glob("*.1")}
    assert set(pages) == {f"{name}.1" for name in ("openstack-flocx", *manual_pages.scripts())}
    for name, text in pages.items():
        assert ".SH SYNOPSIS" in text.upper() or ".SS SYNOPSIS" in text.upper(), name
    told = pages["openstack-flocx.1"].replace("\\-", "-")
    assert all(name in told for name in command_pages.commands())
