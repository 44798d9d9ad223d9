# SPDX-License-Identifier: Apache-2.0
"""The named operations on a contract: each returns the changed contract and the events it makes.

Nothing here is done twice by being asked twice: an operation whose outcome is
already there returns the contract unchanged and no event. A forbidden one
raises and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flocx_common.domain.clock import ceil_second, floor_second
from flocx_common.domain.errors import Conflict, InvalidTransition
from flocx_common.domain.events import Event, projects
from flocx_common.domain.json_values import JSON
from flocx_market.domain.contract import (
    LIVE,
    Allocation,
    AllocationStatus,
    Contract,
    ContractStatus,
)


@dataclass(frozen=True, slots=True)
class Change:
    """A contract after an operation, and the events that tell of it."""

    contract: Contract
    events: tuple[Event, ...] = ()

    def then(self, later: Change) -> Change:
        """Return both changes as one; ``later`` was made from this one's contract."""
        return Change(later.contract, self.events + later.events)


class HandedOver(Conflict):
    """A contract of which a node is handed over can only be terminated."""

    code = "flocx.contract.handed_over"
    title = "A node is already handed over"


class StillRunning(Conflict):
    """A provider gives a node back before the allocation has ended."""

    code = "flocx.allocation.still_running"
    title = "The allocation has not ended"


class AlreadyOver(Conflict):
    """The allocation's time is over."""

    code = "flocx.allocation.over"
    title = "The allocation is over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long the market waits: for a late hand-over, for a replacement, before the end to say so."""

    delivery: timedelta
    replacement: timedelta
    notice: timedelta


def formed(contract: Contract) -> Change:
    """Announce a new contract and its allocations."""
    now = contract.created_at
    return Change(
        contract,
        (_told(contract, "created", now), *(_told_of(contract, a, "created", now) for a in contract.allocations)),
    )


def acknowledge(contract: Contract, uuid: str, now: datetime) -> Change:
    """The provider has pulled an allocation.

    :raises InvalidTransition: it has ended.
    """
    allocation = contract.allocation(uuid)
    if allocation.status in (AllocationStatus.ACKNOWLEDGED, AllocationStatus.ACTIVE):
        return Change(contract)
    after = allocation.after("acknowledge", now)
    return Change(contract.having(after, now=now), (_told_of(contract, after, "acknowledged", now),))


def hand_over(contract: Contract, uuid: str, delivered_from: datetime, now: datetime) -> Change:
    """The provider has handed a node over; the contract is active once all its nodes are.

    Time before ``delivered_from`` (rounded up to the second) is not charged.

    :raises InvalidTransition: the allocation has ended.
    :raises AlreadyOver: its time is over.
    """
    allocation = contract.allocation(uuid)
    if allocation.status is AllocationStatus.ACTIVE:
        return Change(contract)
    after = allocation.after("hand_over", now)
    begin = max(ceil_second(delivered_from), allocation.start_time)
    if begin >= allocation.end_time or not contract.binding:
        raise AlreadyOver(f"status: allocation {uuid} ended at {allocation.end_time.isoformat()}", field="status")
    after = replace(after, delivered_from=begin)
    change = Change(contract.having(after, now=now), (_told_of(contract, after, "activated", now),))
    return _activated(change, now)


def take_back(contract: Contract, uuid: str, delivered_until: datetime, now: datetime) -> Change:
    """The provider has taken a node back after its end; the last one completes the contract.

    :raises StillRunning: the allocation's end has not come.
    :raises InvalidTransition: the allocation was not handed over, or has failed.
    """
    allocation = contract.allocation(uuid)
    if allocation.status is AllocationStatus.RELEASED:
        return Change(contract)
    after = allocation.after("release", now)
    if allocation.status is not AllocationStatus.ACTIVE:
        raise InvalidTransition("allocation", str(allocation.status), "release", (str(AllocationStatus.ACTIVE),))
    if now < allocation.end_time:
        raise StillRunning(
            f"status: allocation {uuid} runs until {allocation.end_time.isoformat()}; report failed, with the reason, "
            "if the node cannot be kept",
            field="status",
        )
    if after.delivered_until is None:
        after = replace(after, delivered_until=_within(delivered_until, after))
    change = Change(contract.having(after, now=now), (_told_of(contract, after, "released", now),))
    return _completed(change, now)


def fail_allocation(
    contract: Contract,
    uuid: str,
    reason: str,
    now: datetime,
    *,
    failed_at: datetime | None = None,
    breach: bool = False,
) -> Change:
    """A node could not be delivered or was taken away; a replacement is sought from now on.

    What was delivered up to ``failed_at`` is charged, nothing else.

    :param breach: the node's owner is to blame.
    :raises InvalidTransition: the allocation has ended.
    """
    allocation = contract.allocation(uuid)
    if allocation.status in (AllocationStatus.FAILED, AllocationStatus.REPLACED):
        return Change(contract)
    after = allocation.after("fail", now, reason)
    if after.delivered_from is not None and after.delivered_until is None:
        until = _within(failed_at or now, after)
        after = replace(after, delivered_until=until, end_time=until)
    if contract.binding and allocation.counts:
        after = replace(after, replacement_sought_since=now)
    event = _told_of(contract, after, "failed", now, reason, {"breach": breach})
    return Change(contract.having(after, now=now), (event,))


