# SPDX-License-Identifier: Apache-2.0
"""Which steps are played, in which order, and what follows from one that fails."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from acceptance.errors import CannotRun
from acceptance.play import GROUPS, play
from acceptance.progress import Progress
from acceptance.record import Record
from quickstart.console import StoryFailed


class Stage:
    """Steps that note that they were played, and what was put back between them."""

    def __init__(self, nova=None):
        self.scene = SimpleNamespace(record=Record(Progress()), nova=nova)
        self.played, self.shared = [], []

    def step(self, title, error=None, **more):
        def act(scene, *state):
            self.played.append(title)
            self.shared += state
            if error:
                raise error
            scene.record.check(True, "fine")

        return SimpleNamespace(TITLE=title, play=act, **more)

    def play(self, *groups, only=()):
        play(self.scene, only, groups=groups, put_back=lambda scene: self.played.append("put back"))
        return [(one.step, one.outcome) for one in self.scene.record.outcomes]


def test_steps_of_a_group_share_what_they_hand_on_and_others_share_nothing(capsys):
    stage = Stage()
    stage.play(("story", dict, [stage.step("a"), stage.step("b")]), ("alone", None, [stage.step("c")]))
    assert stage.played == ["a", "b", "c"]
    assert stage.shared[0] is stage.shared[1]
    assert len(stage.shared) == 2


def test_after_a_failure_the_rest_of_the_group_is_not_played_and_the_next_group_begins_tidily(capsys):
    stage = Stage()
    told = stage.play(
        ("story", dict, [stage.step("a", StoryFailed("no")), stage.step("b")]), ("alone", None, [stage.step("c")])
    )
    assert stage.played == ["a", "put back", "c"]
    assert told == [("a", "FAILED"), ("b", "not run"), ("c", "ok")]


def test_a_service_that_dies_ends_the_run(capsys):
    stage = Stage()
    told = stage.play(("one", None, [stage.step("a", CannotRun("it has ended"))]), ("two", None, [stage.step("b")]))
    assert told == [("a", "FAILED")]


def test_steps_that_need_nova_are_left_out_without_it(capsys):
    for nova, played in ((None, ["b"]), (object(), ["a", "b"])):
        stage = Stage(nova)
        stage.play(("one", None, [stage.step("a", NEEDS_NOVA=True), stage.step("b")]))
        assert stage.played == played


def test_only_what_was_asked_for_is_played(capsys):
    stage = Stage()
    stage.play(("one", None, [stage.step("a")]), ("two", None, [stage.step("b")]), only=["two"])
    assert stage.played == ["b"]


@pytest.mark.parametrize(("name", "modules"), [(name, modules) for name, _, modules in GROUPS])
def test_every_step_says_what_it_is_about(name, modules):
    assert modules
    assert all(module.TITLE and callable(module.play) for module in modules)
