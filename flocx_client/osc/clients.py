# SPDX-License-Identifier: Apache-2.0
"""Clients of both services, made when a command first needs them."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from keystoneauth1 import adapter

from flocx_client import market, provider
from flocx_client.adapter import RETRIES, ServiceAdapter
from flocx_client.errors import RequestRefused, ServiceUnreachable
from flocx_client.osc.endpoints import OVERRIDES, Override


class _Quiet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Keep for --debug that a request is made again: what comes of it in the end is told anyway."""
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return True


_LOG = logging.getLogger(f"{__name__}.requests")
_LOG.addFilter(_Quiet())


class Unanswered(ServiceUnreachable):
    """A service did not answer.

    :param override: which one.
    :param endpoint: where it was looked for; None when that is not known.
    """

    def __init__(self, override: Override, endpoint: str | None, error: ServiceUnreachable) -> None:
        super().__init__(str(error))
        self.override = override
        self.endpoint = endpoint


class _NamingAdapter(ServiceAdapter):
    """Calls of a service whose failures say which service it is, and where."""

    def __init__(self, calls: adapter.Adapter, override: Override, retries: int, retry_delay: float | None) -> None:
        super().__init__(calls, retries, retry_delay)
        self._override = override

    def call(self, *args: Any, **options: Any) -> Any:
        """Make one call."""
        with self._named():
            return super().call(*args, **options)

    def text(self, path: str) -> str:
        """Return an answer that is not JSON."""
        with self._named():
            return super().text(path)

    def part(self, answer: Any, name: str) -> Any:
        """Return a part that every answer of its kind has."""
        with self._named():
            return super().part(answer, name)

    def one(self, *args: Any, **options: Any) -> Any:
        """Make a call that is answered with one thing."""
        with self._named():
            return super().one(*args, **options)

    def _named(self) -> _Naming:
        return _Naming(self._override, self._adapter)


class _Naming:
    def __init__(self, override: Override, calls: adapter.Adapter) -> None:
        self._override, self._adapter = override, calls

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, ServiceUnreachable) and not isinstance(error, Unanswered):
            raise Unanswered(self._override, self._endpoint(), error) from (error.__cause__ or error)

    def _endpoint(self) -> str | None:
        try:
            found = self._adapter.get_endpoint()
        except Exception:
            return None
        return None if found is None else str(found)


class Market(market.MarketCalls):
    """The market, as commands use it."""

    def __init__(self, service: ServiceAdapter) -> None:
        self._service = service


class Provider(provider.ProviderCalls):
    """The provider of the cloud, as commands use it."""

    def __init__(self, service: ServiceAdapter) -> None:
        self._service = service


class Clients:
    """Both services, by the session and the settings of a client manager."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    @cached_property
    def market(self) -> Market:
        """The market."""
        return Market(self._adapter(market.SERVICE_TYPE))

    @cached_property
    def provider(self) -> Provider:
        """The provider of the cloud."""
        return Provider(self._adapter(provider.SERVICE_TYPE))

    @cached_property
    def price_unit(self) -> str | None:
        """What a price of 1 is called; None where the market does not say it now."""
        try:
            told = Market(self._adapter(market.SERVICE_TYPE, retries=0)).get_api_version()
        except (ServiceUnreachable, RequestRefused):
            return None
        return told.get("price_unit")

    def _adapter(self, service_type: str, retries: int | None = None) -> ServiceAdapter:
        self._manager.setup_auth()
        cloud = self._manager.sdk_connection.config
        if retries is None:
            retries = cloud.get_connect_retries(service_type)
        calls = adapter.Adapter(
            self._manager.session,
            logger=_LOG,
            service_type=service_type,
            user_agent="flocx-client",
            endpoint_override=cloud.get_endpoint(service_type),
            interface=cloud.get_interface(service_type),
            region_name=cloud.get_region_name(service_type),
        )
        delay = cloud.get_connect_retry_delay(service_type)
        return _NamingAdapter(calls, OVERRIDES[service_type], RETRIES if retries is None else retries, delay)
