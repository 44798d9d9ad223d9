# SPDX-License-Identifier: Apache-2.0
"""Handing nodes over and taking them back: what should be against what is, round by round.

For each step: decide, act on the node, write it down, each short and each
repeatable. No transaction is open while the inventory is asked or changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from flocx_common.domain.errors import FlocxError
from flocx_common.domain.events import Event, projects
from flocx_common.domain.json_values import JSON
from flocx_provider.domain.allocation import Allocation
from flocx_provider.domain.fulfillment import Action, Decision, FulfillmentRules, decide, due, ending, in_order
from flocx_provider.domain.node import NodeFacts
from flocx_provider.ports.inventory import NodeClaimed, NodeInventory, NodeTaken
from flocx_provider.ports.store import Store, UnitOfWork

LOG = logging.getLogger(__name__)

# More steps than taking a node back has; a node that needs more is looked at
# again in the next round.
_MOST_STEPS = 8


def reconcile(*, inventory: NodeInventory, store: Store, rules: FulfillmentRules, now: datetime) -> datetime | None:
    """Bring every node as near to what the market wants as it can be now.

    What goes wrong with one node stops none of the others.

    :returns: the next instant at which something is to be done by the clock alone.
    :raises InventoryUnavailable: the inventory does not answer.
    """
    allocations = store.read(lambda uow: uow.allocations.unsettled())
    waiting = [a for a in allocations if a.over(now) or a.start_time <= now]
    facts = {node.node_uuid: node for node in inventory.nodes()} if waiting else {}
    for allocation in in_order(waiting, now):
        try:
            _settle(allocation, facts, inventory, store, rules, now)
        except NodeClaimed as error:
            LOG.debug("allocation %s: %s", allocation.uuid, error.detail)
        except FlocxError as error:
            _wait(store, allocation, error.detail, now)
    return due(store.read(lambda uow: uow.allocations.unsettled()), now, rules)


def _settle(
    allocation: Allocation,
    facts: dict[str, NodeFacts],
    inventory: NodeInventory,
    store: Store,
    rules: FulfillmentRules,
    now: datetime,
) -> None:
    """Take an allocation as many steps on as can be taken now, and keep ``facts`` true to what was done."""
    current: Allocation | None = allocation
    acted: set[Action] = set()
    for _ in range(_MOST_STEPS):
        if current is None or current.settled:
            return
        if ending(current, now, rules):
            current = _write(store, current.uuid, _notice, now)
            continue
        node = facts.get(current.node_uuid)
        decision = decide(current, node, now, rules)
        if decision.action in acted:
            # It takes its time, or did not take; the next round sees.
            _wait(store, current, decision.reason, now)
            return
        if decision.action in _ACTS:
            acted.add(decision.action)
            _ACTS[decision.action](inventory, current)
            # Read back: a step counts when the inventory shows it. The node's
            # next contract goes on from there in the same round.
            _look_again(current.node_uuid, facts, inventory)
        elif decision.action in _RECORDS:
            current = _write(store, current.uuid, partial(_RECORDS[decision.action], decision, node), now)
        else:
            _wait(store, current, decision.reason, now)
            return


def _look_again(node_uuid: str, facts: dict[str, NodeFacts], inventory: NodeInventory) -> None:
    facts.pop(node_uuid, None)
    node = inventory.node(node_uuid)
    if node is not None:
        facts[node_uuid] = node


def _wait(store: Store, allocation: Allocation, trouble: str | None, now: datetime) -> None:
    """Note what is in the way, or that nothing is any more: once, not in every round."""
    if allocation.trouble == trouble:
        return
    if trouble is not None:
        LOG.warning(
            "node %s, allocation %s: %s", allocation.node_name or allocation.node_uuid, allocation.uuid, trouble
        )
    _write(store, allocation.uuid, partial(_trouble, trouble), now)


def _assign(inventory: NodeInventory, allocation: Allocation) -> None:
    try:
        inventory.assign(
            allocation.node_uuid,
            lessee_project_id=allocation.lessee_project_id,
            contract_uuid=allocation.contract_uuid,
        )
    except NodeTaken as error:
        # Somebody was faster; the next look says what there is now.
        LOG.info("allocation %s: %s", allocation.uuid, error.detail)


def _undeploy_directly(inventory: NodeInventory, allocation: Allocation) -> None:
    LOG.warning(
        "node %s, allocation %s: what is deployed was not removed in time and is undeployed directly",
        allocation.node_name or allocation.node_uuid,
        allocation.uuid,
    )
    inventory.undeploy(allocation.node_uuid, contract_uuid=allocation.contract_uuid, directly=True)


_ACTS: Mapping[Action, Callable[[NodeInventory, Allocation], None]] = {
    Action.ASSIGN: _assign,
    Action.REMOVE_LESSEE: lambda inventory, a: inventory.remove_lessee(a.node_uuid, contract_uuid=a.contract_uuid),
    Action.UNDEPLOY: lambda inventory, a: inventory.undeploy(a.node_uuid, contract_uuid=a.contract_uuid),
    Action.UNDEPLOY_DIRECTLY: _undeploy_directly,
    Action.REMOVE_MARK: lambda inventory, a: inventory.remove_mark(a.node_uuid, contract_uuid=a.contract_uuid),
}

_Outcome = tuple[Allocation, Event | None]


def _active(_decision: Decision, _node: NodeFacts | None, allocation: Allocation, now: datetime) -> _Outcome:
    after = allocation.handed_over(now)
    return after, _told("allocation.activated", after, now)


def _released(_decision: Decision, _node: NodeFacts | None, allocation: Allocation, now: datetime) -> _Outcome:
    after = allocation.released(now)
    return after, _told("allocation.released", after, now)


def _settled(_decision: Decision, _node: NodeFacts | None, allocation: Allocation, now: datetime) -> _Outcome:
    return replace(allocation, settled=True, trouble=None, trouble_since=None, updated_at=now), None


def _failed(decision: Decision, node: NodeFacts | None, allocation: Allocation, now: datetime) -> _Outcome:
    clean = node is None or node.contract_uuid != allocation.contract_uuid
    reason = decision.reason or "it could not be delivered"
    after = allocation.failed(now, reason, breach=decision.breach, settled=clean)
    return after, _told("allocation.failed", after, now, reason, {"breach": decision.breach})


_RECORDS: Mapping[Action, Callable[[Decision, NodeFacts | None, Allocation, datetime], _Outcome]] = {
    Action.RECORD_ACTIVE: _active,
    Action.RECORD_RELEASED: _released,
    Action.RECORD_SETTLED: _settled,
    Action.FAIL: _failed,
}


def _trouble(trouble: str | None, allocation: Allocation, now: datetime) -> _Outcome:
    if trouble is None:
        return replace(allocation, trouble=None, trouble_since=None, updated_at=now), None
    after = allocation.troubled(now, trouble)
    return after, _told("allocation.waiting", after, now, trouble)


def _notice(allocation: Allocation, now: datetime) -> _Outcome:
    after = replace(allocation, noticed_at=now, updated_at=now)
    end = allocation.end_time.isoformat().replace("+00:00", "Z")
    return after, _told("allocation.ending", after, now, f"the node is taken back at {end}", {"end_time": end})


def _write(
    store: Store, uuid: str, change: Callable[[Allocation, datetime], _Outcome], now: datetime
) -> Allocation | None:
    """Write down what became of an allocation, as it is now in the database."""

    def work(uow: UnitOfWork) -> Allocation | None:
        current = uow.allocations.get(uuid)
        if current is None:
            return None
        after, event = change(current, now)
        if after == current:
            return current
        uow.allocations.update(after)
        if event is not None:
            uow.record(event)
        return replace(after, generation=current.generation + 1)

    return store.write(work)


def _told(
    event_type: str,
    allocation: Allocation,
    now: datetime,
    reason: str | None = None,
    detail: Mapping[str, JSON] | None = None,
) -> Event:
    return Event(
        event_type=event_type,
        entity_uuid=allocation.uuid,
        project_ids=projects(allocation.lessee_project_id, allocation.owner_project_id),
        occurred_at=now,
        reason=reason,
        detail={
            "contract_uuid": allocation.contract_uuid,
            "node_uuid": allocation.node_uuid,
            "node_name": allocation.node_name,
            **(detail or {}),
        },
    )
