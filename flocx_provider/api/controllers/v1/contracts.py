# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/contracts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flocx_common.api.operation import Answer, Call, Controller, operation
from flocx_common.api.query import ListSpec
from flocx_common.domain.errors import ContractNotFound
from flocx_common.domain.paging import SortKey
from flocx_provider.api import views
from flocx_provider.api.schemas import contracts as schemas
from flocx_provider.api.services import ProviderServices
from flocx_provider.domain.allocation import Allocation, Contract
from flocx_provider.policies import contracts as policy
from flocx_provider.services import contracts as service

LISTING = ListSpec(
    fields={
        "uuid": "uuid",
        "lessee_project_id": "project",
        "start_time": "time",
        "end_time": "time",
        "status": "text",
        "status_reason": "text",
    },
    default_sort=(SortKey("start_time"),),
)


class ContractsController(Controller[ProviderServices]):
    """All contracts on the provider's nodes."""

    def below(self, segment: str) -> Controller[ProviderServices] | None:
        """Return the controller of one contract."""
        return ContractController(self._services, {"contract_uuid": segment})

    @operation(
        method="GET",
        path="/v1/contracts",
        summary="List contracts",
        policy=policy.LIST,
        listing=LISTING,
        answers={200: schemas.CONTRACTS},
    )
    def list(self, call: Call[ProviderServices]) -> Answer:
        """List the contracts that the caller is lessee or owner in."""
        call.require({"project_id": call.caller.project_id})
        viewer, now = _viewer(call), call.services.clock.now()
        page, of = service.list_contracts(call.query, viewer, store=call.services.store)
        names = call.services.names(project for one in page.items for project in _projects(one, of[one.uuid]))
        shown = [views.contract(one, of[one.uuid], names, viewer, now) for one in page.items]
        return Answer(body={"contracts": shown, "links": call.next_links(page.items[-1].uuid if page.more else None)})


class ContractController(Controller[ProviderServices]):
    """One contract."""

    @operation(
        method="GET",
        path="/v1/contracts/{contract_uuid}",
        summary="Show a contract",
        policy=policy.GET,
        answers={200: schemas.CONTRACT},
    )
    def show(self, call: Call[ProviderServices]) -> Answer:
        """Show a contract, or the caller's part of it."""
        contract, allocations = service.get_contract(
            call.path["contract_uuid"], guard=_guard(call), store=call.services.store
        )
        names = call.services.names(_projects(contract, allocations))
        return Answer(body=views.contract(contract, allocations, names, _viewer(call), call.services.clock.now()))


def _viewer(call: Call[ProviderServices]) -> str | None:
    return None if call.caller.is_admin else call.caller.project_id


def _guard(call: Call[ProviderServices]) -> Callable[[Contract, Sequence[Allocation]], None]:
    def guard(contract: Contract, allocations: Sequence[Allocation]) -> None:
        hidden = ContractNotFound(f"contract: there is no contract {contract.uuid!r}", field="uuid")
        caller = call.caller.project_id
        owner = caller if any(allocation.owner_project_id == caller for allocation in allocations) else ""
        target = {"lessee_project_id": contract.lessee_project_id, "owner_project_id": owner}
        call.require(target, hidden=(policy.GET, hidden))

    return guard


def _projects(contract: Contract, allocations: Sequence[Allocation]) -> set[str]:
    return {contract.lessee_project_id, *(allocation.owner_project_id for allocation in allocations)}
