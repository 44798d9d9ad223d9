# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the plugin's tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.unit.devstack.stack import Stack, generate_samples


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """The sample configurations, as the plugin would generate them."""
    return generate_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture
def stack(samples, tmp_path) -> Callable[..., Stack]:
    """Make a machine."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    number = iter(range(10))

    def make(**settings) -> Stack:
        root = tmp_path / f"machine-{next(number)}"
        root.mkdir()
        return Stack(root, samples, **settings)

    return make
