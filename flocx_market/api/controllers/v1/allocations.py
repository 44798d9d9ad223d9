# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/allocations."""

from __future__ import annotations

from collections.abc import Callable

from flocx_common.api.events import CURSOR_PARAMETERS, RETRY_AFTER, cursor_limit
from flocx_common.api.long_poll import Changes
from flocx_common.api.operation import Answer, Call, Controller, operation
from flocx_common.api.query import Parameter
from flocx_common.api.values import time_from, uuid_from
from flocx_common.domain.errors import AllocationNotFound, Invalid, ProviderNotFound
from flocx_common.domain.paging import cursor_text
from flocx_market.api import views
from flocx_market.api.controllers.v1.speaking import speaking_provider
from flocx_market.api.schemas import contracts as schemas
from flocx_market.api.services import MarketServices
from flocx_market.domain.contract import Allocation, AllocationStatus, Contract
from flocx_market.policies import allocations as policy
from flocx_market.ports.store import AllocationChange
from flocx_market.services import contracts as service

_PARAMETERS = {
    **CURSOR_PARAMETERS,
    "provider_uuid": Parameter(
        uuid_from, {"type": "string", "description": "The provider; must be the one the caller speaks for."}
    ),
}


class AllocationsController(Controller[MarketServices]):
    """The changes of a provider's allocations."""

    def below(self, segment: str) -> Controller[MarketServices] | None:
        """Return the controller of one allocation."""
        return AllocationController(self._services, {"allocation_uuid": segment})

    @operation(
        method="GET",
        path="/v1/allocations",
        summary="Read the changes of a provider's allocations",
        policy=policy.LIST,
        parameters=_PARAMETERS,
        answers={200: schemas.CHANGES},
        statuses=(404,),
    )
    def list(self, call: Call[MarketServices]) -> Answer:
        """Return allocations that changed after a cursor, in order; may wait for one."""
        call.require({})
        provider, wanted = speaking_provider(call), call.parameters.get("provider_uuid")
        if wanted not in (None, provider.uuid):
            raise ProviderNotFound(f"provider_uuid: there is no provider {wanted!r}", field="provider_uuid")
        since, limit = call.parameters.get("since", 0), cursor_limit(call)

        def read() -> Changes[AllocationChange]:
            return Changes(*service.changes_since(provider, since, limit, store=call.services.store))

        changes, crowded = call.services.long_polls.read(read, call.parameters.get("wait", 0))
        names = call.services.names(
            project
            for one in changes.items
            for project in (one.contract.lessee_project_id, one.allocation.owner_project_id)
        )
        last = changes.items[-1].number if changes.items else changes.place
        body = {
            "allocations": [views.allocation_change(one, names) for one in changes.items],
            "next_since": cursor_text(last),
            "links": [],
        }
        return Answer(body=body, headers={"Retry-After": RETRY_AFTER} if crowded else {})


class AllocationController(Controller[MarketServices]):
    """One allocation."""

    def __init__(self, services: MarketServices, path: dict[str, str]) -> None:
        super().__init__(services, path)
        self.release = ReleaseController(services, path)

    @operation(
        method="PATCH",
        path="/v1/allocations/{allocation_uuid}",
        summary="Report on an allocation",
        policy=policy.UPDATE,
        body=schemas.REPORT,
        answers={200: schemas.ALLOCATION},
        statuses=(409,),
    )
    def report(self, call: Call[MarketServices]) -> Answer:
        """Take a provider's report; the same again is harmless."""
        call.require({})
        body = call.body
        if body["status"] != "failed" and body.get("breach"):
            raise Invalid("breach: only a failed allocation can be a breach", field="breach")
        told = service.Report(
            status=AllocationStatus(body["status"]),
            reason=body.get("reason"),
            at=time_from(body["at"], "at") if "at" in body else None,
            breach=body.get("breach", False),
        )
        allocation = service.report(
            call.path["allocation_uuid"],
            told,
            speaking_provider(call),
            store=call.services.store,
            now=call.services.clock.now(),
        )
        return _answer(call, allocation)


class ReleaseController(Controller[MarketServices]):
    """Giving a node back, or taking it back early."""

    @operation(
        method="POST",
        path="/v1/allocations/{allocation_uuid}/release",
        summary="Give a node back, or take it back early",
        policy=policy.RELEASE,
        answers={200: schemas.ALLOCATION},
        statuses=(409,),
    )
    def release(self, call: Call[MarketServices]) -> Answer:
        """Give a node back as its lessee; as its owner's manager, take it back: a breach."""
        uuid, store, now = call.path["allocation_uuid"], call.services.store, call.services.clock.now()
        guard = _guard(call, uuid)
        contract = service.contract_of(uuid, guard=guard, store=store)
        owns = contract.allocation(uuid).owner_project_id == call.caller.project_id
        act = service.take_back_early if owns else service.give_back
        return _answer(call, act(uuid, guard=guard, store=store, now=now))


def _guard(call: Call[MarketServices], uuid: str) -> Callable[[Contract], None]:
    def guard(contract: Contract) -> None:
        hidden = AllocationNotFound(f"allocation: there is no allocation {uuid!r}", field="uuid")
        target = {
            "lessee_project_id": contract.lessee_project_id,
            "owner_project_id": contract.allocation(uuid).owner_project_id,
        }
        call.require(target, hidden=(policy.GET, hidden))

    return guard


def _answer(call: Call[MarketServices], allocation: Allocation) -> Answer:
    return Answer(body=views.allocation(allocation, call.services.names([allocation.owner_project_id])))
