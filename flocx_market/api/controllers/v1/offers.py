# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/offers."""

from __future__ import annotations

from collections.abc import Callable

from flocx_common.api.json_body import parse_json
from flocx_common.api.operation import Answer, Call, Controller, etag, operation
from flocx_common.api.query import ListSpec, Parameter
from flocx_common.api.values import price_from, time_from, uuid_from
from flocx_common.domain.errors import Invalid, OfferNotFound, WindowInvalid
from flocx_common.domain.paging import SortKey
from flocx_common.domain.window import TimeWindow
from flocx_market.api import views
from flocx_market.api.controllers.v1.speaking import is_service, speaking_provider
from flocx_market.api.schemas import offers as schemas
from flocx_market.api.services import MarketServices
from flocx_market.domain.offer import Offer
from flocx_market.domain.requirements import Requirement, parse_requirements
from flocx_market.policies import offers as policy
from flocx_market.ports.store import Viewer
from flocx_market.services import offers as service

LISTING = ListSpec(
    fields={
        "uuid": "uuid",
        "name": "text",
        "provider_uuid": "uuid",
        "owner_project_id": "project",
        "resource_type": "text",
        "node_uuid": "uuid",
        "node_name": "text",
        "resource_class": "text",
        "start_time": "time",
        "end_time": "time",
        "reserve_price": "price",
        "min_duration": "integer",
        "status": "text",
        "status_reason": "text",
        "created_at": "time",
        "updated_at": "time",
    },
    default_sort=(SortKey("created_at"),),
)


def _requirements(text: str, name: str) -> tuple[Requirement, ...]:
    try:
        return parse_requirements(parse_json(text.encode()))
    except Invalid as error:
        raise Invalid(f"{name}: {error.detail}", field=name) from None


_PARAMETERS = {
    "requirements": Parameter(
        _requirements,
        {"type": "string", "description": "Triples in JSON; keeps offers whose hardware satisfies all of them."},
    ),
    "available_from": Parameter(
        time_from, {"type": "string", "description": "With available_until: keeps offers that are free between them."}
    ),
    "available_until": Parameter(time_from, {"type": "string", "description": "See available_from."}),
}


class OffersController(Controller[MarketServices]):
    """All offers."""

    def below(self, segment: str) -> Controller[MarketServices] | None:
        """Return the controller of one offer."""
        return OfferController(self._services, {"offer_uuid": segment})

    @operation(
        method="GET",
        path="/v1/offers",
        summary="List offers",
        policy=policy.LIST,
        listing=LISTING,
        parameters=_PARAMETERS,
        answers={200: schemas.OFFERS},
    )
    def list(self, call: Call[MarketServices]) -> Answer:
        """List the offers that the caller may see."""
        call.require({"project_id": call.caller.project_id})
        viewer = _viewer(call)
        search = service.Search(requirements=call.parameters.get("requirements", ()), available=_available(call))
        page, free = service.list_offers(
            call.query, viewer, search, store=call.services.store, now=call.services.clock.now()
        )
        names = call.services.names(offer.owner_project_id for offer in page.items)
        shown = [views.offer(offer, free[offer.uuid], names, viewer.project_id) for offer in page.items]
        return Answer(body={"offers": shown, "links": call.next_links(page.items[-1].uuid if page.more else None)})


