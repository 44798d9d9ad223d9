# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/contracts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flocx_common.api.operation import Answer, Call, Controller, etag, operation
from flocx_common.api.query import ListSpec
from flocx_common.domain.errors import ContractNotFound
from flocx_common.domain.paging import SortKey
from flocx_market.api import views
from flocx_market.api.schemas import contracts as schemas
from flocx_market.api.services import MarketServices
from flocx_market.domain.contract import Contract
from flocx_market.policies import contracts as policy
from flocx_market.ports.store import Viewer
from flocx_market.services import contracts as service

LISTING = ListSpec(
    fields={
        "uuid": "uuid",
        "bid_uuid": "uuid",
        "lessee_project_id": "project",
        "quantity": "integer",
        "start_time": "time",
        "end_time": "time",
        "clearing_price": "price",
        "amount": "price",
        "price_rule": "text",
        "status": "text",
        "status_reason": "text",
        "created_at": "time",
        "updated_at": "time",
    },
    default_sort=(SortKey("created_at"),),
)


class ContractsController(Controller[MarketServices]):
    """All contracts."""

    def below(self, segment: str) -> Controller[MarketServices] | None:
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
    def list(self, call: Call[MarketServices]) -> Answer:
        """List the contracts that the caller is lessee or owner in."""
        call.require({"project_id": call.caller.project_id})
        viewer = Viewer(seen_as(call))
        page = service.list_contracts(call.query, viewer, store=call.services.store)
        names = call.services.names(_projects(*page.items))
        shown = [views.contract(one, names, viewer.project_id) for one in page.items]
        return Answer(body={"contracts": shown, "links": call.next_links(page.items[-1].uuid if page.more else None)})


class ContractController(Controller[MarketServices]):
    """One contract."""

    def __init__(self, services: MarketServices, path: dict[str, str]) -> None:
        super().__init__(services, path)
        self.cancel = CancelController(services, path)
        self.terminate = TerminateController(services, path)

    @operation(
        method="GET",
        path="/v1/contracts/{contract_uuid}",
        summary="Show a contract",
        policy=policy.GET,
        answers={200: schemas.CONTRACT},
    )
    def show(self, call: Call[MarketServices]) -> Answer:
        """Show a contract, or the caller's part of it."""
        contract = service.get_contract(call.path["contract_uuid"], guard=_guard(call), store=call.services.store)
        return _answer(call, contract)


class CancelController(Controller[MarketServices]):
    """Calling a contract off."""

    @operation(
        method="POST",
        path="/v1/contracts/{contract_uuid}/cancel",
        summary="Call a contract off before its start",
        policy=policy.CANCEL,
        answers={200: schemas.CONTRACT},
        statuses=(409, 412),
    )
    def cancel(self, call: Call[MarketServices]) -> Answer:
        """Call a contract off; again is harmless."""
        contract = service.cancel(
            call.path["contract_uuid"], guard=_guard(call), store=call.services.store, now=call.services.clock.now()
        )
        return _answer(call, contract)


class TerminateController(Controller[MarketServices]):
    """Ending a contract early."""

    @operation(
        method="POST",
        path="/v1/contracts/{contract_uuid}/terminate",
        summary="End a running contract",
        policy=policy.TERMINATE,
        answers={200: schemas.CONTRACT},
        statuses=(409, 412),
    )
    def terminate(self, call: Call[MarketServices]) -> Answer:
        """End a contract; again is harmless."""
        contract = service.terminate(
            call.path["contract_uuid"], guard=_guard(call), store=call.services.store, now=call.services.clock.now()
        )
        return _answer(call, contract)


def contract_target(contract: Contract, project_id: str) -> dict[str, str]:
    """Return what policy rules compare a caller with: the lessee, and the owner where the caller is one."""
    owner = project_id if project_id in contract.owners else ""
    return {"lessee_project_id": contract.lessee_project_id, "owner_project_id": owner}


def seen_as(call: Call[MarketServices]) -> str | None:
    """Return the project whose eyes the caller sees contracts with; None for all."""
    return None if call.caller.is_admin else call.caller.project_id


def _guard(call: Call[MarketServices]) -> Callable[[Contract], None]:
    def guard(contract: Contract) -> None:
        hidden = ContractNotFound(f"contract: there is no contract {contract.uuid!r}", field="uuid")
        call.require(contract_target(contract, call.caller.project_id), hidden=(policy.GET, hidden))
        call.match_etag(contract.generation)

    return guard


def _answer(call: Call[MarketServices], contract: Contract) -> Answer:
    names = call.services.names(_projects(contract))
    shown: dict[str, Any] = views.contract(contract, names, seen_as(call))
    return Answer(body=shown, headers={"ETag": etag(contract.generation)})


def _projects(*contracts: Contract) -> set[str]:
    return {project for one in contracts for project in (one.lessee_project_id, *one.owners)}
