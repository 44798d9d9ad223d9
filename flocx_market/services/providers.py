# SPDX-License-Identifier: Apache-2.0
"""Registering providers, hearing from them, and noticing when they fall silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from flocx_common.domain.clock import floor_second
from flocx_common.domain.errors import IdTaken, ProviderInUse, ProviderNotFound, ProviderUnregistered
from flocx_common.domain.events import Event
from flocx_common.domain.ids import new_id
from flocx_common.domain.paging import ListQuery, Page
from flocx_market.domain.offer import STANDING, settled_status
from flocx_market.domain.provider import Provider
from flocx_market.ports.store import Store, UnitOfWork
from flocx_market.services import offers

Guard = Callable[[Provider], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A provider to be; ``uuid`` None stands for a fresh one."""

    uuid: str | None
    name: str
    service_user_id: str
    turnaround: int
    digest: str


def register(registration: Registration, *, store: Store, now: datetime) -> tuple[Provider, bool]:
    """Store a provider and return it, with whether it is new.

    The same registration repeated under the same uuid returns the stored one.

    :raises IdTaken: uuid, name or service user are another provider's.
    """

    def work(uow: UnitOfWork) -> tuple[Provider, bool]:
        stored = uow.providers.get(registration.uuid) if registration.uuid is not None else None
        if stored is not None:
            same = (registration.service_user_id, registration.digest) == (
                stored.service_user_id,
                stored.request_digest,
            )
            if not same or stored.removed_at is not None:
                raise IdTaken(f"uuid: {stored.uuid} is in use for something else", field="uuid")
            return stored, False
        provider = Provider(
            uuid=registration.uuid or new_id(),
            name=registration.name,
            service_user_id=registration.service_user_id,
            turnaround=registration.turnaround,
            last_heartbeat_at=now,
            silent=False,
            request_digest=registration.digest,
            created_at=floor_second(now),
            updated_at=floor_second(now),
        )
        uow.providers.add(provider)
        uow.record(_event("provider.registered", provider, now))
        return provider, True

    return store.write(work)


def change(
    uuid: str, *, name: str | None, turnaround: int | None, guard: Guard, store: Store, now: datetime
) -> Provider:
    """Change a provider's name or turnaround and return it; None keeps what is there.

    :raises ProviderNotFound: there is none, or ``guard`` hides it.
    :raises IdTaken: the name is another provider's.
    """

    def work(uow: UnitOfWork) -> Provider:
        provider = _guarded(uow, uuid, guard)
        changed = replace(
            provider,
            name=provider.name if name is None else name,
            turnaround=provider.turnaround if turnaround is None else turnaround,
        )
        if changed == provider:
            return provider
        changed = replace(changed, updated_at=floor_second(now))
        uow.providers.update(changed)
        uow.record(_event("provider.changed", changed, now))
        return replace(changed, generation=provider.generation + 1)

    return store.write(work)


def remove(uuid: str, *, guard: Guard, store: Store, now: datetime) -> None:
    """Remove a provider that has nothing on the market; again is harmless.

    :raises ProviderNotFound: there never was one, or ``guard`` hides it.
    :raises ProviderInUse: it has standing offers, or allocations to settle.
    """

    def work(uow: UnitOfWork) -> None:
        provider = uow.providers.get(uuid)
        if provider is None:
            raise ProviderNotFound(f"provider: there is no provider {uuid!r}", field="uuid")
        guard(provider)
        if provider.removed_at is not None:
            return
        if uow.offers.with_status(STANDING, provider_uuid=uuid):
            raise ProviderInUse(f"provider: {provider.name} has offers on the market; withdraw them first")
        if uow.contracts.unsettled(uuid):
            raise ProviderInUse(f"provider: {provider.name} has nodes under contract")
        removed = replace(provider, removed_at=floor_second(now), updated_at=floor_second(now))
        uow.providers.update(removed)
        uow.record(_event("provider.removed", removed, now))

    store.write(work)


def heartbeat(uuid: str, *, guard: Guard, store: Store, now: datetime) -> Provider:
    """Note that a provider is alive; the offers of one that was silent come back.

    :raises ProviderNotFound: there is none, or ``guard`` hides it.
    """

    def work(uow: UnitOfWork) -> Provider:
        provider = _guarded(uow, uuid, guard)
        uow.providers.heard(uuid, now)
        provider = replace(provider, last_heartbeat_at=max(now, provider.last_heartbeat_at))
        return _set_silent(uow, provider, now, silent=False) if provider.silent else provider

    return store.write(work)


def notice_silence(*, store: Store, now: datetime, liveness_timeout: timedelta) -> int:
    """Suspend the offers of providers that were not heard of; return how many fell silent."""

    def overdue(uow: UnitOfWork) -> list[str]:
        return [p.uuid for p in uow.providers.all() if not p.silent and p.overdue(now, liveness_timeout)]

    def work(uuid: str, uow: UnitOfWork) -> bool:
        provider = uow.providers.get(uuid)
        if provider is None or provider.silent or not provider.overdue(now, liveness_timeout):
            return False
        _set_silent(uow, provider, now, silent=True)
        return True

    return sum(store.write(partial(work, uuid)) for uuid in store.read(overdue))


def speaker(service_user_id: str, *, store: Store) -> Provider:
    """Return the provider that a service user speaks for.

    :raises ProviderUnregistered: it speaks for none.
    """
    provider = store.read(lambda uow: uow.providers.speaking(service_user_id))
    if provider is None:
        raise ProviderUnregistered(f"user: {service_user_id!r} speaks for no registered provider")
    return provider


def get_provider(uuid: str, *, guard: Guard, store: Store) -> Provider:
    """Return a provider.

    :raises ProviderNotFound: there is none, or ``guard`` hides it.
    """
    return store.read(lambda uow: _guarded(uow, uuid, guard))


def list_providers(query: ListQuery, service_user_id: str | None, *, store: Store) -> Page[Provider]:
    """Return a page of the providers a service user speaks for, or of all for None."""
    return store.read(lambda uow: uow.providers.page(query, service_user_id))


def _guarded(uow: UnitOfWork, uuid: str, guard: Guard) -> Provider:
    provider = uow.providers.get(uuid)
    if provider is None or provider.removed_at is not None:
        raise ProviderNotFound(f"provider: there is no provider {uuid!r}", field="uuid")
    guard(provider)
    return provider


def _set_silent(uow: UnitOfWork, provider: Provider, now: datetime, *, silent: bool) -> Provider:
    changed = replace(provider, silent=silent, updated_at=floor_second(now))
    uow.providers.update(changed)
    for offer in uow.offers.with_status(STANDING, provider_uuid=provider.uuid):
        settled = settled_status(offer, provider_alive=not silent, now=floor_second(now))
        if settled != offer:
            offers.change(uow, settled, now)
    uow.record(_event("provider.silent" if silent else "provider.returned", changed, now))
    return replace(changed, generation=provider.generation + 1)


def _event(event_type: str, provider: Provider, now: datetime) -> Event:
    return Event(
        event_type=event_type,
        entity_uuid=provider.uuid,
        project_ids=frozenset(),
        occurred_at=now,
        detail={"name": provider.name},
    )
