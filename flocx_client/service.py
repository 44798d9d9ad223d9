# SPDX-License-Identifier: Apache-2.0
"""The calls that both services have: events, what they speak, and how they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flocx_client.adapter import ServiceAdapter
from flocx_client.errors import ServiceFailed, ServiceUnreachable
from flocx_client.resources import ApiRoot, ApiVersion, Event, Readiness


class ServiceCalls:
    """Calls that every FLOCX service has."""

    _service: ServiceAdapter

    def events(self, *, since: str | None = None, wait: float = 0, limit: int | None = None) -> tuple[list[Event], str]:
        """Return events after a cursor, and the cursor to go on from.

        :param since: None for everything, "latest" for nothing of what has been.
        :param wait: seconds to wait for an event where there is none yet.
        """
        return self._service.changes(Event, "events", since, wait, limit)

    def get_api_root(self) -> ApiRoot:
        """Return which versions of the API there are; asks for no credentials."""
        return ApiRoot(self._told("/", "versions"))

    def get_api_version(self) -> ApiVersion:
        """Return which microversions there are, and from the market the unit of prices; asks for no credentials."""
        return ApiVersion(self._told("/v1/", "version"))

    def get_api_document(self) -> dict[str, Any]:
        """Return the OpenAPI 3.1 document of the service; asks for no credentials."""
        return self._told("/v1/openapi.json", "paths")

    def is_alive(self) -> bool:
        """Tell whether the service's process answers; asks for no credentials."""
        try:
            return bool(self._told("/healthcheck", "status")["status"] == "alive")
        except (ServiceFailed, ServiceUnreachable):
            return False

    def get_readiness(self) -> Readiness:
        """Return whether the service can serve requests, and what fails if not; asks for no credentials."""
        return Readiness(self._told("/readyz", "failing", answers=(503,)))

    def get_metrics(self) -> str:
        """Return the service's figures in the Prometheus text format; asks for no credentials."""
        return self._service.text("/metrics")

    def _told(self, path: str, part: str, answers: Sequence[int] = ()) -> dict[str, Any]:
        """Return an object that has a part at least: that it is the service that answers."""
        answer = self._service.call("GET", path, answers=answers)
        self._service.part(answer, part)
        return dict(answer)
