# SPDX-License-Identifier: Apache-2.0
"""The market and the provider as services of an openstacksdk connection.

In code::

    connection = openstack.connect(cloud="mine")
    flocx_client.openstack_services.register(connection)
    for bid in connection.baremetal_market.bids(status="open"):
        print(bid.name, bid.limit_price)

or for every connection of a cloud, by a line of its entry in ``clouds.yaml``::

    vendor_hook: flocx_client.openstack_services:register
"""

from __future__ import annotations

from typing import Any

from openstack import proxy
from openstack.connection import Connection
from openstack.service_description import ServiceDescription

from flocx_client import market, provider
from flocx_client.adapter import ServiceAdapter


class MarketProxy(market.MarketCalls, proxy.Proxy):
    """``connection.baremetal_market``: the calls of the market."""

    # The catalog points at the root of all versions, and the calls begin there.
    skip_discovery = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._service = ServiceAdapter(self)


class ProviderProxy(provider.ProviderCalls, proxy.Proxy):
    """``connection.baremetal_provider``: the calls of the cloud's provider."""

    # The catalog points at the root of all versions, and the calls begin there.
    skip_discovery = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._service = ServiceAdapter(self)


def register(connection: Connection) -> None:
    """Give a connection ``baremetal_market`` and ``baremetal_provider``; again is harmless."""
    for service_type, kind in ((market.SERVICE_TYPE, MarketProxy), (provider.SERVICE_TYPE, ProviderProxy)):
        connection.add_service(ServiceDescription(service_type, supported_versions={"1": kind}))
