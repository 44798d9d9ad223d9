# SPDX-License-Identifier: Apache-2.0
"""The market over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from flocx_client import errors
from flocx_client.market import MarketClient
from flocx_common.domain.money import price_text
from flocx_provider.domain.allocation import Allocation, AllocationStatus, Contract
from flocx_provider.domain.offer import Offer
from flocx_provider.ports.market import (
    AllocationNews,
    CursorLost,
    ListedOffer,
    MarketRefused,
    MarketUnavailable,
    TooEarly,
)

#: Refusals that the same call does not meet again: by error code.
_RACE_LOST = "flocx.request.race_lost"
_STILL_RUNNING = "flocx.allocation.still_running"

_STANDING = "in:available,suspended"


class HttpMarketGateway:
    """Calls of the market through the client.

    :param connect: makes the client; called once, when it is first needed, so
        that a wrong or silent market delays no start.
    """

    def __init__(self, connect: Callable[[], MarketClient]) -> None:
        self._connect = connect
        self._connected: MarketClient | None = None

    def register(self, *, name: str, turnaround: int) -> str:
        """Make sure that this provider is registered as described, and return its uuid there.

        :raises MarketRefused: the name is another provider's.
        """
        with _told_apart(refusals=(errors.BadRequest, errors.Conflict)):
            client = self._client()
            # An administrator sees the others, too; the market lets each speak for its own alone.
            known = next((one for one in client.providers() if _speaks_for(client, one["uuid"])), None)
            if known is None:
                return str(client.create_provider(name=name, turnaround=turnaround)["uuid"])
            if (known["name"], known["turnaround"]) != (name, turnaround):
                client.update_provider(known["uuid"], name=name, turnaround=turnaround)
            return str(known["uuid"])

    def heartbeat(self, provider_uuid: str) -> bool:
        """Say that this provider is alive; return whether the market knows it."""
        with _told_apart():
            return _speaks_for(self._client(), provider_uuid)

    def put_offer(self, offer: Offer) -> None:
        """Publish an offer as it is.

        :raises MarketRefused: the market will not have it.
        """
        end = offer.window.end
        with _told_apart(refusals=(errors.BadRequest, errors.Conflict)):
            published = self._client().put_offer(
                offer.uuid,
                name=offer.name,
                owner_project_id=offer.owner_project_id,
                resource_type="node",
                node_uuid=offer.node_uuid,
                node_name=offer.node_name,
                resource_class=offer.resource_class,
                properties=dict(offer.properties),
                start_time=offer.window.start.isoformat(),
                end_time=None if end is None else end.isoformat(),
                reserve_price=price_text(offer.reserve_price),
                min_duration=offer.min_duration,
                lessee_project_ids=None if offer.lessee_project_ids is None else list(offer.lessee_project_ids),
                health_problem=offer.problem,
            )
            _refuse_another(published, offer.uuid)

    def withdraw_offer(self, uuid: str) -> None:
        """Take an offer off the market; one the market never had is off it."""
        with _told_apart():
            self._client().delete_offer(uuid)

    def offers(self) -> Sequence[ListedOffer]:
        """Return what the market has of this provider's offers that are not over."""
        with _told_apart():
            return [
                ListedOffer(
                    uuid=item["uuid"],
                    status=item["status"],
                    reserve_price=Decimal(item["reserve_price"]),
                    end_time=None if item["end_time"] is None else _time(item["end_time"]),
                )
                for item in self._client().offers(status=_STANDING, limit=1000)
            ]

    def changes(self, since: str | None, wait: float) -> tuple[Sequence[AllocationNews], str]:
        """Return allocations that changed after a cursor, and the cursor to go on from.

        :raises CursorLost: the market does not know the cursor.
        """
        with _told_apart():
            try:
                items, following = self._client().allocation_changes(since=since, wait=wait)
            except errors.BadRequest as error:
                if error.code == "flocx.cursor.invalid":
                    raise CursorLost(since) from None
                raise
            return [_news(item) for item in items], following

    def report(self, allocation: Allocation) -> None:
        """Tell the market the status of an allocation.

        :raises TooEarly: the market's clock is behind ours.
        :raises MarketRefused: the market has decided otherwise.
        """
        fields: dict[str, Any] = {"status": str(allocation.status)}
        match allocation.status:
            case AllocationStatus.ACTIVE:
                fields["at"] = _at(allocation.delivered_from)
            case AllocationStatus.RELEASED:
                fields["at"] = _at(allocation.delivered_until)
            case AllocationStatus.FAILED:
                fields |= {"reason": allocation.status_reason, "breach": allocation.breach}
                fields["at"] = _at(allocation.delivered_until)
        with _told_apart(refusals=(errors.BadRequest, errors.Conflict, errors.NotFound)):
            reported = self._client().report_allocation(
                allocation.uuid, **{name: value for name, value in fields.items() if value is not None}
            )
            _refuse_another(reported, allocation.uuid)

    def _client(self) -> MarketClient:
        if self._connected is None:
            self._connected = self._connect()
        return self._connected


@contextmanager
def _told_apart(refusals: tuple[type[errors.RequestRefused], ...] = ()) -> Iterator[None]:
    """Tell apart what is pointless to repeat and what is not.

    Missing credentials or roles are the operator's to mend, so they are tried again.
    """
    try:
        yield
    except refusals as error:
        if error.code in (None, _RACE_LOST):
            # Without a code it is not the market that refuses: nothing is decided.
            raise MarketUnavailable(f"market: {_words(error)}") from error
        if error.code == _STILL_RUNNING:
            raise TooEarly(error.detail, field=error.field) from error
        raise MarketRefused(error.detail, field=error.field) from error
    except errors.ClientError as error:
        raise MarketUnavailable(f"market: {_words(error)}") from error
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        # Something answers, but it is not the market: a proxy's page, say.
        raise MarketUnavailable("market: what answers there does not answer as a market would") from error


def _speaks_for(client: MarketClient, provider_uuid: str) -> bool:
    """Say that a provider is alive; return whether the market takes that from us."""
    try:
        _refuse_another(client.heartbeat(provider_uuid), provider_uuid)
    except (errors.NotFound, errors.Forbidden) as error:
        if error.code is None:
            raise
        return False
    return True


def _words(error: errors.ClientError) -> str:
    """Return what went wrong, without what differs at each try: a log tells a change of state once."""
    if isinstance(error, errors.RequestRefused):
        return f"{error.detail} (HTTP {error.status}, {error.code or 'no code'})"
    return str(error)


def _refuse_another(answer: Mapping[str, Any], uuid: str) -> None:
    """Refuse to take it for done when the answer is not about what was sent."""
    if answer["uuid"] != uuid:
        raise ValueError(f"{uuid} was sent and {answer['uuid']!r} came back")


def _news(item: Mapping[str, Any]) -> AllocationNews:
    contract = item["contract"]
    return AllocationNews(
        uuid=item["uuid"],
        contract=Contract(
            uuid=contract["uuid"],
            lessee_project_id=contract["lessee_project_id"],
            start_time=_time(contract["start_time"]),
            end_time=_time(contract["end_time"]),
            status=contract["status"],
            status_reason=contract["status_reason"],
        ),
        offer_uuid=item["offer_uuid"],
        node_uuid=item["node_uuid"],
        node_name=item["node_name"],
        owner_project_id=item["owner_project_id"],
        start_time=_time(item["start_time"]),
        end_time=_time(item["end_time"]),
        clearing_price=Decimal(item["clearing_price"]),
        amount=Decimal(item["amount"]),
        status=item["status"],
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _at(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
