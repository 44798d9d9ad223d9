# SPDX-License-Identifier: Apache-2.0
"""Plays the steps one after the other: the story, whose steps need one another, and then what may go wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from types import ModuleType

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException
from quickstart.console import StoryFailed

from acceptance.errors import CannotRun
from acceptance.scene import Scene
from acceptance.steps import (
    architectures,
    bid_too_big,
    end,
    filter_tests,
    foreign_node,
    hand_over,
    ironic_goes,
    ironic_returns,
    launch,
    launch_refused,
    maintenance,
    manager_killed,
    market_down,
    match,
    mirror,
    offers,
    placement_limit,
    token_expiry,
)
from acceptance.steps.away import Away
from acceptance.steps.story import Story
from acceptance.tidy import tidy
from flocx_client.errors import ClientError

#: A name, what the steps hand on to one another, None for nothing, and the steps; each needs the one before it.
Group = tuple[str, type | None, Sequence[ModuleType]]

GROUPS: Sequence[Group] = (
    ("story", Story, (launch_refused, foreign_node, offers, bid_too_big, match, hand_over, launch, end)),
    ("market_down", None, (market_down,)),
    ("maintenance", None, (maintenance,)),
    # The time until it returns is used for what happens in the other region.
    ("ironic_down", Away, (ironic_goes, manager_killed, ironic_returns)),
    ("token_expiry", None, (token_expiry,)),
    ("architectures", None, (architectures,)),
    ("mirror", None, (mirror,)),
    ("placement_limit", None, (placement_limit,)),
    ("filter_tests", None, (filter_tests,)),
)
NAMES: Sequence[str] = [name for name, _, _ in GROUPS]

_FAILURES = (StoryFailed, ClientError, SDKException, ClientException, LookupError, TypeError, AttributeError)


def play(
    scene: Scene,
    only: Collection[str] = (),
    *,
    groups: Sequence[Group] = GROUPS,
    put_back: Callable[[Scene], None] = tidy,
) -> None:
    """Play all steps that can be played here; what comes of them is in the scene's record.

    :param only: names of groups, to play these alone.
    :param put_back: what removes what a step that failed has left.
    """
    numbers = itertools.count(1)
    untidy = False
    for name, shared, modules in groups:
        numbered = [(next(numbers), module) for module in modules]
        if only and name not in only:
            continue
        if untidy:
            put_back(scene)
        state = () if shared is None else (shared(),)
        untidy = False
        for number, module in numbered:
            if getattr(module, "NEEDS_NOVA", False) and scene.nova is None:
                continue
            if untidy:
                scene.record.skip(module.TITLE, "a step before it failed")
                continue
            scene.record.begin(number, module.TITLE)
            try:
                module.play(scene, *state)
            except _FAILURES as error:
                scene.record.check(False, f"{type(error).__name__}: {' '.join(str(error).split())[:400]}")
                untidy = True
            except CannotRun as error:
                # A service that ends by itself ends the run.
                scene.record.check(False, str(error))
                return
