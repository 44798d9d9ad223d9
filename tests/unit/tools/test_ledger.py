# SPDX-License-Identifier: Apache-2.0
"""The ledger keeps runs apart, and undoes what an earlier one has left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from acceptance.errors import CannotRun
from acceptance.ledger import Ledger
from acceptance.marked import mark, marked_processes


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("chapter 1")
    with pytest.raises(CannotRun, match="is not empty and no run's"), Ledger(tmp_path).held():
        pass
    assert (tmp_path / "thesis.tex").read_text() == "chapter 1"


def test_a_second_run_in_the_same_directory_is_refused(tmp_path):
    state = tmp_path / "state"
    with Ledger(state).held(), pytest.raises(CannotRun, match="another run is in"), Ledger(state).held():
        pass


def test_what_an_earlier_run_wrote_is_gone_when_the_next_begins(tmp_path):
    state = tmp_path / "state"
    with Ledger(state).held():
        (state / "old.conf").write_text("")
        (state / "log").mkdir()
    with Ledger(state).held():
        assert [entry.name for entry in state.iterdir()] == ["lock"]


def test_processes_that_an_earlier_run_left_are_ended(tmp_path):
    state = tmp_path / "state"
    with Ledger(state).held():
        left = subprocess.Popen(
            [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"],
            env={**os.environ, **mark(state)},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert left.stdout
        left.stdout.readline()
        assert [process.pid for process in marked_processes(state)] == [left.pid]
    try:
        with Ledger(state).held():
            assert left.wait(5) == -signal.SIGKILL
    finally:
        left.kill()
        left.wait()
        left.stdout.close()


def test_a_database_that_cannot_be_dropped_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOCX_TEST_MARIADB", "mysql+pymysql://nobody@127.0.0.1:1/mysql")
    state = tmp_path / "state"
    with Ledger(state).held():
        Ledger(state).remember("mysql", "flocx_acceptance_0_nova")
    with pytest.raises(CannotRun, match="database flocx_acceptance_0_nova"), Ledger(state).held():
        pass
