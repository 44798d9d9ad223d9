# SPDX-License-Identifier: Apache-2.0
"""Reading what a manager has logged since a moment."""

from __future__ import annotations

import pytest
from acceptance.logs import Log, Trouble

BEFORE = "2026-01-01 ERROR jobs [-] pull failed and will be tried again: market: nobody answers\n"
AFTER = """\
2026-01-01 ERROR jobs [-] reconcile failed and will be tried again: inventory: nobody answers
2026-01-01 ERROR jobs [-] health failed and will be tried again: inventory: nobody answers
2026-01-01 INFO jobs [-] reconcile works again
"""


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "manager.log"
    made.write_text(BEFORE)
    return made


def test_only_what_was_written_since_counts(path):
    log = Log(path)
    assert log.troubles() == {}
    with path.open("a") as file:
        file.write(AFTER)
    told = ["inventory: nobody answers"]
    assert log.troubles() == {"health": Trouble(told, 0), "reconcile": Trouble(told, 1)}


@pytest.mark.parametrize(
    ("trouble", "well"),
    [
        (Trouble(["refused"], 1), True),
        (Trouble(["refused", "not ready"], 1), True),
        (Trouble(["refused", "refused"], 1), False),
        (Trouble(["refused"], 0), False),
        (Trouble([], 1), False),
    ],
)
def test_trouble_is_told_well_when_nothing_is_told_twice_and_its_end_is(trouble, well):
    assert trouble.told_well is well


def test_errors_that_nobody_foresaw_are_counted(path):
    log = Log(path)
    with path.open("a") as file:
        file.write(AFTER)
        file.flush()
        assert (log.errors, log.tracebacks) == (2, 0)
        file.write("Traceback (most recent call last):\n  ...\n")
    assert log.tracebacks == 1


def test_a_log_that_does_not_exist_yet_begins_at_its_beginning(tmp_path):
    log = Log(tmp_path / "manager.log")
    (tmp_path / "manager.log").write_text(AFTER)
    assert "reconcile" in log.troubles()


def test_the_provision_states_of_a_node_are_those_ironic_has_moved_it_to_since(tmp_path):
    path = tmp_path / "ironic.log"
    moved = 'INFO ironic [-] Node {} moved to provision state "{}" from state "x"; target provision state is "None"\n'
    path.write_text(moved.format("n1", "active"))
    log = Log(path)
    with path.open("a") as file:
        file.writelines(
            moved.format(node, to) for node, to in [("n1", "deleting"), ("n2", "error"), ("n1", "cleaning")]
        )
    assert log.provision_states("n1") == ["deleting", "cleaning"]
