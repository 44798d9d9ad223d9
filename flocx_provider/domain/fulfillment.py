# SPDX-License-Identifier: Apache-2.0
"""Reconciling a node with what the market wants of it: what is, what should be, what to do next.

Decisions look only at the allocation, the node and the time, never at what was
done before. So a round may stop at any instant, or be run twice, and the next
one goes on from what it finds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from flocx_provider.domain.allocation import Allocation, AllocationStatus
from flocx_provider.domain.node import NodeFacts

_OCCUPIED = "an instance is on the node"


class Action(Enum):
    """The next thing to do for an allocation."""

    #: Nothing now.
    NOTHING = auto()
    #: Something is in the way; look again in the next round.
    WAIT = auto()
    #: Give the node our mark and the lessee.
    ASSIGN = auto()
    #: The node is the lessee's: write it down.
    RECORD_ACTIVE = auto()
    #: Take the lessee away; our mark stays.
    REMOVE_LESSEE = auto()
    #: Undo what is still deployed, as its own service would.
    UNDEPLOY = auto()
    #: Undo it without asking anybody, as that took too long.
    UNDEPLOY_DIRECTLY = auto()
    #: Take our mark away.
    REMOVE_MARK = auto()
    #: The node carries nothing of ours: write it down.
    RECORD_RELEASED = auto()
    #: It failed before and its node is clean now: write it down.
    RECORD_SETTLED = auto()
    #: It could not be done: write it down, with the reason.
    FAIL = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next, why, and whether the owner is to blame."""

    action: Action
    reason: str | None = None
    breach: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentRules:
    """How a provider hands over and takes back.

    ``delivery_timeout``: how long after its start a hand-over may take.
    ``take_back_timeout``: how long the service that deployed something has for
    removing it, before that is done without it.
    ``undeploy``: whether what a lessee left deployed is removed.
    ``release_delay``: how long a node keeps our mark after its end, so that what
    a lessee began at the last moment still shows and is removed.
    ``notice``: how long before an end it is announced.
    """

    delivery_timeout: timedelta
    take_back_timeout: timedelta
    undeploy: bool
    release_delay: timedelta
    notice: timedelta


def decide(allocation: Allocation, node: NodeFacts | None, now: datetime, rules: FulfillmentRules) -> Decision:
    """Return what to do next for an allocation that is not settled.

    :param node: what the inventory says of its node; None when it is gone.
    """
    if allocation.status in (AllocationStatus.FAILED, AllocationStatus.RELEASED):
        return _take_back(allocation, node, now, rules, Decision(Action.RECORD_SETTLED))
    if allocation.over(now):
        if allocation.status is AllocationStatus.ACKNOWLEDGED and allocation.wanted:
            undelivered = Decision(Action.FAIL, allocation.trouble or "it could not be handed over before its end")
            return _take_back(allocation, node, now, rules, undelivered)
        return _take_back(allocation, node, now, rules, Decision(Action.RECORD_RELEASED))
    if now < allocation.start_time:
        return Decision(Action.NOTHING)
    if allocation.status is AllocationStatus.ACTIVE:
        return _keep(allocation, node, now, rules)
    return _hand_over(allocation, node, now, rules)


def due(allocations: Iterable[Allocation], now: datetime, rules: FulfillmentRules) -> datetime | None:
    """Return the next instant at which something is to be done by the clock alone."""
    instants = [
        instant
        for allocation in allocations
        for instant in (
            allocation.start_time,
            allocation.end_time,
            allocation.end_time + rules.release_delay,
            allocation.end_time - rules.notice if allocation.noticed_at is None else allocation.end_time,
            allocation.deadline(rules.delivery_timeout),
        )
        if instant > now
    ]
    return min(instants, default=None)


def in_order(allocations: Iterable[Allocation], now: datetime) -> list[Allocation]:
    """Return allocations with ends before starts, so that back-to-back contracts change hands in one round."""
    return sorted(allocations, key=lambda a: (not a.over(now), a.start_time, a.uuid))