def replace_allocation(contract: Contract, uuid: str, successor: Allocation, now: datetime) -> Change:
    """The market has put another node in the place of a failed one.

    :raises InvalidTransition: the allocation has not failed.
    """
    gone = replace(contract.allocation(uuid).after("replace", now), replacement_sought_since=None)
    gone = replace(gone, status_reason=contract.allocation(uuid).status_reason)
    changed = contract.having(gone, successor, now=now)
    detail: Mapping[str, JSON] = {"successor_uuid": successor.uuid}
    events = (_told_of(changed, gone, "replaced", now, None, detail), _told_of(changed, successor, "created", now))
    return Change(changed, events)


def give_up_replacing(contract: Contract, uuids: Sequence[str], now: datetime) -> Change:
    """No replacement was found for these failed nodes: the contract is made smaller, or fails."""
    given_up = [replace(contract.allocation(uuid), replacement_sought_since=None) for uuid in uuids]
    if not given_up:
        return Change(contract)
    reason = "; ".join(sorted({a.status_reason or "a node could not be delivered" for a in given_up}))
    return _shrunk(contract.having(*given_up, now=now), reason, now, last="fail")


def give_back(contract: Contract, uuid: str, now: datetime) -> Change:
    """The lessee gives a node back; giving back the last one ends the contract.

    :raises InvalidTransition: the allocation or the contract has ended.
    """
    allocation = contract.allocation(uuid)
    reason = "given back by the lessee"
    if not contract.binding or allocation.status not in LIVE:
        raise InvalidTransition("allocation", str(allocation.status), "release", ())
    if allocation.end_time <= now:
        return Change(contract)
    if allocation.status is AllocationStatus.ACTIVE:
        end = _ends_now(allocation, now)
        after = replace(
            allocation, end_time=end, delivered_until=_until(end, allocation), status_reason=reason, updated_at=now
        )
        event = _told_of(contract, after, "given_back", now, reason)
    else:
        after = allocation.after("release", now, reason)
        event = _told_of(contract, after, "released", now, reason)
    change = Change(contract.having(after, now=now), (event,))
    last = "cancel" if undelivered(contract) else "terminate"
    return change.then(_shrunk(change.contract, reason, now, last=last))


def cancel(contract: Contract, now: datetime) -> Change:
    """The lessee calls the contract off before any node is handed over.

    :raises InvalidTransition: the contract is not waiting for its start.
    :raises HandedOver: a node is already handed over.
    """
    if contract.status is ContractStatus.CREATED:
        _refuse_handed_over(contract)
    return _called_off(contract, "cancelled by the lessee", now)


def terminate(contract: Contract, now: datetime) -> Change:
    """The lessee ends the contract early: its nodes are taken back from now on.

    :raises InvalidTransition: no node of the contract is handed over.
    """
    reason = "terminated by the lessee"
    change = _activated_as_it_is(contract, now) if _handed_over(contract) else Change(contract)
    ended = change.contract.after("terminate", now, reason)
    end = _ends_now(ended, now)
    ended = replace(ended, end_time=end).having(*_ended(ended, end, reason, now), now=now)
    return change.then(Change(ended, (_told(ended, "terminated", now, reason),)))


def sweep(contract: Contract, now: datetime, timeouts: Timeouts) -> Change:
    """Return the contract after what only the passing of time brings about.

    Nodes that were not handed over in time fail; when the end has come nothing
    more is waited for; a contract whose nodes are all settled is completed.
    """
    change = Change(contract)
    if not contract.binding:
        return change
    over = contract.end_time <= now
    for allocation in contract.allocations:
        late = allocation.status in (AllocationStatus.CREATED, AllocationStatus.ACKNOWLEDGED) and (
            over or allocation.start_time + timeouts.delivery <= now
        )
        if late:
            change = change.then(
                fail_allocation(change.contract, allocation.uuid, "its provider did not hand it over in time", now)
            )
    if over:
        change = change.then(give_up_replacing(change.contract, sought(change.contract), now))
    return _completed(change, now)


def warn(contract: Contract, now: datetime, timeouts: Timeouts) -> Change:
    """Tell both sides, once, that an active contract ends soon."""
    due = contract.status is ContractStatus.ACTIVE and contract.notified_at is None
    if not due or now < contract.end_time - timeouts.notice or now >= contract.end_time:
        return Change(contract)
    detail: Mapping[str, JSON] = {"end_time": contract.end_time.isoformat().replace("+00:00", "Z")}
    event = _told(contract, "ending", now, f"it ends at {detail['end_time']}", detail)
    return Change(replace(contract, notified_at=now, updated_at=now), (event,))


def sought(contract: Contract) -> tuple[str, ...]:
    """Return the uuids of the failed allocations a replacement is sought for."""
    return tuple(a.uuid for a in contract.allocations if a.replacement_sought_since is not None)


def undelivered(contract: Contract) -> bool:
    """Tell whether no node of the contract was ever handed over."""
    return all(allocation.delivered_from is None for allocation in contract.allocations)


