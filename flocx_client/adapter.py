# SPDX-License-Identifier: Apache-2.0
"""JSON calls over a keystoneauth adapter, with errors by code and lists page by page."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import session as ksa_session

from flocx_client.entity import Entity
from flocx_client.errors import Ambiguous, NotFound, NothingFound, ServiceUnreachable, Unauthorized, refusal

E = TypeVar("E", bound=Entity)

#: The microversion this client speaks; calls of newer routes ask for the one that brought them.
MICROVERSION = "1.0"

#: How often a call that is safe to repeat is made again when it did not come through.
RETRIES = 2

# Answers of something before the service, or of the service about itself, that pass.
_PASSING = (502, 503, 504)

# How much longer than a long poll its answer may take, in seconds.
_MARGIN = 15.0


class ServiceAdapter:
    """Calls of one service.

    What is safe to repeat is repeated when it did not come through: reading,
    putting, deleting, and creating under a UUID that the client chose. Nothing
    else is, as it may have arrived.

    :param calls: a keystoneauth adapter for the service.
    :param retries: how often at the most.
    :param retry_delay: seconds before each; by default half a second before the
        first, and twice as long before each after it.
    """

    def __init__(self, calls: adapter.Adapter, retries: int = RETRIES, retry_delay: float | None = None) -> None:
        self._adapter = calls
        self._retries = retries
        self._retry_delay = retry_delay

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        answers: Sequence[int] = (),
    ) -> Any:
        """Make one call and return the parsed answer; None where there is none.

        :param timeout: seconds to wait for the answer, instead of the session's.
        :param answers: statuses that are an answer and no refusal, although they are 400 or more.
        :raises RequestRefused: the service answered with an error; its kinds
            say which.
        :raises ServiceUnreachable: it did not answer, or something else did.
        """
        return self._told(self._response(method, path, body, query, headers, timeout, answers))

    def text(self, path: str) -> str:
        """Return an answer that is not JSON.

        :raises RequestRefused, ServiceUnreachable: as :meth:`call`.
        """
        return str(self._response("GET", path).text)

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

    def listed(self, kind: type[E], name: str, query: Mapping[str, Any]) -> Iterator[E]:
        """Yield the things of a list; the next page is asked for when one is used up."""
        return (kind(item) for item in self.pages(f"/v1/{name}", name, query))

    def one(
        self,
        kind: type[E],
        method: str,
        *segments: str | Entity,
        body: Mapping[str, Any] | None = None,
        if_match: str | None = None,
        microversion: str = MICROVERSION,
    ) -> E:
        """Make a call that is answered with one thing.

        :param if_match: the ETag that the thing must still have.
        :param microversion: the first in which there is such a call.
        """
        headers = None if if_match is None else {"If-Match": if_match}
        response = self._response(method, _path(segments), body, headers=headers, microversion=microversion)
        answer = self._told(response)
        if not isinstance(answer, dict):
            raise ServiceUnreachable(f"{self._where()}: no object; something else than the service answered")
        entity = kind(answer)
        entity.etag = response.headers.get("etag")
        return entity

    def create(self, kind: type[E], name: str, fields: Mapping[str, Any]) -> E:
        """Create under a UUID of our choice, so that the call can be repeated."""
        return self.one(kind, "POST", name, body={"uuid": str(uuid.uuid4()), **fields})

    def delete(self, *segments: str | Entity, ignore_missing: bool) -> None:
        """Delete a thing.

        :param ignore_missing: one that is not there is fine, too.
        """
        try:
            self.call("DELETE", _path(segments))
        except NotFound as error:
            # Without a code it was not the service that did not find it.
            if not ignore_missing or error.code is None:
                raise

    def find(self, kind: type[E], name: str, name_or_uuid: str, filters: Sequence[str] = ("name",)) -> E:
        """Return the one thing of a UUID or of a name.

        :param filters: the fields that may hold the name, the first that does wins.
        :raises NothingFound: there is none.
        :raises Ambiguous: there are several.
        """
        if _is_uuid(name_or_uuid):
            return self.one(kind, "GET", name, name_or_uuid)
        for field in filters:
            found = list(islice(self.listed(kind, name, {field: name_or_uuid, "limit": 2}), 2))
            if len(found) > 1:
                raise Ambiguous(f"{name}: several have the {field} {name_or_uuid!r}; a UUID is expected")
            if found:
                return found[0]
        raise NothingFound(f"{name}: there is none of the UUID or name {name_or_uuid!r}")

    def changes(
        self, kind: type[E], name: str, since: str | None, wait: float, limit: int | None
    ) -> tuple[list[E], str]:
        """Return what changed after a cursor, and the cursor to go on from."""
        # In milliseconds: a service takes no exponent, and no more digits than mean anything.
        query = {"since": since, "wait": round(wait, 3) or None, "limit": limit}
        answer = self.call("GET", f"/v1/{name}", query=query, timeout=wait + _MARGIN)
        return [kind(item) for item in self.part(answer, name)], self.part(answer, "next_since")

    def _response(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        answers: Sequence[int] = (),
        microversion: str = MICROVERSION,
    ) -> Any:
        retries = self._retries if _repeatable(method, body) else 0
        options: dict[str, Any] = {
            "microversion": microversion,
            "connect_retries": retries,
            "status_code_retries": retries,
            "retriable_status_codes": [status for status in _PASSING if status not in answers],
            "connect_retry_delay": self._retry_delay,
            "status_code_retry_delay": self._retry_delay,
        }
        if timeout is not None:
            options["timeout"] = timeout
        if body is not None:
            options["json"] = body
        chosen = {name: str(value) for name, value in (query or {}).items() if value is not None}
        try:
            response = self._adapter.request(
                path, method, params=chosen, headers=dict(headers or {}), raise_exc=False, **options
            )
        except ksa_exceptions.HttpError as error:
            # Not the service but who vouches for us: it answered, and refused.
            if error.http_status == 401:
                raise Unauthorized(401, None, f"{self._where()}: the credentials are not accepted: {error}") from error
            raise ServiceUnreachable(f"{self._where()}: {error}") from error
        except ksa_exceptions.ClientException as error:
            raise ServiceUnreachable(f"{self._where()}: {error}") from error
        if response.status_code >= 400 and response.status_code not in answers:
            raise refusal(response.status_code, _parsed(response), response.headers.get("x-openstack-request-id"))
        return response

    def _told(self, response: Any) -> Any:
        parsed = _parsed(response)
        if parsed is None and response.content:
            raise ServiceUnreachable(
                f"{self._where()}: HTTP {response.status_code} without JSON; something else than the service answered"
            )
        return parsed

    def _where(self) -> str:
        return str(self._adapter.endpoint_override or self._adapter.service_type)


def service_adapter(
    session: ksa_session.Session,
    service_type: str,
    *,
    retries: int = RETRIES,
    retry_delay: float | None = None,
    **options: Any,
) -> ServiceAdapter:
    """Return calls of a service over a session; any of its auth plugins will do.

    :param options: for :class:`keystoneauth1.adapter.Adapter`, such as
        ``endpoint_override``, ``interface``, ``region_name`` and ``global_request_id``.
    """
    return ServiceAdapter(
        adapter.Adapter(session, service_type=service_type, user_agent="flocx-client", **options), retries, retry_delay
    )


def _repeatable(method: str, body: Mapping[str, Any] | None) -> bool:
    return method in ("GET", "HEAD", "PUT", "DELETE") or (method == "POST" and "uuid" in (body or {}))


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _path(segments: Sequence[str | Entity]) -> str:
    """Return the path to a thing.

    :raises ValueError: a name or UUID that no path can hold.
    """
    words = [segment.id if isinstance(segment, Entity) else segment for segment in segments]
    for word in words:
        if word in ("", ".", ".."):
            # It would be taken for another path.
            raise ValueError(f"{word!r} is neither a name nor a UUID")
    return "/v1/" + "/".join(quote(word, safe="") for word in words)


def _parsed(response: Any) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        return None
