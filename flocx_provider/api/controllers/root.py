# SPDX-License-Identifier: Apache-2.0
"""The root: which versions there are."""

from __future__ import annotations

from flocx_common.api import discovery
from flocx_common.api.operation import Answer, Call, Controller, operation, operations
from flocx_provider.api.controllers.v1.root import V1Controller
from flocx_provider.api.services import VERSIONS, ProviderServices


class RootController(Controller[ProviderServices]):
    """Serves the unversioned root that the catalog points at."""

    def __init__(self, services: ProviderServices) -> None:
        super().__init__(services)
        self.v1 = V1Controller(services, lambda: operations(self))

    @operation(method="GET", path="/", summary="List API versions", policy=None, answers={200: discovery.ROOT})
    def show(self, call: Call[ProviderServices]) -> Answer:
        """List the versions."""
        version = discovery.version(call.base_url, VERSIONS)
        return Answer(
            body={
                "name": "FLOCX provider",
                "description": "The bare metal of one cloud, offered to the market.",
                "default_version": version,
                "versions": [version],
            }
        )
