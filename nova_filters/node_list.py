# SPDX-License-Identifier: Apache-2.0
"""All nodes of Ironic with their holders, in as few requests as there are pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keystoneauth1 import exceptions, loading
from keystoneauth1.adapter import Adapter
from oslo_config import cfg

from flocx_common.domain.holders import Holders, NodeAttributes, holders_of
from nova_filters.conf import connection_section
from nova_filters.lookup import LookUpFailed

# The first API version that tells lessees; owners come with 1.50.
_VERSION = "1.65"
_HEADERS = {"X-OpenStack-Ironic-API-Version": _VERSION, "Accept": "application/json"}
_FIELDS = "uuid,owner,lessee,properties"
_PAGE = 1000


class IronicNodeList:
    """Reads who owns and who holds each node.

    :param connect: makes the connection to Ironic; called when it is first needed, and again until it succeeds.
    :param timeout: seconds for all pages together.
    """

    def __init__(
        self,
        connect: Callable[[], Adapter],
        attributes: NodeAttributes,
        timeout: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._attributes = attributes
        self._timeout = timeout
        self._monotonic = monotonic
        self._adapter: Adapter | None = None

    def read(self) -> Mapping[str, Holders]:
        """Return the holders of every node by its uuid.

        :raises LookUpFailed: they cannot be read, or not in time. The text has no credentials
            and is the same for the same trouble.
        """
        try:
            return self._read()
        except exceptions.ClientException as error:
            raise LookUpFailed(_trouble(error)) from None

    def _read(self) -> Mapping[str, Holders]:
        deadline = self._monotonic() + self._timeout
        if self._adapter is None:
            self._adapter = self._connect()
        found: dict[str, Holders] = {}
        marker: str | None = None
        while True:
            left = deadline - self._monotonic()
            if left <= 0:
                raise LookUpFailed(f"Ironic took longer than lookup_timeout ({self._timeout:g} s)")
            nodes, more = self._page(self._adapter, marker, left)
            known = len(found)
            found |= {str(node["uuid"]).lower(): holders_of(node, self._attributes) for node in nodes}
            if not more:
                break
            if len(found) == known:
                raise LookUpFailed("Ironic's pages do not come to an end")
            marker = str(nodes[-1]["uuid"])
        if not found:
            raise LookUpFailed(
                "Ironic lists no nodes to the account of the filter: does it have the rights to see them?"
            )
        return found

    def _page(self, adapter: Adapter, marker: str | None, left: float) -> tuple[Sequence[Mapping[str, Any]], bool]:
        endpoint = adapter.get_endpoint()
        if not endpoint:
            raise LookUpFailed("Keystone's catalog has no endpoint of Ironic for the filter")
        response = adapter.get(
            "/v1/nodes",
            # The marker, and not the link to the next page: a token goes nowhere that an answer says.
            params={"fields": _FIELDS, "limit": _PAGE} | ({"marker": marker} if marker else {}),
            endpoint_override=str(endpoint).rstrip("/").removesuffix("/v1"),
            headers=_HEADERS,
            timeout=left,
            raise_exc=False,
            redirect=False,
            connect_retries=0,
            status_code_retries=0,
            # At debug level Nova's log would have every list in full.
            log=False,
        )
        if response.status_code != 200:
            raise LookUpFailed(f"Ironic answers with HTTP status {response.status_code}")
        return _nodes_of(response)


def connect(conf: cfg.ConfigOpts, timeout: float) -> Adapter:
    """Return the connection to Ironic that the configuration describes; nothing is asked yet.

    :param timeout: seconds that Keystone may take for an answer.
    :raises LookUpFailed: the credentials are missing, or cannot be used.
    """
    section = connection_section(conf)
    try:
        auth = loading.load_auth_from_conf_options(conf, section)
        if auth is None:
            raise LookUpFailed(f"[{section}] auth_type: the filter has no credentials for Ironic")
        session = loading.load_session_from_conf_options(conf, section, auth=auth)
        session.timeout = timeout
        return loading.load_adapter_from_conf_options(conf, section, session=session, auth=auth)
    except (cfg.Error, exceptions.AuthPluginException) as error:
        # These speak of options and of kinds of credentials, never of what is secret in them.
        raise LookUpFailed(f"[{section}] the credentials for Ironic cannot be used: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]


def _nodes_of(response: Any) -> tuple[Sequence[Mapping[str, Any]], bool]:
    try:
        body = response.json()
        nodes = body["nodes"]
        shaped = isinstance(nodes, list) and all(isinstance(node["uuid"], str) for node in nodes)
    except (ValueError, TypeError, LookupError):
        shaped = False
    if not shaped:
        raise LookUpFailed("what answers in Ironic's place does not answer as Ironic would")
    return nodes, bool(body.get("next"))


def _trouble(error: exceptions.ClientException) -> str:
    """Say what is wrong in words that hold no address of an object, no credential, and no answer's text."""
    if isinstance(error, exceptions.HttpError):
        return f"Keystone answers with HTTP status {error.http_status} ({type(error).__name__})"
    if isinstance(error, exceptions.SSLError):
        return "TLS with Ironic or Keystone fails: is its certificate known here?"
    # Whether it refuses connections or lets them wait changes from try to try.
    if isinstance(error, exceptions.ConnectionError):
        return "Ironic or Keystone cannot be reached, or does not answer in time"
    return f"Ironic cannot be asked ({type(error).__name__})"
