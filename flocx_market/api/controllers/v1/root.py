# SPDX-License-Identifier: Apache-2.0
"""The root of version 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flocx_common.api import discovery
from flocx_common.api.document import OpenApiController
from flocx_common.api.events import events_controller
from flocx_common.api.operation import Answer, Call, Controller, Operation, operation
from flocx_market.api.controllers.v1.allocations import AllocationsController
from flocx_market.api.controllers.v1.bids import BidsController
from flocx_market.api.controllers.v1.capacity import CapacityController
from flocx_market.api.controllers.v1.contracts import ContractsController
from flocx_market.api.controllers.v1.offers import OffersController
from flocx_market.api.controllers.v1.providers import ProvidersController
from flocx_market.api.services import SERVICE_TYPE, VERSIONS, MarketServices
from flocx_market.policies import events as event_policy


class V1Controller(Controller[MarketServices]):
    """Version 1."""

    def __init__(self, services: MarketServices, served: Callable[[], Iterable[Operation]]) -> None:
        super().__init__(services)
        self.bids = BidsController(services)
        self.offers = OffersController(services)
        self.contracts = ContractsController(services)
        self.allocations = AllocationsController(services)
        self.providers = ProvidersController(services)
        self.capacity = CapacityController(services)
        self.events = events_controller(event_policy.LIST)(services)
        document = OpenApiController(
            services, served, title="FLOCX market", service_type=SERVICE_TYPE, versions=VERSIONS
        )
        # A path segment that cannot be written as a name.
        setattr(self, "openapi.json", document)

    @operation(
        method="GET",
        path="/v1/",
        summary="Show version 1",
        policy=None,
        answers={200: discovery.v1_schema({"price_unit": {"type": "string"}})},
    )
    def show(self, call: Call[MarketServices]) -> Answer:
        """Show the version."""
        version = discovery.version(call.base_url, VERSIONS)
        unit = call.services.price_unit
        return Answer(body={"id": "v1", "version": version, "links": version["links"], "price_unit": unit})
