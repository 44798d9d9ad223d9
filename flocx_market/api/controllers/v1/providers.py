# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/providers."""

from __future__ import annotations

from collections.abc import Callable

from flocx_common.api.operation import Answer, Call, Controller, etag, operation
from flocx_common.api.query import ListSpec
from flocx_common.api.values import normalized
from flocx_common.domain.errors import ProviderNotFound
from flocx_common.domain.json_values import digest
from flocx_common.domain.paging import SortKey
from flocx_market.api import views
from flocx_market.api.schemas import providers as schemas
from flocx_market.api.services import MarketServices
from flocx_market.domain.provider import Provider
from flocx_market.policies import providers as policy
from flocx_market.services import providers as service

LISTING = ListSpec(
    fields={
        "uuid": "uuid",
        "name": "text",
        "service_user_id": "text",
        "turnaround": "integer",
        "last_heartbeat_at": "time",
        "silent": "truth",
        "created_at": "time",
        "updated_at": "time",
    },
    default_sort=(SortKey("name"),),
)


class ProvidersController(Controller[MarketServices]):
    """All providers."""

    def below(self, segment: str) -> Controller[MarketServices] | None:
        """Return the controller of one provider."""
        return ProviderController(self._services, {"provider_uuid": segment})

    @operation(
        method="GET",
        path="/v1/providers",
        summary="List providers",
        policy=policy.LIST,
        listing=LISTING,
        answers={200: schemas.PROVIDERS},
    )
    def list(self, call: Call[MarketServices]) -> Answer:
        """List the providers that the caller may see."""
        call.require({})
        user = None if call.caller.is_admin else call.caller.user_id
        page = service.list_providers(call.query, user, store=call.services.store)
        links = call.next_links(page.items[-1].uuid if page.more else None)
        return Answer(body={"providers": [views.provider(one) for one in page.items], "links": links})

    @operation(
        method="POST",
        path="/v1/providers",
        summary="Register a provider",
        policy=policy.CREATE,
        body=schemas.CREATE,
        answers={201: schemas.PROVIDER, 200: schemas.PROVIDER},
        statuses=(409,),
    )
    def create(self, call: Call[MarketServices]) -> Answer:
        """Register a provider; a service user registers itself."""
        body = call.body
        service_user_id = body.get("service_user_id", call.caller.user_id)
        call.require({"service_user_id": service_user_id})
        registration = service.Registration(
            uuid=body.get("uuid"),
            name=body["name"],
            service_user_id=service_user_id,
            turnaround=body.get("turnaround", 0),
            digest=digest(normalized(body)),
        )
        provider, new = service.register(registration, store=call.services.store, now=call.services.clock.now())
        headers = {"Location": call.url(f"/v1/providers/{provider.uuid}"), "ETag": etag(provider.generation)}
        return Answer(status=201 if new else 200, body=views.provider(provider), headers=headers)


class ProviderController(Controller[MarketServices]):
    """One provider."""

    def __init__(self, services: MarketServices, path: dict[str, str]) -> None:
        super().__init__(services, path)
        self.heartbeat = HeartbeatController(services, path)

    @operation(
        method="GET",
        path="/v1/providers/{provider_uuid}",
        summary="Show a provider",
        policy=policy.GET,
        answers={200: schemas.PROVIDER},
    )
    def show(self, call: Call[MarketServices]) -> Answer:
        """Show a provider."""
        provider = service.get_provider(call.path["provider_uuid"], guard=_guard(call), store=call.services.store)
        return _answer(provider)

    @operation(
        method="PATCH",
        path="/v1/providers/{provider_uuid}",
        summary="Change a provider",
        policy=policy.UPDATE,
        body=schemas.CHANGE,
        answers={200: schemas.PROVIDER},
        statuses=(409, 412),
    )
    def change(self, call: Call[MarketServices]) -> Answer:
        """Change name or turnaround of a provider."""
        provider = service.change(
            call.path["provider_uuid"],
            name=call.body.get("name"),
            turnaround=call.body.get("turnaround"),
            guard=_guard(call),
            store=call.services.store,
            now=call.services.clock.now(),
        )
        return _answer(provider)

    @operation(
        method="DELETE",
        path="/v1/providers/{provider_uuid}",
        summary="Remove a provider",
        policy=policy.DELETE,
        answers={204: None},
        statuses=(409, 412),
    )
    def remove(self, call: Call[MarketServices]) -> Answer:
        """Remove a provider that has nothing on the market."""
        service.remove(
            call.path["provider_uuid"], guard=_guard(call), store=call.services.store, now=call.services.clock.now()
        )
        return Answer(status=204)


class HeartbeatController(Controller[MarketServices]):
    """A provider's sign of life."""

    @operation(
        method="PUT",
        path="/v1/providers/{provider_uuid}/heartbeat",
        summary="Say that a provider is alive",
        policy=policy.HEARTBEAT,
        answers={200: schemas.PROVIDER},
        statuses=(409,),
    )
    def heartbeat(self, call: Call[MarketServices]) -> Answer:
        """Note a sign of life."""
        provider = service.heartbeat(
            call.path["provider_uuid"], guard=_guard(call), store=call.services.store, now=call.services.clock.now()
        )
        return _answer(provider)


def _guard(call: Call[MarketServices]) -> Callable[[Provider], None]:
    def guard(provider: Provider) -> None:
        hidden = ProviderNotFound(f"provider: there is no provider {provider.uuid!r}", field="uuid")
        call.require({"service_user_id": provider.service_user_id}, hidden=(policy.GET, hidden))
        call.match_etag(provider.generation)

    return guard


def _answer(provider: Provider) -> Answer:
    return Answer(body=views.provider(provider), headers={"ETag": etag(provider.generation)})