def _handed_over(contract: Contract) -> list[Allocation]:
    return [a for a in contract.allocations if a.status is AllocationStatus.ACTIVE]


def _refuse_handed_over(contract: Contract) -> None:
    there = _handed_over(contract)
    if there:
        name = there[0].node_name or there[0].node_uuid
        raise HandedOver(f"status: node {name} is already handed over; terminate the contract instead", field="status")


def _called_off(contract: Contract, reason: str, now: datetime) -> Change:
    ended = contract.after("cancel", now, reason)
    ended = ended.having(*_ended(ended, ended.end_time, reason, now), now=now)
    return Change(ended, (_told(ended, "cancelled", now, reason),))


def _ended(contract: Contract, end: datetime, reason: str, now: datetime) -> list[Allocation]:
    """Return the allocations as they are when their contract ends at ``end``."""
    changed = []
    for allocation in contract.allocations:
        if allocation.status is AllocationStatus.ACTIVE:
            cut = min(end, allocation.end_time)
            changed.append(
                replace(
                    allocation,
                    end_time=cut,
                    delivered_until=_until(cut, allocation),
                    status_reason=reason,
                    updated_at=now,
                )
            )
        elif allocation.status in LIVE:
            changed.append(allocation.after("release", now, reason))
        elif allocation.replacement_sought_since is not None:
            changed.append(replace(allocation, replacement_sought_since=None))
    return changed


def _shrunk(contract: Contract, reason: str, now: datetime, *, last: str) -> Change:
    """Set ``quantity`` to the nodes that are left; with none left the contract ends by ``last``."""
    left = sum(1 for a in contract.allocations if a.counts)
    if left == contract.quantity:
        return Change(contract)
    if left == 0:
        change = _activated_as_it_is(contract, now) if last == "terminate" else Change(contract)
        ended = change.contract.after(last, now, reason)
        if last == "terminate":
            ended = replace(ended, end_time=_ends_now(ended, now))
        return change.then(Change(ended, (_told(ended, _PAST[last], now, reason),)))
    smaller = replace(contract, quantity=left, updated_at=now)
    detail: Mapping[str, JSON] = {"quantity_before": contract.quantity, "quantity": left}
    return _activated(Change(smaller, (_told(smaller, "reduced", now, reason, detail),)), now)


_PAST = {"fail": "failed", "terminate": "terminated", "cancel": "cancelled"}


def _activated_as_it_is(contract: Contract, now: datetime) -> Change:
    """Activate a contract of which some nodes are there and others still on their way."""
    if contract.status is not ContractStatus.CREATED:
        return Change(contract)
    active = contract.after("activate", now, "not all nodes were handed over")
    return Change(active, (_told(active, "activated", now, active.status_reason),))


def _activated(change: Change, now: datetime) -> Change:
    contract = change.contract
    waiting = [a for a in contract.allocations if a.counts and a.status is not AllocationStatus.ACTIVE]
    if contract.status is not ContractStatus.CREATED or waiting:
        return change
    active = contract.after("activate", now)
    return change.then(Change(active, (_told(active, "activated", now),)))


def _completed(change: Change, now: datetime) -> Change:
    contract = change.contract
    unsettled = any(a.live or a.counts for a in contract.allocations)
    if contract.status is not ContractStatus.ACTIVE or contract.end_time > now or unsettled:
        return change
    done = contract.after("complete", now)
    return change.then(Change(done, (_told(done, "completed", now),)))


def _ends_now(thing: Contract | Allocation, now: datetime) -> datetime:
    """Return the end of what ends now, earlier than agreed.

    A provider whose clock is ahead may hand over before the start; what ends
    before it has no time at all, not less.
    """
    return max(thing.start_time, min(ceil_second(now), thing.end_time))


def _within(instant: datetime, allocation: Allocation) -> datetime:
    """Return when charging stops for a node that was used until ``instant``."""
    return _until(min(floor_second(instant), allocation.end_time), allocation)


def _until(instant: datetime, allocation: Allocation) -> datetime:
    assert allocation.delivered_from is not None
    return max(instant, allocation.delivered_from)


def _told(
    contract: Contract, what: str, now: datetime, reason: str | None = None, detail: Mapping[str, JSON] | None = None
) -> Event:
    return Event(
        event_type=f"contract.{what}",
        entity_uuid=contract.uuid,
        project_ids=projects(contract.lessee_project_id, more=contract.owners),
        occurred_at=now,
        reason=reason,
        detail={"bid_uuid": contract.bid_uuid, **(detail or {})},
    )


def _told_of(
    contract: Contract,
    allocation: Allocation,
    what: str,
    now: datetime,
    reason: str | None = None,
    detail: Mapping[str, JSON] | None = None,
) -> Event:
    return Event(
        event_type=f"allocation.{what}",
        entity_uuid=allocation.uuid,
        project_ids=projects(contract.lessee_project_id, allocation.owner_project_id),
        occurred_at=now,
        reason=reason,
        detail={"contract_uuid": contract.uuid, "node_uuid": allocation.node_uuid, **(detail or {})},
    )
