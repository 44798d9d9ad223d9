# SPDX-License-Identifier: Apache-2.0
"""Check the contracts of a round against the market rules, with nothing of the engine that made them.

Reads the two books and the contracts that flocx-market-clear wrote, and looks
at every contract: one for each bid, its nodes, window, free time, lessee,
requirements, prices, sums, spread and together, and that no node is in two
contracts at once. With --left-over also that no bid left open could be served
by what is left; that is slow, so it looks at a sample of them.

Prints what it looked at, and one line for each violation: the contract and the
rule. Exit status: 0 all is well, 1 a rule is broken, 2 a file cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from check_books import (
    Answers,
    Bid,
    Entity,
    UnreadableError,
    micros,
    read_bids,
    read_contracts,
    read_offers,
    seconds,
)
from check_left_over import left_over, servable
from check_rules import RULES, Deal, Part, Round, between_contracts

#: What is looked at besides the rules of one contract.
OTHER_RULES = ("uuid", "bid", "offer", "overlap", "turnaround")


class Check:
    """The check of one round.

    ``violations`` are lines of contract (or bid), rule and problem; ``counts``
    say how much was looked at.

    :param turnaround: seconds every node needs between two contracts.
    :param sample: how many bids left open are looked at; 0 for none.
    :raises UnreadableError: a file cannot be used.
    """

    def __init__(self, offers: Path, bids: Path, contracts: Path, *, now: int, turnaround: int, sample: int) -> None:
        self.violations: list[str] = []
        self._answers = Answers()
        self._bids = read_bids(bids)
        entities = read_contracts(contracts)
        served = {str(entity.get("bid_uuid")).lower() for entity in entities}
        waiting = sorted(uuid for uuid in self._bids if uuid not in served)
        looked_at = [self._bids[uuid] for uuid in _evenly(waiting, sample)]
        asking = self._asking(entities)
        self._offers = read_offers(offers, lambda offer: [*asking.get(offer.uuid, []), *looked_at], self._answers)
        self._now, self._turnaround = now, turnaround
        deals = self._deals(entities)
        self._check_contracts(deals)
        self._check_left_over(deals, looked_at)
        self.counts = {
            "contracts": len(entities),
            "nodes": sum(len(entity["allocations"]) for entity in entities),
            "rules": len(RULES) + len(OTHER_RULES) + (1 if looked_at else 0),
            "left_open": len(waiting),
            "left_open_looked_at": len(looked_at),
            "violations": len(self.violations),
        }

    def _asking(self, contracts: Sequence[Entity]) -> dict[str, list[Bid]]:
        asking: dict[str, list[Bid]] = {}
        for contract in contracts:
            bid = self._bids.get(str(contract.get("bid_uuid")).lower())
            if bid is not None:
                for allocation in contract["allocations"]:
                    asking.setdefault(str(allocation.get("offer_uuid")).lower(), []).append(bid)
        return asking

    def _deals(self, contracts: Sequence[Entity]) -> list[Deal]:
        deals, uuids, served = [], set(), set()
        for contract in contracts:
            uuid = str(contract.get("uuid"))
            bid = self._bids.get(str(contract.get("bid_uuid")).lower())
            if uuid in uuids:
                self._broken(uuid, "uuid", "it is there twice")
            if bid is None or bid.uuid in served:
                problem = "is no open bid" if bid is None else "has a contract already"
                self._broken(uuid, "bid", f"{contract.get('bid_uuid')} {problem}")
                continue
            uuids.add(uuid)
            served.add(bid.uuid)
            unknown = [item for item in contract["allocations"] if str(item.get("offer_uuid")) not in self._offers]
            if unknown:
                self._broken(uuid, "offer", f"{unknown[0].get('offer_uuid')} is no available offer")
                continue
            deals.append(self._deal(uuid, bid, contract))
        return deals

    def _deal(self, uuid: str, bid: Bid, contract: Entity) -> Deal:
        parts = [
            Part(
                offer=self._offers[allocation["offer_uuid"]],
                entity=allocation,
                begin=seconds(allocation["start_time"]),
                end=seconds(allocation["end_time"]),
                price=micros(allocation["clearing_price"]),
                amount=micros(allocation["amount"]),
            )
            for allocation in contract["allocations"]
        ]
        return Deal(
            uuid=uuid,
            bid=bid,
            entity=contract,
            begin=seconds(contract["start_time"]),
            end=seconds(contract["end_time"]),
            price=micros(contract["clearing_price"]),
            amount=micros(contract["amount"]),
            parts=parts,
        )

    def _check_contracts(self, deals: list[Deal]) -> None:
        of = Round(now=self._now, turnaround=self._turnaround, answers=self._answers)
        for deal in deals:
            for name, rule in RULES.items():
                for problem in rule(deal, of):
                    self._broken(deal.uuid, name, problem)
        for deal, name, problem in between_contracts(deals, self._turnaround):
            self._broken(deal.uuid, name, problem)

    def _check_left_over(self, deals: list[Deal], bids: Sequence[Bid]) -> None:
        free = left_over(self._offers, deals, self._turnaround) if bids else {}
        for bid in bids:
            how = servable(bid, self._offers, free, self._now, self._answers)
            if how is not None:
                self.violations.append(f"bid {bid.uuid}: left_over: {how}")

    def _broken(self, contract: str, rule: str, problem: str) -> None:
        self.violations.append(f"contract {contract}: {rule}: {problem}")


def _evenly(things: Sequence[str], wanted: int) -> list[str]:
    """Return so many of these, at even distances; all of them where there are no more."""
    count = min(wanted, len(things))
    return [things[place * len(things) // count] for place in range(count)]


def main(args: Sequence[str] | None = None) -> int:
    """Check and print; return the exit status."""
    options = _parser().parse_args(args)
    try:
        now = seconds(options.now)
    except ValueError as error:
        sys.stderr.write(f"check.py: --now: {error}\n")
        return 2
    try:
        check = Check(
            options.offers,
            options.bids,
            options.contracts,
            now=now,
            turnaround=options.turnaround,
            sample=options.sample if options.left_over else 0,
        )
    except UnreadableError as error:
        sys.stderr.write(f"check.py: {error}\n")
        return 2
    if options.format == "json":
        shown: dict[str, Any] = {**check.counts, "broken": check.violations}
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{name:20} {count}\n" for name, count in check.counts.items()))
        sys.stdout.write("".join(f"{line}\n" for line in check.violations))
    return 1 if check.violations else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("offers", "bids", "contracts"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="FILE", help=f"the {name}, JSON lines")
    parser.add_argument("--now", required=True, metavar="TIME", help="the time of the round, as 2027-01-01T00:00:00Z")
    parser.add_argument(
        "--turnaround", type=int, default=0, metavar="S", help="seconds a node needs between contracts (default: 0)"
    )
    parser.add_argument("--left-over", action="store_true", help="look also at bids left open")
    parser.add_argument(
        "--sample", type=int, default=50, metavar="N", help="how many of those, evenly chosen (default: %(default)s)"
    )
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="how to print the result")
    return parser


if __name__ == "__main__":
    sys.exit(main())
