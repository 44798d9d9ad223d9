# SPDX-License-Identifier: Apache-2.0
"""The Ironic driver out of its configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.domain.holders import NodeAttributes
from flocx_provider.drivers.connection import adapter_of
from flocx_provider.drivers.ironic import IronicInventory
from flocx_provider.drivers.ironic_client import IronicClient
from flocx_provider.drivers.nova_servers import NovaServers
from flocx_provider.ports.driver import DriverContext
from flocx_provider.ports.inventory import InventoryUnavailable

# Seconds that any answer of Ironic or Nova may take.
_ANSWER_TIMEOUT = 60


def create(conf: Any, context: DriverContext) -> IronicInventory:
    """Return the inventory that ``[ironic]`` and ``[nova]`` describe; the entry point of the driver.

    Nothing is connected yet.

    :raises ConfigurationInvalid: an option or the credentials cannot be used.
    """
    options = conf.ironic
    adapter = adapter_of(conf, "ironic", timeout=_ANSWER_TIMEOUT)

    def connect() -> tuple[Any, str]:
        endpoint = adapter.get_endpoint()
        if endpoint is None:
            raise InventoryUnavailable(
                f"inventory: the catalog has no endpoint of {adapter.service_type} for this region and interface"
            )
        return adapter.session, endpoint

    def compute() -> Any:
        return adapter_of(conf, "nova", timeout=_ANSWER_TIMEOUT)

    asks_nova = conf.nova.auth_type is not None or conf.nova.auth_section is not None
    if asks_nova:
        # Wrong credentials are told at the start, not when the first contract ends.
        compute()
    return IronicInventory(
        IronicClient(connect, max_retries=options.max_retries, retry_interval=options.retry_interval),
        attributes=attributes(conf),
        claims=context.claims,
        inspections=context.inspections if options.read_inspection else None,
        servers=NovaServers(compute) if asks_nova else None,
        claim_timeout=timedelta(seconds=options.claim_timeout),
        clock=context.clock,
    )


def attributes(conf: Any) -> NodeAttributes:
    """Return where the configuration says that a node says whose it is.

    :raises ConfigurationInvalid: an attribute cannot be.
    """
    options = conf.ironic
    try:
        return NodeAttributes(options.owner_attribute, options.lessee_attribute, options.mirror_lessee_field)
    except ConfigurationInvalid as error:
        raise ConfigurationInvalid(f"[ironic] {error.detail}") from None