class OfferController(Controller[MarketServices]):
    """One offer."""

    @operation(
        method="GET",
        path="/v1/offers/{offer_uuid}",
        summary="Show an offer",
        policy=policy.GET,
        answers={200: schemas.OFFER},
    )
    def show(self, call: Call[MarketServices]) -> Answer:
        """Show an offer."""
        viewer = _viewer(call)
        offer, free = service.get_offer(
            call.path["offer_uuid"],
            guard=_guard(call, viewer),
            store=call.services.store,
            now=call.services.clock.now(),
        )
        names = call.services.names([offer.owner_project_id])
        return Answer(body=views.offer(offer, free, names, viewer.project_id), headers={"ETag": etag(offer.generation)})

    @operation(
        method="PUT",
        path="/v1/offers/{offer_uuid}",
        summary="Publish an offer",
        policy=policy.PUBLISH,
        body=schemas.PUBLISH,
        answers={200: schemas.OFFER, 201: schemas.OFFER},
        statuses=(409,),
    )
    def publish(self, call: Call[MarketServices]) -> Answer:
        """Publish an offer of the caller's provider; repeating it is harmless."""
        call.require({})
        publication = _publication(call)
        offer, new = service.publish(
            publication, speaking_provider(call), store=call.services.store, now=call.services.clock.now()
        )
        shown, free = service.get_offer(
            offer.uuid, guard=lambda _: None, store=call.services.store, now=call.services.clock.now()
        )
        body = views.offer(shown, free, call.services.names([offer.owner_project_id]), None)
        headers = {"Location": call.url(f"/v1/offers/{offer.uuid}"), "ETag": etag(shown.generation)}
        return Answer(status=201 if new else 200, body=body, headers=headers)

    @operation(
        method="DELETE",
        path="/v1/offers/{offer_uuid}",
        summary="Withdraw an offer",
        policy=policy.WITHDRAW,
        answers={204: None},
        statuses=(409,),
    )
    def withdraw(self, call: Call[MarketServices]) -> Answer:
        """Withdraw an offer of the caller's provider; again is harmless."""
        call.require({})
        service.withdraw(
            call.path["offer_uuid"], speaking_provider(call), store=call.services.store, now=call.services.clock.now()
        )
        return Answer(status=204)


def _viewer(call: Call[MarketServices]) -> Viewer:
    """Return whose eyes the caller sees offers with."""
    if call.caller.is_admin:
        return Viewer()
    if is_service(call):
        return Viewer(provider_uuid=speaking_provider(call).uuid)
    return Viewer(project_id=call.caller.project_id)


def _guard(call: Call[MarketServices], viewer: Viewer) -> Callable[[Offer], None]:
    def guard(offer: Offer) -> None:
        hidden = OfferNotFound(f"offer: there is no offer {offer.uuid!r}", field="uuid")
        call.require({"project_id": call.caller.project_id}, hidden=(policy.GET, hidden))
        if not _sees(offer, viewer):
            raise hidden

    return guard


def _sees(offer: Offer, viewer: Viewer) -> bool:
    if viewer.provider_uuid is not None:
        return offer.provider_uuid == viewer.provider_uuid
    return (
        viewer.project_id is None
        or offer.lessee_project_ids is None
        or viewer.project_id in (offer.owner_project_id, *offer.lessee_project_ids)
    )


def _available(call: Call[MarketServices]) -> TimeWindow | None:
    start, end = call.parameters.get("available_from"), call.parameters.get("available_until")
    if start is None and end is None:
        return None
    if start is None or end is None:
        missing = "available_from" if start is None else "available_until"
        raise WindowInvalid(f"{missing}: required when the other bound is given", field=missing)
    return _window(start, end, "available_until")


def _window(start: object, end: object, field: str) -> TimeWindow:
    try:
        return TimeWindow(start, end)  # type: ignore[arg-type]
    except ValueError as error:
        raise WindowInvalid(f"{field}: {error}", field=field) from None


def _publication(call: Call[MarketServices]) -> service.Publication:
    body, resolve = call.body, call.services.directory.resolve
    end = body.get("end_time")
    lessees = body.get("lessee_project_ids")
    return service.Publication(
        uuid=uuid_from(call.path["offer_uuid"], "offer_uuid"),
        name=body.get("name"),
        owner_project_id=resolve(body["owner_project_id"]),
        resource_type=body.get("resource_type", "node"),
        node_uuid=body["node_uuid"],
        node_name=body.get("node_name"),
        resource_class=body.get("resource_class"),
        properties=body["properties"],
        window=_window(
            time_from(body["start_time"], "start_time"), None if end is None else time_from(end, "end_time"), "end_time"
        ),
        reserve_price=price_from(body["reserve_price"], "reserve_price"),
        min_duration=body.get("min_duration", 0),
        lessee_project_ids=None if lessees is None else tuple(sorted({resolve(lessee) for lessee in lessees})),
        health_problem=body.get("health_problem"),
    )
