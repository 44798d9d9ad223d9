# SPDX-License-Identifier: Apache-2.0
"""What lessees, owners and providers do with contracts and allocations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flocx_common.domain.errors import AllocationNotFound, ContractNotFound
from flocx_common.domain.paging import ListQuery, Page
from flocx_common.services.events import known_place
from flocx_market.domain import lifecycle
from flocx_market.domain.contract import Allocation, AllocationStatus, Contract, ContractStatus
from flocx_market.domain.lifecycle import Change
from flocx_market.domain.provider import Provider
from flocx_market.ports.store import AllocationChange, Store, UnitOfWork, Viewer

Guard = Callable[[Contract], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a provider tells of an allocation.

    ``at`` is when it happened: the instant of the hand-over, or the end of the
    use; None stands for now.
    """

    status: AllocationStatus
    reason: str | None = None
    at: datetime | None = None
    breach: bool = False


def get_contract(uuid: str, *, guard: Guard, store: Store) -> Contract:
    """Return a contract.

    :raises ContractNotFound: there is none, or ``guard`` hides it.
    """
    return store.read(lambda uow: _guarded(uow.contracts.get(uuid), uuid, guard))


def list_contracts(query: ListQuery, viewer: Viewer, *, store: Store) -> Page[Contract]:
    """Return a page of the contracts that ``viewer`` is lessee or owner in."""
    return store.read(lambda uow: uow.contracts.page(query, viewer))


def cancel(uuid: str, *, guard: Guard, store: Store, now: datetime) -> Contract:
    """Call a contract off before its start, as its lessee.

    :raises ContractNotFound: there is none, or ``guard`` hides it.
    :raises InvalidTransition: it is not waiting for its start.
    :raises HandedOver: a node is already handed over.
    """

    def work(uow: UnitOfWork) -> Contract:
        contract = _guarded(uow.contracts.get(uuid), uuid, guard)
        if contract.status is ContractStatus.CANCELLED:
            return contract
        return save(uow, contract, lifecycle.cancel(contract, now), now)

    return store.write(work)


def terminate(uuid: str, *, guard: Guard, store: Store, now: datetime) -> Contract:
    """End a running contract now, as its lessee.

    :raises ContractNotFound: there is none, or ``guard`` hides it.
    :raises InvalidTransition: no node of it is handed over.
    """

    def work(uow: UnitOfWork) -> Contract:
        contract = _guarded(uow.contracts.get(uuid), uuid, guard)
        if contract.status is ContractStatus.TERMINATED:
            return contract
        return save(uow, contract, lifecycle.terminate(contract, now), now)

    return store.write(work)


def contract_of(allocation_uuid: str, *, guard: Guard, store: Store) -> Contract:
    """Return the contract that an allocation belongs to.

    :raises AllocationNotFound: there is none, or ``guard`` hides it.
    """
    return store.read(lambda uow: _of_allocation(uow, allocation_uuid, guard))


def give_back(allocation_uuid: str, *, guard: Guard, store: Store, now: datetime) -> Allocation:
    """Give a node back before its end, as the lessee.

    :raises AllocationNotFound: there is none, or ``guard`` hides it.
    :raises InvalidTransition: it has ended.
    """
    return _change_allocation(
        allocation_uuid, lambda contract: lifecycle.give_back(contract, allocation_uuid, now), guard, store, now
    )


def take_back_early(allocation_uuid: str, *, guard: Guard, store: Store, now: datetime) -> Allocation:
    """Take a node back before its end, as its owner: a breach, and the node is replaced like a failed one.

    :raises AllocationNotFound: there is none, or ``guard`` hides it.
    :raises InvalidTransition: it has ended.
    """
    reason = "taken back early by its owner"
    return _change_allocation(
        allocation_uuid,
        lambda contract: lifecycle.fail_allocation(contract, allocation_uuid, reason, now, breach=True),
        guard,
        store,
        now,
    )


def report(allocation_uuid: str, told: Report, provider: Provider, *, store: Store, now: datetime) -> Allocation:
    """Take a provider's report of what it did with a node; the same report again changes nothing.

    :raises AllocationNotFound: the provider has no such allocation.
    :raises InvalidTransition, AlreadyOver, StillRunning: it cannot be so now.
    """

    def theirs(contract: Contract) -> None:
        if contract.allocation(allocation_uuid).provider_uuid != provider.uuid:
            raise AllocationNotFound(f"allocation: there is no allocation {allocation_uuid!r}", field="uuid")

    def change(contract: Contract) -> Change:
        # A provider's clock may be ahead of ours; nothing happens in the future.
        at = min(told.at, now) if told.at is not None else now
        match told.status:
            case AllocationStatus.ACKNOWLEDGED:
                return lifecycle.acknowledge(contract, allocation_uuid, now)
            case AllocationStatus.ACTIVE:
                return lifecycle.hand_over(contract, allocation_uuid, at, now)
            case AllocationStatus.RELEASED:
                return lifecycle.take_back(contract, allocation_uuid, at, now)
            case _:
                reason = told.reason or "its provider gave no reason"
                return lifecycle.fail_allocation(
                    contract, allocation_uuid, reason, now, failed_at=at, breach=told.breach
                )

    return _change_allocation(allocation_uuid, change, theirs, store, now)


def changes_since(
    provider: Provider, since: int, limit: int, *, store: Store
) -> tuple[Sequence[AllocationChange], int]:
    """Return a provider's allocations that changed after a place, in order, and the place of the snapshot.

    :raises CursorInvalid: the place lies beyond everything there is.
    """

    def work(uow: UnitOfWork) -> tuple[Sequence[AllocationChange], int]:
        place = known_place(uow, since)
        return uow.contracts.changed(provider.uuid, since, limit), place

    return store.read(work)


def save(uow: UnitOfWork, before: Contract, change: Change, now: datetime) -> Contract:
    """Store a changed contract with its events; reopen its bid where the rules say so."""
    if change.contract == before:
        return before
    uow.contracts.update(change.contract)
    uow.record(*change.events)
    if change.contract.status is ContractStatus.FAILED and lifecycle.undelivered(change.contract):
        _reopen_bid(uow, change.contract, now)
    return replace(change.contract, generation=before.generation + 1)


def _reopen_bid(uow: UnitOfWork, contract: Contract, now: datetime) -> None:
    bid = uow.bids.get(contract.bid_uuid)
    if bid is None or not bid.servable(now, 0):
        return
    reopened = bid.after("reopen", now, f"its contract failed: {contract.status_reason}")
    uow.bids.update(reopened)
    uow.record(reopened.told("bid.reopened", now))


def _change_allocation(
    uuid: str, change: Callable[[Contract], Change], guard: Guard, store: Store, now: datetime
) -> Allocation:
    def work(uow: UnitOfWork) -> Allocation:
        contract = _of_allocation(uow, uuid, guard)
        return save(uow, contract, change(contract), now).allocation(uuid)

    return store.write(work)


def _of_allocation(uow: UnitOfWork, uuid: str, guard: Guard) -> Contract:
    contract = uow.contracts.with_allocation(uuid)
    if contract is None:
        raise AllocationNotFound(f"allocation: there is no allocation {uuid!r}", field="uuid")
    guard(contract)
    return contract


def _guarded(contract: Contract | None, uuid: str, guard: Guard) -> Contract:
    if contract is None:
        raise ContractNotFound(f"contract: there is no contract {uuid!r}", field="uuid")
    guard(contract)
    return contract
