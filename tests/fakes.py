# SPDX-License-Identifier: Apache-2.0
"""The world around the provider's services, in memory.

Each fake keeps the promises of its port: the suites in tests/contract run on it
as they do on the real thing. What is no part of a port (a machine that breaks, a
bid that is matched) is done through methods of the fake's own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from flocx_common.domain.clock import Clock
from flocx_common.domain.errors import Unavailable
from flocx_common.domain.events import Event
from flocx_common.domain.money import amount_for
from flocx_provider.domain.allocation import MARKET_LIVE, Allocation, Contract
from flocx_provider.domain.node import NodeFacts
from flocx_provider.domain.offer import Offer
from flocx_provider.ports.inventory import InventoryUnavailable, NodeTaken
from flocx_provider.ports.market import (
    AllocationNews,
    CursorLost,
    ListedOffer,
    MarketRefused,
    MarketUnavailable,
    TooEarly,
)
from flocx_provider.ports.node_states import NodeState
from tests.builders import uid


class FakeInventory:
    """Machines in memory. ``silent`` makes every call fail as if nothing answered."""

    turnaround = 0
    release_delay = 0

    def __init__(self, machines: Iterable[NodeFacts] = ()) -> None:
        self._machines = {machine.node_uuid: machine for machine in machines}
        self._lock = threading.Lock()
        self.silent = False

    def put(self, machine: NodeFacts) -> None:
        """Let a machine be there as described."""
        self._machines[machine.node_uuid] = machine

    def change(self, node_uuid: str, **facts: Any) -> None:
        """Let something happen to a machine that is not our doing."""
        self._machines[node_uuid] = replace(self._machines[node_uuid], **facts)

    def remove(self, node_uuid: str) -> None:
        """Let a machine be gone."""
        del self._machines[node_uuid]

    def nodes(self) -> Sequence[NodeFacts]:
        """Return all machines."""
        self.check()
        return list(self._machines.values())

    def node(self, name_or_uuid: str, *, inspected: bool = False) -> NodeFacts | None:
        """Return a machine by name or uuid."""
        self.check()
        found = self._machines.get(name_or_uuid.lower())
        return found or next((one for one in self._machines.values() if one.name == name_or_uuid), None)

    def assign(self, node_uuid: str, *, lessee_project_id: str, contract_uuid: str) -> None:
        """Give an unmarked node the contract's mark and the lessee."""
        self.check()
        with self._lock:
            mark = self._machines[node_uuid].contract_uuid
            if mark not in (None, contract_uuid):
                raise NodeTaken(f"node: {node_uuid} carries the mark of contract {mark}")
            self.change(node_uuid, contract_uuid=contract_uuid, lessee_project_id=lessee_project_id)

    def remove_lessee(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the lessee from a node that carries the contract's mark; the mark stays."""
        self._change_marked(node_uuid, contract_uuid, lessee_project_id=None)

    def undeploy(self, node_uuid: str, *, contract_uuid: str, directly: bool = False) -> None:
        """Undo what is deployed on a node that carries the contract's mark."""
        self._change_marked(node_uuid, contract_uuid, deployed=False)

    def remove_mark(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the contract's mark, and with it the lessee, from a node that carries it."""
        self._change_marked(node_uuid, contract_uuid, contract_uuid=None, lessee_project_id=None)

    def check(self) -> None:
        """Say nothing unless it is silent."""
        if self.silent:
            raise InventoryUnavailable("inventory: it does not answer")

    def _change_marked(self, node_uuid: str, mark: str, **facts: Any) -> None:
        self.check()
        with self._lock:
            if node_uuid in self._machines and self._machines[node_uuid].contract_uuid == mark:
                self.change(node_uuid, **facts)


class FakeNodeStates:
    """States of machines in memory, with the events that were told of them.

    ``silent`` makes every call fail as if nothing answered.
    """

    def __init__(self) -> None:
        self.silent = False
        self._states: dict[str, NodeState] = {}
        self._lock = threading.Lock()
        self.told: list[Event] = []

    def all(self) -> Mapping[str, NodeState]:
        """Return all known states."""
        self._answer()
        return dict(self._states)

    def assign(self, node_uuid: str, lessee_project_id: str, contract_uuid: str) -> bool:
        """Give a node the mark and the lessee unless it carries another mark; return whether it did not."""
        self._answer()
        with self._lock:
            state = self._states.get(node_uuid, NodeState())
            if state.contract_uuid not in (None, contract_uuid):
                return False
            self._states[node_uuid] = NodeState(state.down_reason, lessee_project_id, contract_uuid)
            return True

    def remove_lessee(self, node_uuid: str, contract_uuid: str) -> None:
        """Take the lessee from a node that carries the contract's mark."""
        self._change_marked(node_uuid, contract_uuid, lessee_project_id=None)

    def remove_mark(self, node_uuid: str, contract_uuid: str) -> None:
        """Take the contract's mark, and with it the lessee, from a node that carries it."""
        self._change_marked(node_uuid, contract_uuid, lessee_project_id=None, contract_uuid=None)

    def set_down(self, node_uuid: str, reason: str | None, event: Event) -> None:
        """Set why a node is down, None for up, and tell of it."""
        self._answer()
        with self._lock:
            self._states[node_uuid] = replace(self._states.get(node_uuid, NodeState()), down_reason=reason)
            self.told.append(event)

    def _answer(self) -> None:
        if self.silent:
            raise Unavailable("the storage does not answer")

    def _change_marked(self, node_uuid: str, mark: str, **values: str | None) -> None:
        self._answer()
        with self._lock:
            state = self._states.get(node_uuid, NodeState())
            if state.contract_uuid == mark:
                self._states[node_uuid] = replace(state, **values)


class FakeDirectory:
    """Projects by name, from a mapping of names to ids."""

    def __init__(self, ids: Mapping[str, str]) -> None:
        self._ids = ids

    def resolve(self, name_or_id: str) -> str:
        """Return the id of the project of this name, or what was given when none is known."""
        return self._ids.get(name_or_id, name_or_id)

    def names(self, project_ids: Iterable[str]) -> Mapping[str, str]:
        """Return the names of those of these projects that are known."""
        wanted = set(project_ids)
        return {project_id: name for name, project_id in self._ids.items() if project_id in wanted}


@dataclass(frozen=True)
class _Change:
    """An allocation and the place of its last change in the order of changes."""

    number: int
    news: AllocationNews


_OVER = ("withdrawn", "expired")


class FakeMarket:
    """A market in memory, as the one provider that speaks to it sees it.

    ``silent`` makes every call fail as if nothing answered.

    :param page: most allocations that one call returns.
    """

    def __init__(self, clock: Clock, page: int = 100) -> None:
        self._clock = clock
        self._page = page
        self._changed = threading.Condition()
        self._place = 0
        self._registered: dict[str, str] = {}
        self._offers: dict[str, tuple[Offer, str]] = {}
        self._changes: dict[str, _Change] = {}
        self.silent = False

    def take_name(self, name: str) -> None:
        """Let another provider have a name."""
        self._registered[name] = uid(9000 + len(self._registered) + 500)

    def forget_provider(self) -> None:
        """Let the provider be removed."""
        self._registered.pop(self._own_name() or "", None)

    def sell(self, offer_uuid: str, start: datetime, end: datetime, lessee_project_id: str = "consumer-a") -> str:
        """Let an offer be matched and return the uuid of the allocation."""
        offer, _ = self._offers[offer_uuid]
        number = len(self._changes) + 1
        hours = end - start
        news = AllocationNews(
            uuid=uid(7000 + number),
            contract=Contract(
                uuid=uid(6000 + number),
                lessee_project_id=lessee_project_id,
                start_time=start,
                end_time=end,
                status="created",
                status_reason=None,
            ),
            offer_uuid=offer.uuid,
            node_uuid=offer.node_uuid,
            node_name=offer.node_name,
            owner_project_id=offer.owner_project_id,
            start_time=start,
            end_time=end,
            clearing_price=offer.reserve_price,
            amount=amount_for(offer.reserve_price, hours),
            status="created",
        )
        self._note(news)
        return news.uuid

    def call_off(self, allocation_uuid: str) -> None:
        """Let the lessee cancel the contract before its start."""
        news = self._changes[allocation_uuid].news
        contract = replace(news.contract, status="cancelled", status_reason="cancelled by the lessee")
        self._note(replace(news, status="released", amount=Decimal("0.000000"), contract=contract))

    def register(self, *, name: str, turnaround: int) -> str:
        """Make sure that this provider is registered as described, and return its uuid there."""
        self._answer()
        own = self._own_name()
        if name != own and name in self._registered:
            raise MarketRefused(f"name: {name!r} is another provider's", field="name")
        uuid = uid(9001) if own is None else self._registered.pop(own)
        self._registered[name] = uuid
        return uuid

    def heartbeat(self, provider_uuid: str) -> bool:
        """Say that this provider is alive; return whether the market knows it."""
        self._answer()
        return provider_uuid in self._registered.values()

    def put_offer(self, offer: Offer) -> None:
        """Publish an offer as it is; repeating it is harmless."""
        self._answer_known()
        stored, status = self._offers.get(offer.uuid, (None, "available"))
        if stored is not None and status in _OVER:
            if _content(offer) != _content(stored):
                raise MarketRefused(f"status: the offer is {status}", field="status")
            return
        if stored is None and offer.window.end is not None and offer.window.end <= self._clock.now():
            raise MarketRefused("end_time: it has passed", field="end_time")
        if stored is not None and (stored.node_uuid, stored.owner_project_id) != (
            offer.node_uuid,
            offer.owner_project_id,
        ):
            raise MarketRefused("node_uuid: the offer was published with another", field="node_uuid")
        for other, standing in self._offers.values():
            if (
                other.uuid != offer.uuid
                and other.node_uuid == offer.node_uuid
                and standing not in _OVER
                and other.window.overlaps(offer.window)
            ):
                raise MarketRefused("start_time: the node has another offer in that time", field="start_time")
        self._offers[offer.uuid] = (offer, "available" if offer.problem is None else "suspended")

    def withdraw_offer(self, uuid: str) -> None:
        """Take an offer off the market; one the market never had is off it."""
        self._answer_known()
        if uuid in self._offers and self._offers[uuid][1] not in _OVER:
            self._offers[uuid] = (self._offers[uuid][0], "withdrawn")

    def offers(self) -> Sequence[ListedOffer]:
        """Return what the market has of this provider's offers that are not over."""
        self._answer_known()
        return [
            ListedOffer(uuid=offer.uuid, status=status, reserve_price=offer.reserve_price, end_time=offer.window.end)
            for offer, status in self._offers.values()
            if status not in _OVER
        ]

    def changes(self, since: str | None, wait: float) -> tuple[Sequence[AllocationNews], str]:
        """Return allocations that changed after a cursor, and the cursor to go on from."""
        self._answer_known()
        place = self._place_of(since)
        with self._changed:
            self._changed.wait_for(lambda: self._place > place, wait)
            later = sorted((one for one in self._changes.values() if one.number > place), key=lambda one: one.number)
        found = later[: self._page]
        following = found[-1].number if found else self._place
        return [one.news for one in found], f"place-{following}"

    def report(self, allocation: Allocation) -> None:
        """Tell the market the status of an allocation."""
        self._answer_known()
        told = str(allocation.status)
        change = self._changes.get(allocation.uuid)
        if change is None:
            raise MarketRefused(f"allocation: there is no allocation {allocation.uuid!r}", field="uuid")
        news = change.news
        if told == news.status or (told, news.status) == ("acknowledged", "active"):
            return
        if news.status not in MARKET_LIVE:
            raise MarketRefused(f"status: allocation is {news.status}", field="status")
        if told == "released":
            if news.status != "active":
                raise MarketRefused(f"status: allocation is {news.status}", field="status")
            if self._clock.now() < news.end_time:
                raise TooEarly(f"status: allocation runs until {news.end_time}", field="status")
        self._note(replace(news, status=told))

    def _own_name(self) -> str | None:
        return next((name for name, uuid in self._registered.items() if uuid == uid(9001)), None)

    def _answer(self) -> None:
        if self.silent:
            raise MarketUnavailable("market: it does not answer")

    def _answer_known(self) -> None:
        self._answer()
        if self._own_name() is None:
            raise MarketUnavailable("market: the caller speaks for no registered provider")

    def _place_of(self, cursor: str | None) -> int:
        if cursor is None:
            return 0
        word, _, number = cursor.partition("-")
        if word != "place" or not number.isdigit() or int(number) > self._place:
            raise CursorLost(cursor)
        return int(number)

    def _note(self, news: AllocationNews) -> None:
        with self._changed:
            self._place += 1
            self._changes[news.uuid] = _Change(self._place, news)
            self._changed.notify_all()


def _content(offer: Offer) -> tuple[object, ...]:
    """Return what the market is told of an offer."""
    return (
        offer.name,
        offer.owner_project_id,
        offer.node_uuid,
        offer.node_name,
        offer.resource_class,
        offer.properties,
        offer.window,
        offer.reserve_price,
        offer.min_duration,
        offer.lessee_project_ids,
        offer.problem,
    )
