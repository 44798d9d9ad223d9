# SPDX-License-Identifier: Apache-2.0
"""The story that must always work, played against the REST APIs as its people would, every step checked."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flocx_client.errors import NotFound
from quickstart.console import Console
from quickstart.demand import Demand, demand_for
from quickstart.machines import Machine
from quickstart.people import Person, person
from quickstart.stack import Stack

#: Seconds of the story's contracts.
_CONTRACT = 12
_RESERVE = ("1.50", "1.60")
_LIMIT = "2.00"
_TIMEOUT = 60

Entity = Mapping[str, Any]


class Story:
    """The story on a running stack."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self._stack, self._console = stack, console
        self._owner_a, self._owner_b, self._consumer_a, self._consumer_b = (
            person(name, stack.clouds_yaml, stack.provider_urls[1])
            for name in ("owner-a", "owner-b", "consumer-a", "consumer-b")
        )
        first, second = stack.machines
        self._of_a = [machine for machine in first if machine.facts.owner_project_id == "owner-a"]
        self._of_b_here = [machine for machine in first if machine.facts.owner_project_id == "owner-b"]
        self._of_b_there = second

    def play(self) -> None:
        """Play all steps.

        :raises StoryFailed: one did not turn out as it must.
        """
        offered = self._candidates()
        demand = demand_for([machine.facts.properties for machine in offered])
        self._no_node_is_theirs(offered[0])
        self._not_your_node(offered[0])
        self._offer_nodes(offered)
        self._no_match(demand)
        contract, placed = self._match(demand)
        node = self._hand_over(contract, placed)
        self._use(node)
        spanning = self._span_providers()
        self._return(contract, node)
        self._return_spanning(spanning)

    def _candidates(self) -> Sequence[Machine]:
        """Return three machines of owner-a for the story: those everybody knows, or three different ones."""
        machines = sorted(self._of_a, key=lambda machine: machine.facts.shown)
        known = [machine for machine in machines if machine.facts.properties.get("cpus") == 32]
        if len(known) >= 3:
            return known[:3]
        of_class = {machine.facts.resource_class: machine for machine in reversed(machines)}
        different = sorted(of_class.values(), key=lambda machine: machine.facts.shown)
        return (different if len(different) >= 3 else machines)[:3]

    def _no_node_is_theirs(self, machine: Machine) -> None:
        self._console.step(1, "A consumer wants to launch on bare metal, and no node is theirs to use")
        answer = self._consumer_a.providers[0].get_node_access(machine.facts.node_uuid)
        self._console.seen(f"may consumer-a use {machine.facts.shown}? {answer['reason']}")
        self._console.check(not answer["allowed"], "consumer-a may not use it")

    def _not_your_node(self, machine: Machine) -> None:
        self._console.step(2, "An owner tries to offer a node that is not theirs")
        provider = self._owner_b.providers[0]
        before = [offer["uuid"] for offer in provider.offers()]
        refusal = None
        try:
            provider.create_offer(node_uuid=machine.facts.shown, reserve_price=_RESERVE[0])
        except NotFound as error:
            refusal = error
        self._console.seen(f"owner-b offers {machine.facts.shown}: {refusal}")
        self._console.check(
            refusal is not None and refusal.code == "flocx.node.not_found" and refusal.field == "node_uuid",
            "it is refused with a clear error",
        )
        self._console.check([offer["uuid"] for offer in provider.offers()] == before, "nothing was created")

    def _offer_nodes(self, machines: Sequence[Machine]) -> None:
        self._console.step(3, "The owner offers nodes that are theirs")
        described = []
        for machine in machines:
            offer, seconds = self._offer(self._owner_a, 0, machine)
            self._console.seen(
                f"owner-a offers {machine.facts.shown} at {offer['reserve_price']} an hour: on the market after {seconds:.2f} s"
            )
            described.append(offer["properties"])
        self._console.check(all(described), "each is on the market with its hardware description")
        self._console.check(not any(_private(document) for document in described), "without serials and addresses")

    def _no_match(self, demand: Demand) -> None:
        self._console.step(4, f"A consumer bids for {_in_words(demand.impossible)}")
        bid = self._consumer_a.market.create_bid(
            name="quickstart: too much", requirements=demand.impossible, limit_price=_LIMIT, duration=_CONTRACT
        )
        explanation = self._consumer_a.market.explain_bid(bid)
        self._console.seen(f"FLOCX says: {explanation['sentence']}")
        for step in explanation["steps"]:
            self._console.seen(f"  {step['step']:<16} {step['before']:>4} -> {step['after']:<4} {step['detail'] or ''}")
        self._console.seen(f"nearest: {explanation['nearest'] and explanation['nearest']['change']}")
        expression = demand.impossible[-1][0]
        self._console.check(
            f"`{expression} " in explanation["sentence"], "it says why: the requirement that costs most"
        )
        self._console.check(explanation["nearest"] is not None, "and what would do instead")
        time.sleep(1)
        self._console.check(self._consumer_a.market.get_bid(bid)["status"] == "open", "the bid stays open")
        self._consumer_a.market.delete_bid(bid)

    def _match(self, demand: Demand) -> tuple[Entity, float]:
        self._console.step(5, f"The consumer bids again, for {_in_words(demand.possible)}")
        cursors = {who.name: who.market.events(since="latest")[1] for who in (self._consumer_a, self._owner_a)}
        placed = time.monotonic()
        bid = self._consumer_a.market.create_bid(
            name="quickstart", requirements=demand.possible, limit_price=_LIMIT, duration=_CONTRACT
        )
        contract = self._contract_of(self._consumer_a, bid)
        self._console.check(
            True,
            f"a contract after {time.monotonic() - placed:.2f} s, until {contract['end_time']}, for {contract['amount']}",
        )
        for who in (self._consumer_a, self._owner_a):
            events, _ = who.market.events(since=cursors[who.name], wait=5)
            told = any(e["event_type"] == "contract.created" and e["entity_uuid"] == contract["uuid"] for e in events)
            self._console.check(told, f"{who.name} is notified")
        return contract, placed

    def _hand_over(self, contract: Entity, placed: float) -> str:
        self._console.step(6, "The contract starts: the provider marks the node with the consumer's project")
        allocation = contract["allocations"][0]
        node = str(allocation["node_name"] or allocation["node_uuid"])
        lessee = self._lessee(self._owner_a, 0, allocation["node_uuid"], "consumer-a")
        self._console.check(lessee, f"{node} carries consumer-a {time.monotonic() - placed:.2f} s after the bid")
        active = self._wait_status(self._consumer_a, contract, "active")
        self._console.check(active, "the contract is active")
        return str(allocation["node_uuid"])

    def _use(self, node: str) -> None:
        self._console.step(7, "The consumer launches again; nobody else can")
        for who, allowed in ((self._consumer_a, True), (self._consumer_b, False), (self._owner_a, False)):
            answer = who.providers[0].get_node_access(node)
            self._console.check(
                answer["allowed"] is allowed, f"{who.name} {'may' if allowed else 'may not'}: {answer['reason']}"
            )

    def _span_providers(self) -> Entity:
        self._console.step(8, "Another consumer bids for two nodes in two clouds: one contract spans both providers")
        here, there = self._of_b_here[0], self._of_b_there[0]
        offers = [self._offer(self._owner_b, 0, here)[0], self._offer(self._owner_b, 1, there)[0]]
        bid = self._consumer_b.market.create_bid(
            name="quickstart: two clouds",
            quantity=2,
            spread={"by": "offer.provider_uuid", "max": 1},
            offer_uuids=[offer["uuid"] for offer in offers],
            limit_price=_LIMIT,
            duration=_CONTRACT,
        )
        contract = self._contract_of(self._consumer_b, bid)
        providers = {allocation["provider_uuid"] for allocation in contract["allocations"]}
        self._console.check(len(providers) == 2, f"a contract with nodes of {len(providers)} providers")
        for number, machine in enumerate((here, there)):
            lessee = self._lessee(self._owner_b, number, machine.facts.node_uuid, "consumer-b")
            self._console.check(lessee, f"{machine.facts.shown} of provider-{number + 1} carries consumer-b")
        self._console.check(self._wait_status(self._consumer_b, contract, "active"), "the contract is active")
        return contract

    def _return(self, contract: Entity, node: str) -> None:
        self._console.step(9, "The contract ends: the node is taken back and is the owner's again")
        self._wait_status(self._consumer_a, contract, "completed")
        self._lessee(self._owner_a, 0, node, None)
        self._console.check(self._owner_a.providers[0].get_node_access(node)["allowed"], "owner-a may use it again")
        refused = self._consumer_a.providers[0].get_node_access(node)
        self._console.check(not refused["allowed"], f"consumer-a may not: {refused['reason']}")
        entry = self._settled_entry(node, contract)
        self._console.table(
            ["contract", "node", "lessee", "delivered hours", "amount"],
            [
                [
                    entry["contract_uuid"],
                    entry["node_name"],
                    entry["lessee_project_name"],
                    f"{entry['delivered_seconds'] / 3600:.4f}",
                    entry["amount"],
                ]
            ],
        )
        final = self._consumer_a.market.get_contract(contract["uuid"])
        self._console.check(entry["amount"] == final["amount"], "what the lessee pays is what the owner gets")

    def _return_spanning(self, contract: Entity) -> None:
        self._wait_status(self._consumer_b, contract, "completed")
        for allocation in contract["allocations"]:
            number = 0 if any(m.facts.node_uuid == allocation["node_uuid"] for m in self._of_b_here) else 1
            self._lessee(self._owner_b, number, allocation["node_uuid"], None)
        self._console.check(True, "the nodes of both clouds are back with owner-b, too")

    def _offer(self, owner: Person, number: int, machine: Machine) -> tuple[Entity, float]:
        """Offer a machine, or change the price of the offer that stands; return it and how long the market took."""
        provider, uuid = owner.providers[number], machine.facts.node_uuid
        standing = list(provider.offers(node_uuid=uuid, status="in:available,suspended"))
        began = time.monotonic()
        if standing:
            price = next(p for p in _RESERVE if _price(p) != standing[0]["reserve_price"])
            offer = provider.update_offer(standing[0]["uuid"], reserve_price=price)
        else:
            end = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(days=30)
            offer = provider.create_offer(
                node_uuid=machine.facts.shown, reserve_price=_RESERVE[0], end_time=end.isoformat()
            )

        def visible() -> Entity | None:
            try:
                seen = owner.market.get_offer(offer["uuid"])
            except NotFound:
                return None
            return seen if seen["reserve_price"] == offer["reserve_price"] else None

        shown = self._console.wait(f"waiting for {machine.facts.shown} on the market", visible, _TIMEOUT)
        seconds = time.monotonic() - began
        return shown, seconds

    def _contract_of(self, who: Person, bid: Entity) -> Entity:
        def found() -> Entity | None:
            self._stack.check_alive()
            return next(who.market.contracts(bid_uuid=bid["uuid"]), None)

        return self._console.wait("waiting for a contract", found, _TIMEOUT)

    def _lessee(self, owner: Person, number: int, node: str, project_name: str | None) -> bool:
        def carries() -> bool | None:
            self._stack.check_alive()
            return True if owner.providers[number].get_node(node)["lessee_project_name"] == project_name else None

        what = f"waiting until it carries {project_name}" if project_name else "waiting until it is taken back"
        return self._console.wait(what, carries, _TIMEOUT)

    def _wait_status(self, who: Person, contract: Entity, status: str) -> bool:
        def reached() -> bool | None:
            self._stack.check_alive()
            return True if who.market.get_contract(contract["uuid"])["status"] == status else None

        return self._console.wait(f"waiting until the contract is {status}", reached, _TIMEOUT)

    def _settled_entry(self, node: str, contract: Entity) -> Entity:
        """Return the node's own record of a contract once the market's last word on it has come."""

        def settled() -> Entity | None:
            for entry in self._owner_a.providers[0].get_node(node)["contracts"]:
                if entry["contract_uuid"] == contract["uuid"] and entry["market_status"] == "released":
                    return entry  # type: ignore[no-any-return]
            return None

        return self._console.wait("waiting for the books", settled, _TIMEOUT)


def _private(document: Any) -> bool:
    """Tell whether a document still tells one machine from its twins."""
    if isinstance(document, Mapping):
        return any(key in ("serial", "serial_number", "mac", "mac_address", "wwn") for key in document) or any(
            _private(value) for value in document.values()
        )
    return isinstance(document, list) and any(_private(value) for value in document)


def _in_words(triples: Sequence[Sequence[Any]]) -> str:
    return " and ".join(f"{expression} {operator} {value}" for expression, operator, value in triples)


def _price(text: str) -> str:
    return f"{float(text):.6f}"
