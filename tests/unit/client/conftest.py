# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the client's tests: a service that says what it is told to, and clients of it."""

from __future__ import annotations

import pytest

from flocx_client.market import MarketClient
from flocx_client.provider import ProviderClient
from tests.unit.client.services import URL, FakeService


@pytest.fixture
def service() -> FakeService:
    """A service that has nothing to say yet."""
    return FakeService()


@pytest.fixture
def market(service) -> MarketClient:
    """A client of the service as a market."""
    return MarketClient(service.session(), endpoint_override=URL, retry_delay=0.001)


@pytest.fixture
def provider(service) -> ProviderClient:
    """A client of the service as a provider."""
    return ProviderClient(service.session(), endpoint_override=URL, retry_delay=0.001)
