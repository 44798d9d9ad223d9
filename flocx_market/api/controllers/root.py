# SPDX-License-Identifier: Apache-2.0
"""The root: which versions there are."""

from __future__ import annotations

from flocx_common.api import discovery
from flocx_common.api.operation import Answer, Call, Controller, operation, operations
from flocx_market.api.controllers.v1.root import V1Controller
from flocx_market.api.services import VERSIONS, MarketServices


class RootController(Controller[MarketServices]):
    """Serves the unversioned root that the catalog points at."""

    def __init__(self, services: MarketServices) -> None:
        super().__init__(services)
        self.v1 = V1Controller(services, lambda: operations(self))

    @operation(method="GET", path="/", summary="List API versions", policy=None, answers={200: discovery.ROOT})
    def show(self, call: Call[MarketServices]) -> Answer:
        """List the versions."""
        version = discovery.version(call.base_url, VERSIONS)
        return Answer(
            body={
                "name": "FLOCX market",
                "description": "Offers, bids and contracts for bare metal.",
                "default_version": version,
                "versions": [version],
            }
        )
