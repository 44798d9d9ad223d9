# SPDX-License-Identifier: Apache-2.0
"""What was checked, and the table of it."""

from __future__ import annotations

import json

from acceptance.progress import Progress
from acceptance.record import Record


def record():
    made = Record(Progress())
    made.begin(1, "first step")
    made.check(True, "this holds")
    made.check(False, "this does not")
    made.skip("second step", "a step before it failed")
    return made


def test_what_fails_and_what_could_not_be_checked_count_as_failures(capsys):
    made = record()
    assert made.failures == 2
    made.check(True, "more")
    assert made.failures == 2


def test_the_table_names_each_step_once_and_ends_with_the_sum(capsys):
    made = record()
    capsys.readouterr()
    made.show()
    told = capsys.readouterr().out
    assert told.count("first step") == 1
    assert told.count("FAILED") == 1
    assert told.count("not run") == 1
    assert told.rstrip().endswith("1 of 3 checks held")


def test_json_has_every_check_with_its_outcome_and_time(capsys):
    told = json.loads(json.dumps(record().as_json()))
    assert [(one["step"], one["check"], one["outcome"]) for one in told] == [
        ("first step", "this holds", "ok"),
        ("first step", "this does not", "FAILED"),
        ("second step", "a step before it failed", "not run"),
    ]
    assert all(one["seconds"] >= 0 for one in told)
