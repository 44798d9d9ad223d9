# SPDX-License-Identifier: Apache-2.0
"""Making, changing and withdrawing offers, as their owners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from flocx_common.domain.clock import ceil_second, floor_second
from flocx_common.domain.errors import IdTaken, NodeNotFound, OfferNotFound, WindowInvalid
from flocx_common.domain.events import Event, projects
from flocx_common.domain.ids import new_id
from flocx_common.domain.paging import ListQuery, Page
from flocx_common.domain.window import TimeWindow
from flocx_provider.domain.node import NodeFacts
from flocx_provider.domain.offer import OFFER_STATES, Offer, OfferStatus, Publication, refuse_overlap
from flocx_provider.domain.private_properties import PrivateProperties
from flocx_provider.ports.inventory import NodeInventory
from flocx_provider.ports.store import Store, UnitOfWork

#: Looks at an entity before it is changed and raises to refuse.
Guard = Callable[[Offer], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRequest:
    """What an owner offers. ``uuid`` None stands for a fresh one, ``start_time`` None for now."""

    uuid: str | None
    name: str | None
    node: str
    start_time: datetime | None
    end_time: datetime | None
    reserve_price: Decimal
    min_duration: int
    lessee_project_ids: tuple[str, ...] | None
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferChange:
    """New values for a standing offer; None keeps the old one. ``reend`` says that ``end_time`` is given."""

    reserve_price: Decimal | None = None
    end_time: datetime | None = None
    reend: bool = False


def create_offer(
    request: OfferRequest,
    *,
    owner_project_id: str | None,
    inventory: NodeInventory,
    private: PrivateProperties,
    store: Store,
    now: datetime,
) -> tuple[Offer, bool]:
    """Offer a node and return the offer, with whether it is new; the market is told soon.

    The same request repeated under the same uuid returns the stored offer.

    :param owner_project_id: whose node it must be; None for one who may offer any.
    :raises NodeNotFound: the owner has no such node.
    :raises WindowInvalid: the window is empty or past.
    :raises OffersOverlap: the node is already offered in that time.
    :raises IdTaken: the uuid is in use for something else.
    """
    stored = store.read(lambda uow: _stored(uow, request))
    if stored is not None:
        return _repeated(stored, request, owner_project_id), False
    # The inventory is asked before the transaction, never inside it.
    node = _own_node(inventory, request.node, owner_project_id)
    window = _window(request.start_time, request.end_time, now)

    def work(uow: UnitOfWork) -> tuple[Offer, bool]:
        again = _stored(uow, request)
        if again is not None:
            return _repeated(again, request, owner_project_id), False
        generation = uow.nodes.know(node.node_uuid)
        refuse_overlap(window, uow.offers.standing_of([node.node_uuid]), node.shown)
        uow.nodes.bump({node.node_uuid: generation})
        offer = _new_offer(request, node, window, private, now)
        uow.offers.add(offer)
        uow.record(event("offer.created", offer, now))
        return offer, True

    return store.write(work)


def change_offer(uuid: str, change: OfferChange, *, guard: Guard, store: Store, now: datetime) -> Offer:
    """Change price or end of a standing offer; contracts already made stand.

    :raises OfferNotFound: there is none, or ``guard`` hides it.
    :raises InvalidTransition: it is final.
    :raises WindowInvalid: the new end cannot be.
    :raises OffersOverlap: the node is already offered in the time that would be added.
    """

    def work(uow: UnitOfWork) -> Offer:
        offer = guarded(uow, uuid, guard)
        end = change.end_time if change.reend else offer.window.end
        price = offer.reserve_price if change.reserve_price is None else change.reserve_price
        if (end, price) == (offer.window.end, offer.reserve_price):
            return offer
        OFFER_STATES.fire(offer.status, "change")
        if end is not None and end <= floor_second(now):
            raise WindowInvalid(f"end_time: {end.isoformat()} has passed; withdraw the offer instead", field="end_time")
        window = _window(offer.window.start, end, now)
        generation = uow.nodes.know(offer.node_uuid)
        others = [other for other in uow.offers.standing_of([offer.node_uuid]) if other.uuid != uuid]
        refuse_overlap(window, others, offer.node_name or offer.node_uuid)
        uow.nodes.bump({offer.node_uuid: generation})
        changed = replace(offer.told("change", floor_second(now)), window=window, reserve_price=price)
        uow.offers.update(changed)
        uow.record(event("offer.changed", changed, now))
        return replace(changed, generation=offer.generation + 1)

    return store.write(work)


def withdraw_offer(uuid: str, *, guard: Guard, store: Store, now: datetime) -> None:
    """Withdraw an offer; contracts already made stand. Again is harmless.

    :raises OfferNotFound: there is none, or ``guard`` hides it.
    :raises InvalidTransition: it has expired.
    """

    def work(uow: UnitOfWork) -> None:
        offer = guarded(uow, uuid, guard)
        if offer.status is OfferStatus.WITHDRAWN:
            return
        withdrawn = offer.after("withdraw", floor_second(now), "withdrawn by its owner")
        uow.offers.update(withdrawn)
        uow.record(event("offer.withdrawn", withdrawn, now))

    store.write(work)


def get_offer(uuid: str, *, guard: Guard, store: Store) -> Offer:
    """Return an offer.

    :raises OfferNotFound: there is none, or ``guard`` hides it.
    """
    return store.read(lambda uow: guarded(uow, uuid, guard))


def list_offers(query: ListQuery, owner_project_id: str | None, *, store: Store) -> Page[Offer]:
    """Return a page of an owner's offers, or of all for None."""
    return store.read(lambda uow: uow.offers.page(query, owner_project_id))


