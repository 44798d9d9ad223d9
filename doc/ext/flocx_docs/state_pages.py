# SPDX-License-Identifier: Apache-2.0
"""State machines: a drawing, what each status means, and every change there is."""

from __future__ import annotations

import inspect
import re
from enum import StrEnum

from flocx_common.domain.states import StateMachine, diagram
from flocx_docs.drawing import svg
from flocx_docs.rst import escaped, literal, table
from flocx_market.domain import bid, contract
from flocx_market.domain import offer as market_offer
from flocx_provider.domain import allocation as provider_allocation
from flocx_provider.domain import offer as provider_offer

#: File name -> the machine and the statuses it is about.
MACHINES: dict[str, tuple[StateMachine, type[StrEnum]]] = {
    "market-offer": (market_offer.OFFER_STATES, market_offer.OfferStatus),
    "market-bid": (bid.BID_STATES, bid.BidStatus),
    "market-contract": (contract.CONTRACT_STATES, contract.ContractStatus),
    "market-allocation": (contract.ALLOCATION_STATES, contract.AllocationStatus),
    "provider-offer": (provider_offer.OFFER_STATES, provider_offer.OfferStatus),
    "provider-publication": (provider_offer.PUBLICATION_STATES, provider_offer.Publication),
    "provider-allocation": (provider_allocation.ALLOCATION_STATES, provider_allocation.AllocationStatus),
}

_MEMBER = re.compile(r'((?:^ +#: .*\n)+) +\w+ = "(\w+)"', re.MULTILINE)


def drawing(name: str) -> str:
    """Return the drawing of a machine."""
    machine, _ = MACHINES[name]
    return svg(diagram(machine), f"States of {name.replace('-', ' ')}")


def page(name: str) -> str:
    """Return the drawing's place and the two tables of a machine."""
    machine, statuses = MACHINES[name]
    meanings = _meanings(statuses)
    told = [
        [
            literal(status),
            escaped(meanings[status]),
            ", ".join(map(literal, machine.events(status))) or "none: it is final",
        ]
        for status in statuses
    ]
    changes = [[literal(source), literal(event), literal(target)] for source, event, target in machine]
    return "\n".join(
        [
            f".. image:: _generated/{name}.svg",
            "   :alt: The changes of status in the second table, drawn",
            "",
            table(["Status", "Meaning", "Events that are possible"], told, [16, 54, 30]),
            table(["In status", "event", "leads to"], changes, [30, 30, 40]),
        ]
    )


def _meanings(statuses: type[StrEnum]) -> dict[str, str]:
    """Return what the code says of each status, by its value."""
    found = _MEMBER.findall(inspect.getsource(statuses))
    return {
        value: " ".join(line.strip().removeprefix("#: ") for line in comment.splitlines()) for comment, value in found
    }
