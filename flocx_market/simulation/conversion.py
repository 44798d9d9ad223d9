# SPDX-License-Identifier: Apache-2.0
"""How a reservation becomes a bid, and a site's nodes become offers.

A trace says what was asked for, not what it was worth, how long it could have
waited or what would have done instead. These are drawn, each reservation's from
the seed and what it says alone: another knob, or another reservation, changes
none of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from flocx_common.domain.ids import derived_id
from flocx_common.domain.json_values import JSON, digest
from flocx_market.domain.book import FOREVER, BookBid, BookOffer, Hardware, Span
from flocx_market.domain.requirements import Requirement, parse_requirements
from flocx_market.simulation.demand import Attempts, Rows
from flocx_market.simulation.traces import Capacity, NodeType, Reservation

_NAMES = "6f1d2f0e-51a7-5d0e-9a36-4d2f6c6a7b10"

# What an owner asks for a node-hour, in smallest price steps.
_A_NODE, _A_CORE, _A_GB, _A_GPU = 100_000, 10_000, 1_000, 500_000
_UNKNOWN_NODE = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """What a replay assumes besides the trace.

    ``attempts``, ``within`` (seconds) and ``rows`` are those of :func:`demand.wishes`.
    A bid's limit is drawn evenly between what the asked type costs and that
    times 1 + ``spread``; its slack evenly between 0 and twice ``patience``
    seconds; it takes other hardware that has at least as much with probability
    ``flexible``. ``supply`` is the share of each site's nodes that is offered,
    ``turnaround`` what a node needs between two contracts, and ``gather`` how
    long bids wait for each other, both in seconds.
    """

    seed: int = 1
    rows: Rows = Rows.ALL
    attempts: Attempts = Attempts.LAST
    within: int = 3600
    spread: Decimal = Decimal(1)
    patience: int = 16 * 3600
    flexible: Decimal = Decimal("0.5")
    supply: Decimal = Decimal(1)
    turnaround: int = 0
    gather: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A reservation and the bid it became."""

    reservation: Reservation
    bid: BookBid
    flexible: bool

    @property
    def begin(self) -> int:
        """When its user wanted the nodes: not before it was asked."""
        return self.bid.begin

    @property
    def node_seconds(self) -> int:
        """How much it asks for."""
        return self.bid.quantity * self.bid.length(self.bid.begin)


@dataclass(frozen=True)
class Catalogue:
    """What node types are and cost; ``reserves`` are prices that owners gave themselves."""

    node_types: Mapping[str, NodeType]
    reserves: Mapping[str, int] = field(default_factory=dict)

    def reserve(self, node_type: str) -> int:
        """Return what a node of a type costs an hour, in smallest price steps."""
        if node_type in self.reserves:
            return self.reserves[node_type]
        known = self.node_types.get(node_type)
        if known is None:
            return _UNKNOWN_NODE
        return _A_NODE + _A_CORE * known.cores + _A_GB * known.memory_gb + _A_GPU * known.gpus

    def hardware(self, node_type: str) -> Hardware:
        """Return the hardware document of a type."""
        document: dict[str, JSON] = {"node_type": node_type}
        known = self.node_types.get(node_type)
        if known is not None:
            document |= {
                "architecture": known.architecture,
                "cores": known.cores,
                "memory_gb": known.memory_gb,
                "gpus": known.gpus,
            }
        return Hardware(digest(document), document)

    def requirements(self, node_type: str, *, flexible: bool) -> tuple[Requirement, ...]:
        """Return what a bid for a type requires: hardware that has at least as much, or that type and no other."""
        known = self.node_types.get(node_type)
        if known is None or not flexible:
            return parse_requirements([["node_type", "eq", node_type]])
        return parse_requirements(
            [
                ["architecture", "eq", known.architecture],
                ["cores", ">=", known.cores],
                ["memory_gb", ">=", known.memory_gb],
                ["gpus", ">=", known.gpus],
            ]
        )


def as_bids(wishes: Iterable[Reservation], catalogue: Catalogue, knobs: Knobs) -> list[Asked]:
    """Return the bids that reservations become, in their order."""
    seen: Counter[str] = Counter()
    asked = []
    for wish in wishes:
        said = "\n".join(map(str, (wish.submitted, *wish.wording)))
        seen[said] += 1
        # Equal lines are told apart by how many there were before.
        asked.append(_as_bid(wish, f"{said}\n{seen[said]}", catalogue, knobs))
    return asked


def _as_bid(wish: Reservation, said: str, catalogue: Catalogue, knobs: Knobs) -> Asked:
    draw = Random(f"{knobs.seed}\n{said}")  # noqa: S311 - repeatable, and no secret
    # All are drawn, used or not, so that one knob does not move what another draws.
    price, slack, taste = draw.random(), draw.random(), draw.random()
    reserve = catalogue.reserve(wish.node_type)
    flexible = taste < knobs.flexible
    begin = max(wish.begin, wish.submitted)
    bid = BookBid(
        uuid=derived_id(_NAMES, said),
        project_id=f"project {wish.project}",
        requirements=catalogue.requirements(wish.node_type, flexible=flexible),
        quantity=wish.nodes,
        begin=begin,
        end=wish.end + int(2 * knobs.patience * slack),
        duration=wish.end - begin,
        limit=reserve + int(reserve * float(knobs.spread) * price),
        spread=None,
        together=None,
        offer_uuids=None,
        placed=wish.submitted,
    )
    return Asked(wish, bid, flexible)


def sites_of(capacity: Iterable[Capacity], reservations: Iterable[Reservation]) -> dict[str, str]:
    """Return the site of each node type for which capacity names none: where it is asked for most often.

    Of two such sites it is the first by name. A type that nobody asks for has none.
    """
    asked: dict[str, Counter[str]] = {one.node_type: Counter() for one in capacity if one.site is None}
    for reservation in reservations:
        if reservation.node_type in asked:
            asked[reservation.node_type][reservation.site] += 1
    return {
        node_type: min(counts, key=lambda site: (-counts[site], site)) for node_type, counts in asked.items() if counts
    }


def as_offers(
    capacity: Sequence[Capacity], sites: Mapping[str, str], catalogue: Catalogue, knobs: Knobs
) -> list[BookOffer]:
    """Return one offer for each node of a site, open-ended and with its site as owner.

    Of each type, the share ``supply`` is offered, rounded up to whole nodes.
    """
    offers = []
    for one in sorted(capacity, key=lambda c: (c.node_type, c.site or "")):
        site = one.site or sites.get(one.node_type)
        if site is None:
            continue
        hardware = catalogue.hardware(one.node_type)
        reserve = catalogue.reserve(one.node_type) if one.reserve is None else one.reserve
        for number in range(math.ceil(one.nodes * knobs.supply)):
            name = f"{site}\n{one.node_type}\n{number}"
            offers.append(
                BookOffer(
                    uuid=derived_id(_NAMES, f"offer\n{name}"),
                    node_uuid=derived_id(_NAMES, f"node\n{name}"),
                    node_name=f"{one.node_type}-{number}",
                    provider_uuid=derived_id(_NAMES, f"provider\n{site}"),
                    owner_project_id=site,
                    resource_class=one.node_type,
                    hardware=hardware,
                    reserve=reserve,
                    min_duration=0,
                    lessees=None,
                    window=Span(0, FOREVER),
                    free=(Span(0, FOREVER),),
                    turnaround=knobs.turnaround,
                )
            )
    return offers
