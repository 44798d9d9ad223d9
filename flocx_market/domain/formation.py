# SPDX-License-Identifier: Apache-2.0
"""How the deals of a round become contracts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from flocx_common.domain.ids import derived_id
from flocx_common.domain.money import from_micros
from flocx_market.domain.book import BookOffer, Span, to_instant
from flocx_market.domain.clearing import Deal
from flocx_market.domain.contract import Allocation, AllocationStatus, Contract, ContractStatus


def form_contract(deal: Deal, now: datetime) -> Contract:
    """Return the contract of a deal made in the round at ``now`` (a whole second).

    Its uuid is the uuid5 of the bid's uuid and now, an allocation's that of the
    contract's and the offer's, so that the same round gives the same contracts.
    """
    bid = deal.award.bid
    uuid = derived_id(bid.uuid, now.isoformat())
    contract = Contract(
        uuid=uuid,
        bid_uuid=bid.uuid,
        lessee_project_id=bid.project_id,
        quantity=bid.quantity,
        start_time=to_instant(deal.award.contract.begin),
        end_time=to_instant(deal.award.contract.end),
        clearing_price=Decimal(0),
        amount=Decimal(0),
        price_rule=deal.price_rule,
        status=ContractStatus.CREATED,
        status_reason=None,
        allocations=(),
        notified_at=None,
        created_at=now,
        updated_at=now,
    )
    allocations = [
        form_allocation(uuid, offer, deal.award.contract, price, now)
        for offer, price in zip(deal.award.offers, deal.prices, strict=True)
    ]
    return contract.having(*allocations, now=now)


def form_allocation(contract_uuid: str, offer: BookOffer, window: Span, price: int, now: datetime) -> Allocation:
    """Return the allocation of an offer's node to a contract; ``price`` in smallest steps."""
    return Allocation(
        uuid=derived_id(contract_uuid, offer.uuid),
        contract_uuid=contract_uuid,
        offer_uuid=offer.uuid,
        provider_uuid=offer.provider_uuid,
        node_uuid=offer.node_uuid,
        node_name=offer.node_name,
        owner_project_id=offer.owner_project_id,
        start_time=to_instant(window.begin),
        end_time=to_instant(window.end),
        clearing_price=from_micros(price),
        amount=Decimal(0),
        status=AllocationStatus.CREATED,
        status_reason=None,
        delivered_from=None,
        delivered_until=None,
        replacement_sought_since=None,
        created_at=now,
        updated_at=now,
    ).charged()
