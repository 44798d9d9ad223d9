# SPDX-License-Identifier: Apache-2.0
"""The pages for owners and consumers: every command is run, and prints what its page shows."""

from __future__ import annotations

import configparser
import shlex
from contextlib import closing

import pytest

from tests.data import CHECKOUT
from tests.e2e.documented_commands import Meanings, Shell, Step, replay, steps
from tests.e2e.sample_market import environment, sample_market

PAGES = ("for-owners", "for-consumers")

ONE, TWO, THREE = (f"{digit * 8}-1111-1111-1111-111111111111" for digit in "123")


def _page(name):
    return (CHECKOUT / "doc" / "source" / f"{name}.rst").read_text()


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_print_what_it_shows(name, tmp_path):
    with sample_market(tmp_path), closing(Shell(tmp_path, environment())) as shell:
        wrong = replay(steps(_page(name)), shell)
    assert not wrong, wrong


def test_every_command_for_owners_and_consumers_is_shown_on_a_page():
    declared = configparser.ConfigParser()
    declared.read(CHECKOUT / "setup.cfg")
    lines = declared["options.entry_points"]["openstack.flocx.v1"].split("\n")
    commands = {line.partition("=")[0].strip().replace("_", " ") for line in lines if line.startswith("flocx_")}
    # Those for operators are in the reference.
    wanted = {command for command in commands if not command.startswith("flocx provider")}
    assert len(wanted) > 20
    words = [shlex.split(step.command, comments=True) for page in PAGES for step in steps(_page(page))]
    shown = {" ".join(line[at : at + length]) for line in words for at in range(len(line)) for length in (2, 3)}
    assert wanted - shown == set()


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a b", "a b", True),
        ("a b", "a  b", False),
        ("a ... c", "a b c", True),
        ("| ...    |", "| longer than the dots |", True),
        ("a ... c", "a b d", False),
        ("a ...", "a ", False),
        (f"{ONE} {ONE}", f"{TWO} {TWO}", True),
        (f"{ONE} {ONE}", f"{TWO} {THREE}", False),
        (f"{ONE} {TWO}", f"{THREE} {THREE}", False),
        (ONE, "web", False),
        ("f" * 32, "e" * 32, True),
        ("--since YzE6MTg", "--since YzE6MTk", True),
        ("2026-11-21T08:45:39Z", "2027-01-01T00:00:00Z", True),
        ("2026-11-21T08:45:39Z", "2027-01-01T00:00:00+01:00", False),
        ("2026-11-21T08:45:39+01:00", "2027-01-01T00:00:00-05:00", True),
        ("12.00 credits", "12.01 credits", False),
        ("a", "a\nb", False),
        ("a\nb", "a", False),
    ],
)
def test_only_what_changes_from_run_to_run_may_differ(shown, printed, same):
    difference = Meanings().difference(shown.splitlines(), printed.splitlines())
    assert (not difference) is same, difference


def test_a_uuid_of_the_page_is_in_later_commands_what_it_stands_for():
    meanings = Meanings()
    assert not meanings.difference([f"UUID {ONE}"], [f"UUID {TWO}"])
    assert meanings.in_command(f"show {ONE} or {THREE}") == f"show {TWO} or {THREE}"


def test_a_page_is_read_as_a_terminal_shows_it():
    page = "\n".join(
        [
            *("Text.", "", ".. code-block:: console", "", "   $ one", "   printed", "", "   more", "   $ two \\"),
            *("      --long", "", "Text.", "", ".. await: three", "", ".. code-block:: shell", "", "   not run", ""),
        ]
    )
    assert steps(page) == [
        Step("one", ["printed", "", "more"]),
        Step("two \\\n   --long", []),
        Step("three", awaited=True),
    ]


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ([Step("echo one; echo two >&2", ["one", "two"])], ""),
        ([Step("name=one"), Step("echo $name", ["one"])], ""),
        ([Step("printf one", ["one"])], ""),
        ([Step("cat", [])], ""),
        ([Step("false"), Step("echo $?", ["1"])], ""),
        ([Step("false")], "status 1"),
        ([Step("echo one", ["two"])], "printed: one"),
        ([Step("echo one", [])], "printed, but not shown: one"),
        ([Step("true", ["one"])], "shown, but not printed: one"),
        ([Step("(sleep 0.3; touch there) &"), Step("test -e there", awaited=True), Step("ls", ["there"])], ""),
    ],
)
def test_commands_are_run_in_one_shell_and_all_that_is_wrong_is_told(page, told, tmp_path):
    with closing(Shell(tmp_path, environment())) as shell:
        wrong = replay(page, shell)
    assert told in wrong
    assert bool(told) == bool(wrong)
