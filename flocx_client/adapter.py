# SPDX-License-Identifier: Apache-2.0
"""JSON calls over a keystoneauth session, with errors by code and lists page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import session as ksa_session

from flocx_client.errors import ServiceUnreachable, refusal

#: The microversion this client speaks.
MICROVERSION = "1.0"

#: One thing as the service tells of it: JSON by field.
Entity = dict[str, Any]

# How much longer than a long poll its answer may take, in seconds.
_MARGIN = 15.0


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
        :raises ServiceUnreachable: it did not answer, or something else did.
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
        if parsed is None and response.content:
            raise ServiceUnreachable(
                f"{self._where()}: HTTP {response.status_code} without JSON; something else than the service answered"
            )
        return parsed

    def pages(self, path: str, key: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the entities of a list, asking for the next page when one is used up."""
        wanted: Mapping[str, Any] = query
        while True:
            answer = self.call("GET", path, query=wanted)
            yield from self.part(answer, key)
            following = next((link["href"] for link in answer.get("links", []) if link.get("rel") == "next"), None)
            if following is None:
                return
            # Only its query: the service may call itself by another name than we do.
            wanted = dict(parse_qsl(urlsplit(following).query, keep_blank_values=True))

    def part(self, answer: Any, name: str) -> Any:
        """Return a part that every answer of its kind has.

        :raises ServiceUnreachable: it has not, so something else than the service answered.
        """
        if not isinstance(answer, dict) or name not in answer:
            raise ServiceUnreachable(
                f"{self._where()}: an answer without {name}; something else than the service answered"
            )
        return answer[name]

    def _where(self) -> str:
        return str(self._adapter.endpoint_override or self._adapter.service_type)


class ServiceClient:
    """What the clients of both services share."""

    service_type: ClassVar[str]

    def __init__(self, session: ksa_session.Session, **options: Any) -> None:
        self._service = ServiceAdapter(session, self.service_type, **options)

    def events(
        self, *, since: str | None = None, wait: float = 0, limit: int | None = None
    ) -> tuple[list[Entity], str]:
        """Return events after a cursor, and the cursor to go on from.

        :param since: None for everything, "latest" for nothing of what has been.
        :param wait: seconds to wait for an event where there is none yet.
        """
        return self._changes("events", since, wait, limit)

    def _list(self, name: str, query: Mapping[str, Any]) -> Iterator[Entity]:
        return self._service.pages(f"/v1/{name}", name, query)

    def _one(self, method: str, *segments: str, body: Mapping[str, Any] | None = None) -> Entity:
        answer: Entity = self._service.call(method, _path(segments), body=body)
        return answer

    def _delete(self, *segments: str) -> None:
        self._service.call("DELETE", _path(segments))

    def _changes(self, name: str, since: str | None, wait: float, limit: int | None) -> tuple[list[Entity], str]:
        query = {"since": since, "wait": wait or None, "limit": limit}
        answer = self._service.call("GET", f"/v1/{name}", query=query, timeout=wait + _MARGIN)
        return self._service.part(answer, name), self._service.part(answer, "next_since")


def _path(segments: Sequence[str]) -> str:
    """Return the path to a thing.

    :raises ValueError: a name or UUID that no path can hold.
    """
    for segment in segments:
        if segment in ("", ".", ".."):
            # It would be taken for another path.
            raise ValueError(f"{segment!r} is neither a name nor a UUID")
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


def _parsed(response: Any) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        return None