def guarded(uow: UnitOfWork, uuid: str, guard: Guard) -> Offer:
    """Return an offer that ``guard`` lets through.

    :raises OfferNotFound: there is none.
    """
    offer = uow.offers.get(uuid)
    if offer is None:
        raise OfferNotFound(f"offer: there is no offer {uuid!r}", field="uuid")
    guard(offer)
    return offer


def event(event_type: str, offer: Offer, now: datetime, reason: str | None = None) -> Event:
    """Return the event that tells of a change of an offer."""
    return Event(
        event_type=event_type,
        entity_uuid=offer.uuid,
        project_ids=projects(offer.owner_project_id),
        occurred_at=now,
        reason=reason or offer.status_reason,
        detail={"node_uuid": offer.node_uuid, "node_name": offer.node_name},
    )


def _own_node(inventory: NodeInventory, name_or_uuid: str, owner_project_id: str | None) -> NodeFacts:
    node = inventory.node(name_or_uuid, inspected=True)
    if node is None or node.owner_project_id is None or owner_project_id not in (None, node.owner_project_id):
        raise NodeNotFound(
            f"node_uuid: {name_or_uuid!r}: the project owns no node of that name or UUID", field="node_uuid"
        )
    return node


def _window(start: datetime | None, end: datetime | None, now: datetime) -> TimeWindow:
    start = ceil_second(now) if start is None else start
    if end is not None and end <= floor_second(now):
        raise WindowInvalid(f"end_time: {end.isoformat()} has passed", field="end_time")
    if end is not None and end <= start:
        raise WindowInvalid(f"end_time: {end.isoformat()} is not after {start.isoformat()}", field="end_time")
    return TimeWindow(start, end)


def _stored(uow: UnitOfWork, request: OfferRequest) -> Offer | None:
    return None if request.uuid is None else uow.offers.get(request.uuid)


def _repeated(stored: Offer, request: OfferRequest, owner_project_id: str | None) -> Offer:
    theirs = owner_project_id not in (None, stored.owner_project_id)
    if theirs or stored.request_digest != request.digest:
        raise IdTaken(f"uuid: {stored.uuid} is in use for something else", field="uuid")
    return stored


def _new_offer(
    request: OfferRequest, node: NodeFacts, window: TimeWindow, private: PrivateProperties, now: datetime
) -> Offer:
    assert node.owner_project_id is not None
    second = floor_second(now)
    return Offer(
        uuid=request.uuid or new_id(),
        name=request.name,
        owner_project_id=node.owner_project_id,
        node_uuid=node.node_uuid,
        node_name=node.name,
        resource_class=node.resource_class,
        properties=private.without(node.properties),
        window=window,
        reserve_price=request.reserve_price,
        min_duration=request.min_duration,
        lessee_project_ids=request.lessee_project_ids,
        problem=node.unfit,
        status=OfferStatus.AVAILABLE if node.unfit is None else OfferStatus.SUSPENDED,
        status_reason=node.unfit,
        publication=Publication.PENDING,
        publication_reason=None,
        request_digest=request.digest,
        created_at=second,
        updated_at=second,
    )
