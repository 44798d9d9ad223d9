# SPDX-License-Identifier: Apache-2.0
"""Requests to Ironic over HTTP, passed on with the provider's credentials and nothing of the caller's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
from oslo_config import cfg
from requests import RequestException

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.domain.json_values import JSON
from flocx_provider.conf import ironic as conf_ironic
from flocx_provider.drivers.connection import adapter_of
from flocx_provider.ports.baremetal import BaremetalAnswer, BaremetalRequest, BaremetalUnavailable

#: Headers of an answer that are passed on.
PASSED_HEADERS = (
    "X-OpenStack-Ironic-API-Version",
    "X-OpenStack-Ironic-API-Minimum-Version",
    "X-OpenStack-Ironic-API-Maximum-Version",
    "Location",
    "Retry-After",
)

# Seconds that an answer may take where the configuration says nothing; Ironic waits a minute for its conductors.
_ANSWER_TIMEOUT = 90
_LARGEST_ANSWER = 64 * 1024 * 1024
_CHUNK = 256 * 1024
_VERSIONED = re.compile(r"/+(v1)?/*$")
# What a client can act upon; other failures of Ironic's are told as its absence.
_PASSED_FAILURES = (503, 507)


def connector(conf: cfg.ConfigOpts) -> Callable[[], ksa_adapter.Adapter]:
    """Return what makes the adapter that ``[ironic]`` describes; nothing is connected yet."""
    return partial(adapter_of, conf, conf_ironic.GROUP.name, timeout=_ANSWER_TIMEOUT)


class BaremetalHttp:
    """Ironic behind a keystoneauth adapter.

    :param connect: makes the adapter; called once, when it is first needed.
    :param largest: bytes of an answer that are read at most.
    """

    def __init__(self, connect: Callable[[], ksa_adapter.Adapter], *, largest: int = _LARGEST_ANSWER) -> None:
        self._connect = connect
        self._connected: tuple[ksa_adapter.Adapter, str] | None = None
        self._largest = largest

    def send(self, request: BaremetalRequest) -> BaremetalAnswer:
        """Send a request once and return what is answered.

        :raises BaremetalUnavailable: there is no answer that can be passed on.
        """
        try:
            adapter, endpoint = self._ironic()
            response = adapter.request(
                _url(request),
                request.method,
                endpoint_override=endpoint,
                headers=_headers(request),
                raise_exc=False,
                redirect=False,
                authenticated=not request.anonymous,
                connect_retries=0,
                # Bodies carry passwords and the like.
                log=False,
                stream=True,
                **({} if request.body is None else {"data": json.dumps(request.body)}),
            )
            content = self._read(response)
        except (ksa_exceptions.ClientException, RequestException, OSError) as error:
            raise BaremetalUnavailable(f"baremetal: Ironic cannot be reached: {type(error).__name__}") from None
        return _answer(response, content)

    def _ironic(self) -> tuple[ksa_adapter.Adapter, str]:
        if self._connected is None:
            try:
                adapter = self._connect()
            except ConfigurationInvalid as error:
                raise BaremetalUnavailable(f"baremetal: {error.detail}") from None
            endpoint = adapter.get_endpoint()
            if endpoint is None:
                raise BaremetalUnavailable("baremetal: the catalog has no endpoint of Ironic")
            # Some catalogs name the version, too.
            self._connected = adapter, _VERSIONED.sub("", endpoint)
        return self._connected

    def _read(self, response: Any) -> bytes:
        content = bytearray()
        try:
            for chunk in response.iter_content(_CHUNK):
                content += chunk
                if len(content) > self._largest:
                    raise BaremetalUnavailable(f"baremetal: Ironic answers with more than {self._largest} bytes")
        finally:
            response.close()
        return bytes(content)


def _url(request: BaremetalRequest) -> str:
    query = urlencode(request.query, quote_via=quote, safe=",:")
    return request.path + (f"?{query}" if query else "")


def _headers(request: BaremetalRequest) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if request.version is not None:
        headers["X-OpenStack-Ironic-API-Version"] = request.version
    if request.request_id is not None:
        headers["X-OpenStack-Request-ID"] = request.request_id
    return headers


def _answer(response: Any, content: bytes) -> BaremetalAnswer:
    status = response.status_code
    if status == 401:
        raise BaremetalUnavailable("baremetal: Ironic does not accept the provider's credentials")
    try:
        body: JSON = json.loads(content) if content.strip() else None
    except ValueError:
        raise BaremetalUnavailable(f"baremetal: Ironic answers {status} with what is no JSON") from None
    if status < 200 or 300 <= status < 400 or (status >= 500 and (status not in _PASSED_FAILURES or body is None)):
        raise BaremetalUnavailable(f"baremetal: Ironic answers {status}")
    headers = {name: response.headers[name] for name in PASSED_HEADERS if name in response.headers}
    return BaremetalAnswer(status=status, body=body, headers=headers)
