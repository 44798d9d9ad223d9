# SPDX-License-Identifier: Apache-2.0
"""Publishing offers, taking them back, and looking at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from flocx_common.domain.clock import floor_second
from flocx_common.domain.errors import Conflict, IdTaken, OfferNotFound, OffersOverlap, WindowInvalid
from flocx_common.domain.events import Event, projects
from flocx_common.domain.json_values import JSON, digest
from flocx_common.domain.paging import ListQuery, Page
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.offer import OFFER_STATES, STANDING, Offer, OfferStatus, settled_status
from flocx_market.domain.provider import Provider
from flocx_market.domain.requirements import Requirement
from flocx_market.ports.store import Store, UnitOfWork, Viewer
from flocx_market.services.supply import free_of

# How many offers are read at a time where they are filtered by requirements.
_BATCH = 500

Guard = Callable[[Offer], None]
Free = Mapping[str, tuple[TimeWindow, ...]]


class OfferFixed(Conflict):
    """A field that makes an offer what it is cannot be changed by publishing it again."""

    code = "flocx.offer.fixed"
    title = "The offer cannot become another one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a provider publishes of an offer. ``health_problem`` None means its node is fit for use."""

    uuid: str
    name: str | None
    owner_project_id: str
    resource_type: str
    node_uuid: str
    node_name: str | None
    resource_class: str | None
    properties: Mapping[str, JSON]
    window: TimeWindow
    reserve_price: Decimal
    min_duration: int
    lessee_project_ids: tuple[str, ...] | None
    health_problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What offers must satisfy besides the filters: requirements, and a window free in them."""

    requirements: Sequence[Requirement] = ()
    available: TimeWindow | None = None


def publish(publication: Publication, provider: Provider, *, store: Store, now: datetime) -> tuple[Offer, bool]:
    """Put a provider's offer on the market as it is now, and return it, with whether it is new.

    Repeating it changes nothing. A final offer (expired, withdrawn) stays so.

    :raises IdTaken: the uuid is another provider's offer.
    :raises OffersOverlap: the node has another offer in that time.
    :raises OfferFixed: node, owner or kind differ from what was published before.
    :raises InvalidTransition: it is final, and what is published differs.
    :raises WindowInvalid: its end has passed.
    """

    def work(uow: UnitOfWork) -> tuple[Offer, bool]:
        stored = uow.offers.get(publication.uuid)
        if stored is not None and stored.provider_uuid != provider.uuid:
            raise IdTaken(f"uuid: {publication.uuid} is in use", field="uuid")
        offer = _published(publication, provider, stored, now)
        if stored is not None and stored.status not in STANDING:
            if replace(offer, updated_at=stored.updated_at) != stored:
                OFFER_STATES.fire(stored.status, "change")
            return stored, False
        offer = settled_status(offer, provider_alive=not provider.silent, now=now)
        if stored is not None and replace(offer, updated_at=stored.updated_at) == stored:
            return stored, False
        generation = uow.nodes.know(offer.node_uuid)
        _refuse_overlap(uow, offer)
        uow.nodes.bump({offer.node_uuid: generation})
        if stored is None:
            uow.offers.add(offer)
        else:
            uow.offers.update(offer)
            offer = replace(offer, generation=stored.generation + 1)
        what = "published" if stored is None else "changed" if stored.status is offer.status else _PAST[offer.status]
        uow.record(_event(f"offer.{what}", offer, now))
        return offer, stored is None

    return store.write(work)


def withdraw(uuid: str, provider: Provider, *, store: Store, now: datetime) -> None:
    """Take a provider's offer off the market; contracts already made stand. Again is harmless.

    :raises OfferNotFound: the provider has no such offer.
    """

    def work(uow: UnitOfWork) -> None:
        offer = uow.offers.get(uuid)
        if offer is None or offer.provider_uuid != provider.uuid:
            raise OfferNotFound(f"offer: there is no offer {uuid!r} of provider {provider.name}", field="uuid")
        if offer.status in STANDING:
            change(uow, offer.after("withdraw", floor_second(now), "withdrawn by its owner or provider"), now)

    store.write(work)


def get_offer(uuid: str, *, guard: Guard, store: Store, now: datetime) -> tuple[Offer, tuple[TimeWindow, ...]]:
    """Return an offer with its free windows.

    :raises OfferNotFound: there is no such offer, or ``guard`` hides it.
    """

    def work(uow: UnitOfWork) -> tuple[Offer, tuple[TimeWindow, ...]]:
        offer = uow.offers.get(uuid)
        if offer is None:
            raise OfferNotFound(f"offer: there is no offer {uuid!r}", field="uuid")
        guard(offer)
        return offer, free_of(uow, [offer], now)[uuid]

    return store.read(work)


def list_offers(
    query: ListQuery, viewer: Viewer, search: Search, *, store: Store, now: datetime
) -> tuple[Page[Offer], Free]:
    """Return a page of the offers that ``viewer`` may see and ``search`` keeps, with their free windows."""

    def work(uow: UnitOfWork) -> tuple[Page[Offer], Free]:
        if not search.requirements and search.available is None:
            page = uow.offers.page(query, viewer)
            return page, free_of(uow, page.items, now)
        return _searched(uow, query, viewer, search, now)

    return store.read(work)


def change(uow: UnitOfWork, offer: Offer, now: datetime) -> None:
    """Store an offer whose status has changed, in a transaction that others cannot cross."""
    generation = uow.nodes.know(offer.node_uuid)
    uow.nodes.bump({offer.node_uuid: generation})
    uow.offers.update(offer)
    uow.record(_event(f"offer.{_PAST[offer.status]}", offer, now))


_PAST = {
    OfferStatus.AVAILABLE: "resumed",
    OfferStatus.SUSPENDED: "suspended",
    OfferStatus.EXPIRED: "expired",
    OfferStatus.WITHDRAWN: "withdrawn",
}


def _searched(
    uow: UnitOfWork, query: ListQuery, viewer: Viewer, search: Search, now: datetime
) -> tuple[Page[Offer], Free]:
    known: dict[tuple[str, str], bool] = {}

    def meets(offer: Offer, requirement: Requirement) -> bool:
        key = (requirement.key, offer.properties_digest)
        if key not in known:
            known[key] = requirement.holds(offer.properties)
        return known[key]

    kept: list[Offer] = []
    free: dict[str, tuple[TimeWindow, ...]] = {}
    batch = replace(query, limit=_BATCH)
    while True:
        page = uow.offers.page(batch, viewer)
        fitting = [o for o in page.items if all(meets(o, requirement) for requirement in search.requirements)]
        windows = free_of(uow, fitting, now)
        for offer in fitting:
            wanted = search.available
            if wanted is not None and not any(window.covers(wanted) for window in windows[offer.uuid]):
                continue
            if len(kept) == query.limit:
                return Page(kept, more=True), free
            kept.append(offer)
            free[offer.uuid] = windows[offer.uuid]
        if not page.more:
            return Page(kept, more=False), free
        batch = replace(batch, marker=page.items[-1].uuid)


def _published(publication: Publication, provider: Provider, stored: Offer | None, now: datetime) -> Offer:
    now = floor_second(now)
    if stored is None:
        end = publication.window.end
        if end is not None and end <= now:
            raise WindowInvalid(f"end_time: {end.isoformat()} has passed", field="end_time")
    else:
        for field in ("node_uuid", "owner_project_id", "resource_type"):
            if getattr(publication, field) != getattr(stored, field):
                was = getattr(stored, field)
                raise OfferFixed(f"{field}: offer {stored.uuid} was published with {was!r}", field=field)
    return Offer(
        uuid=publication.uuid,
        name=publication.name,
        provider_uuid=provider.uuid,
        owner_project_id=publication.owner_project_id,
        resource_type=publication.resource_type,
        node_uuid=publication.node_uuid,
        node_name=publication.node_name,
        resource_class=publication.resource_class,
        properties=publication.properties,
        properties_digest=digest(publication.properties),
        window=publication.window,
        reserve_price=publication.reserve_price,
        min_duration=publication.min_duration,
        lessee_project_ids=publication.lessee_project_ids,
        health_problem=publication.health_problem,
        status=OfferStatus.AVAILABLE if stored is None else stored.status,
        status_reason=None if stored is None else stored.status_reason,
        created_at=now if stored is None else stored.created_at,
        updated_at=now,
        generation=0 if stored is None else stored.generation,
    )


def _refuse_overlap(uow: UnitOfWork, offer: Offer) -> None:
    for other in uow.offers.of_node(offer.node_uuid):
        if other.uuid != offer.uuid and other.status in STANDING and other.window.overlaps(offer.window):
            name = offer.node_name or offer.node_uuid
            raise OffersOverlap(f"start_time: node {name} has another offer in that time", field="start_time")


def _event(event_type: str, offer: Offer, now: datetime) -> Event:
    return Event(
        event_type=event_type,
        entity_uuid=offer.uuid,
        project_ids=projects(offer.owner_project_id),
        occurred_at=now,
        reason=offer.status_reason,
        detail={"node_uuid": offer.node_uuid, "provider_uuid": offer.provider_uuid},
    )
