# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/offers."""

from __future__ import annotations

from collections.abc import Callable

from flocx_common.api.operation import Answer, Call, Controller, etag, operation
from flocx_common.api.query import ListSpec
from flocx_common.api.values import normalized, price_from, time_from
from flocx_common.domain.errors import OfferNotFound
from flocx_common.domain.json_values import digest
from flocx_common.domain.paging import SortKey
from flocx_provider.api import views
from flocx_provider.api.schemas import offers as schemas
from flocx_provider.api.services import ProviderServices
from flocx_provider.domain.offer import Offer
from flocx_provider.policies import offers as policy
from flocx_provider.services import offers as service

LISTING = ListSpec(
    fields={
        "uuid": "uuid",
        "name": "text",
        "owner_project_id": "project",
        "node_uuid": "uuid",
        "node_name": "text",
        "resource_class": "text",
        "start_time": "time",
        "end_time": "time",
        "reserve_price": "price",
        "min_duration": "integer",
        "status": "text",
        "status_reason": "text",
        "publication": "text",
        "publication_reason": "text",
        "created_at": "time",
        "updated_at": "time",
    },
    default_sort=(SortKey("created_at"),),
)


class OffersController(Controller[ProviderServices]):
    """All offers."""

    def below(self, segment: str) -> Controller[ProviderServices] | None:
        """Return the controller of one offer."""
        return OfferController(self._services, {"offer_uuid": segment})

    @operation(
        method="GET",
        path="/v1/offers",
        summary="List offers",
        policy=policy.LIST,
        listing=LISTING,
        answers={200: schemas.OFFERS},
    )
    def list(self, call: Call[ProviderServices]) -> Answer:
        """List the caller's offers."""
        call.require({"project_id": call.caller.project_id})
        owner = None if call.caller.is_admin else call.caller.project_id
        page = service.list_offers(call.query, owner, store=call.services.store)
        names = call.services.names(offer.owner_project_id for offer in page.items)
        links = call.next_links(page.items[-1].uuid if page.more else None)
        return Answer(body={"offers": [views.offer(offer, names) for offer in page.items], "links": links})

    @operation(
        method="POST",
        path="/v1/offers",
        summary="Offer a node",
        policy=policy.CREATE,
        body=schemas.CREATE,
        answers={201: schemas.OFFER, 200: schemas.OFFER},
        statuses=(404, 409),
    )
    def create(self, call: Call[ProviderServices]) -> Answer:
        """Offer a node of the caller's project."""
        call.require({"project_id": call.caller.project_id})
        offer, new = service.create_offer(
            _request(call),
            owner_project_id=None if call.caller.is_admin else call.caller.project_id,
            inventory=call.services.inventory,
            private=call.services.settings.private,
            store=call.services.store,
            now=call.services.clock.now(),
        )
        answer = _answer(call, offer)
        headers = {**answer.headers, "Location": call.url(f"/v1/offers/{offer.uuid}")}
        return Answer(status=201 if new else 200, body=answer.body, headers=headers)


class OfferController(Controller[ProviderServices]):
    """One offer."""

    @operation(
        method="GET",
        path="/v1/offers/{offer_uuid}",
        summary="Show an offer",
        policy=policy.GET,
        answers={200: schemas.OFFER},
    )
    def show(self, call: Call[ProviderServices]) -> Answer:
        """Show an offer."""
        return _answer(call, service.get_offer(call.path["offer_uuid"], guard=_guard(call), store=call.services.store))

    @operation(
        method="PATCH",
        path="/v1/offers/{offer_uuid}",
        summary="Change an offer",
        policy=policy.UPDATE,
        body=schemas.CHANGE,
        answers={200: schemas.OFFER},
        statuses=(409, 412),
    )
    def change(self, call: Call[ProviderServices]) -> Answer:
        """Change price or end of an offer."""
        body = call.body
        end = body.get("end_time")
        change = service.OfferChange(
            reserve_price=price_from(body["reserve_price"], "reserve_price") if "reserve_price" in body else None,
            end_time=None if end is None else time_from(end, "end_time"),
            reend="end_time" in body,
        )
        offer = service.change_offer(
            call.path["offer_uuid"],
            change,
            guard=_guard(call),
            store=call.services.store,
            now=call.services.clock.now(),
        )
        return _answer(call, offer)

    @operation(
        method="DELETE",
        path="/v1/offers/{offer_uuid}",
        summary="Withdraw an offer",
        policy=policy.DELETE,
        answers={204: None},
        statuses=(409, 412),
    )
    def withdraw(self, call: Call[ProviderServices]) -> Answer:
        """Withdraw an offer; again is harmless."""
        service.withdraw_offer(
            call.path["offer_uuid"], guard=_guard(call), store=call.services.store, now=call.services.clock.now()
        )
        return Answer(status=204)


def _guard(call: Call[ProviderServices]) -> Callable[[Offer], None]:
    def guard(offer: Offer) -> None:
        hidden = OfferNotFound(f"offer: there is no offer {offer.uuid!r}", field="uuid")
        call.require({"owner_project_id": offer.owner_project_id}, hidden=(policy.GET, hidden))
        call.match_etag(offer.generation)

    return guard


def _request(call: Call[ProviderServices]) -> service.OfferRequest:
    body, resolve = call.body, call.services.directory.resolve
    end, lessees = body.get("end_time"), body.get("lessee_project_ids")
    return service.OfferRequest(
        uuid=body.get("uuid"),
        name=body.get("name"),
        node=body["node_uuid"],
        start_time=time_from(body["start_time"], "start_time") if "start_time" in body else None,
        end_time=None if end is None else time_from(end, "end_time"),
        reserve_price=price_from(body["reserve_price"], "reserve_price"),
        min_duration=body.get("min_duration", 0),
        lessee_project_ids=None if lessees is None else tuple(sorted({resolve(lessee) for lessee in lessees})),
        digest=digest(normalized(body)),
    )


def _answer(call: Call[ProviderServices], offer: Offer) -> Answer:
    names = call.services.names([offer.owner_project_id])
    return Answer(body=views.offer(offer, names), headers={"ETag": etag(offer.generation)})
