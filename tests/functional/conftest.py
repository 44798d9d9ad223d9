# SPDX-License-Identifier: Apache-2.0
"""Fixtures of functional tests: markets in this process."""

from __future__ import annotations

import pytest

from flocx_common.testing.clock import FrozenClock
from tests.builders import NOW
from tests.harness import MarketHarness


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands at NOW."""
    return FrozenClock(NOW)


@pytest.fixture
def market(tmp_path, sqlite_market, clock) -> MarketHarness:
    """A market without offers, on SQLite."""
    return MarketHarness(tmp_path, sqlite_market.renew(), sqlite_market.url, clock)


@pytest.fixture
def any_market(tmp_path, migrated_market, clock) -> MarketHarness:
    """A market without offers, on every kind of database."""
    return MarketHarness(tmp_path, migrated_market.renew(), migrated_market.url, clock)
