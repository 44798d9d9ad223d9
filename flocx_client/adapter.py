# SPDX-License-Identifier: Apache-2.0
"""JSON calls over a keystoneauth session, with errors by code and lists page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import session as ksa_session

from flocx_client.errors import ServiceUnreachable, refusal

#: The microversion this client speaks.
MICROVERSION = "1.0"


class ServiceAdapter:
    """Calls of one service.

    :param session: a keystoneauth session; any of its auth plugins will do.
    :param service_type: the service's type in the catalog.
    :param endpoint_override: where the service is, instead of the catalog's word.
    :param options: more for :class:`keystoneauth1.adapter.Adapter`, such as
        ``interface`` and ``region_name``.
    """

    def __init__(
        self,
        session: ksa_session.Session,
        service_type: str,
        *,
        endpoint_override: str | None = None,
        **options: Any,
    ) -> None:
        self._adapter = adapter.Adapter(
            session,
            service_type=service_type,
            endpoint_override=endpoint_override,
            default_microversion=MICROVERSION,
            user_agent="flocx-client",
            **options,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Make one call and return the parsed answer; None where there is none.

        :param timeout: seconds to wait for the answer, instead of the session's.
        :raises RequestRefused: the service answered with an error; its kinds
            say which.
        :raises ServiceUnreachable: it did not answer.
        """
        options: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
        if body is not None:
            options["json"] = body
        chosen = {name: str(value) for name, value in (query or {}).items() if value is not None}
        try:
            response = self._adapter.request(
                path, method, params=chosen, headers=dict(headers or {}), raise_exc=False, **options
            )
        except ksa_exceptions.ClientException as error:
            raise ServiceUnreachable(f"{self._where()}: {error}") from error
        request_id = response.headers.get("x-openstack-request-id")
        parsed = _parsed(response)
        if response.status_code >= 400:
            raise refusal(response.status_code, parsed, request_id)
        return parsed

    def pages(self, path: str, key: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the entities of a list, asking for the next page when one is used up."""
        wanted = dict(query)
        while True:
            answer = self.call("GET", path, query=wanted)
            yield from answer[key]
            if not any(link.get("rel") == "next" for link in answer.get("links", [])):
                return
            wanted["marker"] = answer[key][-1]["uuid"]

    def _where(self) -> str:
        return str(self._adapter.endpoint_override or self._adapter.service_type)


def _parsed(response: Any) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        return None