def ending(allocation: Allocation, now: datetime, rules: FulfillmentRules) -> bool:
    """Tell whether the end of a running allocation is to be announced now."""
    return (
        allocation.status is AllocationStatus.ACTIVE
        and allocation.noticed_at is None
        and not allocation.over(now)
        and now >= allocation.end_time - rules.notice
    )


def _hand_over(allocation: Allocation, node: NodeFacts | None, now: datetime, rules: FulfillmentRules) -> Decision:
    obstacle = _obstacle(allocation, node)
    if obstacle is None:
        assert node is not None
        if node.contract_uuid == allocation.contract_uuid and node.lessee_project_id == allocation.lessee_project_id:
            return Decision(Action.RECORD_ACTIVE)
        return Decision(Action.ASSIGN, "the node does not show what was written to it")
    if now >= allocation.deadline(rules.delivery_timeout):
        # What the owner runs on the node is the owner's breach, and never touched.
        return Decision(Action.FAIL, obstacle, breach=obstacle == _OCCUPIED)
    return Decision(Action.WAIT, obstacle)


def _obstacle(allocation: Allocation, node: NodeFacts | None) -> str | None:
    """Return what keeps a node from being handed over, in words, or None."""
    if node is None:
        return "the node is gone from the inventory"
    ours = node.contract_uuid == allocation.contract_uuid
    if node.contract_uuid is not None and not ours:
        return f"the node carries the mark of contract {node.contract_uuid}"
    if node.lessee_project_id is not None and not (ours and node.lessee_project_id == allocation.lessee_project_id):
        return "the node carries a lessee that FLOCX did not set"
    if node.unfit is not None:
        return node.unfit
    if node.busy is not None:
        return f"the node is {node.busy}"
    if node.deployed and not ours:
        return _OCCUPIED
    return None


def _keep(allocation: Allocation, node: NodeFacts | None, now: datetime, rules: FulfillmentRules) -> Decision:
    if node is None:
        gone = "the node is gone from the inventory"
        since = allocation.trouble_since or now
        if now >= since + rules.delivery_timeout:
            return Decision(Action.FAIL, gone)
        return Decision(Action.WAIT, gone)
    if node.contract_uuid != allocation.contract_uuid:
        return Decision(Action.FAIL, "the mark of the contract was taken away or changed", breach=True)
    if node.lessee_project_id != allocation.lessee_project_id:
        return Decision(Action.FAIL, "the lessee was taken away or changed", breach=True)
    if node.conflict is not None:
        return Decision(Action.WAIT, node.conflict)
    return Decision(Action.NOTHING)


def _take_back(
    allocation: Allocation, node: NodeFacts | None, now: datetime, rules: FulfillmentRules, done: Decision
) -> Decision:
    """Return the next step of taking a node back; ``done`` when it carries nothing of ours.

    Only a node that carries our contract's mark is ever touched, and the mark
    goes last, so that each step can be found again after a crash.
    """
    if node is None or node.contract_uuid != allocation.contract_uuid:
        return done
    if node.lessee_project_id == allocation.lessee_project_id:
        return Decision(Action.REMOVE_LESSEE, "the lessee could not be taken from the node")
    if node.busy is not None:
        return Decision(Action.WAIT, f"the node is {node.busy}")
    if node.deployed and rules.undeploy:
        if _overdue(allocation, now, rules):
            return Decision(Action.UNDEPLOY_DIRECTLY, "what is deployed on the node is removed without asking Nova")
        return Decision(Action.UNDEPLOY, "what is deployed on the node is being removed")
    if now < _ended(allocation, now) + rules.release_delay:
        return Decision(Action.NOTHING)
    return Decision(Action.REMOVE_MARK, "the mark could not be taken from the node")


def _overdue(allocation: Allocation, now: datetime, rules: FulfillmentRules) -> bool:
    """Tell whether taking the node back has been in trouble for too long."""
    since = allocation.trouble_since
    # Trouble from before the end is not about taking it back.
    return since is not None and now >= max(since, _ended(allocation, now)) + rules.take_back_timeout


def _ended(allocation: Allocation, now: datetime) -> datetime:
    """Return since when a node is to be taken back: its end, or when the market called it off."""
    return allocation.end_time if allocation.end_time <= now else min(allocation.updated_at, now)
