# SPDX-License-Identifier: Apache-2.0
"""Every option of the provider, for registration and for the sample file."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg

from flocx_common.conf import api, keystone, manager
from flocx_common.conf.connections import connection_opts, register_connection
from flocx_common.conf.loading import OptionGroups, register_groups
from flocx_provider.conf import ironic, market, placement, provider, static

_MANAGER = [
    *manager.manager_opts(7787),
    manager.interval("publish_interval", 10, "tells the market of offers"),
    manager.interval("resync_interval", 600, "compares the market's offers with ours"),
    manager.interval("pull_interval", 1, "asks the market for contracts"),
    manager.interval("reconcile_interval", 10, "hands nodes over and takes them back"),
    manager.interval("report_interval", 10, "tells the market what became of allocations"),
    manager.interval("health_interval", 30, "looks after the health of offered nodes"),
    manager.interval("heartbeat_interval", 10, "tells the market that this provider is alive"),
]

_OPTIONS: OptionGroups = [
    (provider.GROUP, provider.OPTS),
    (static.GROUP, static.OPTS),
    (ironic.GROUP, ironic.OPTS),
    (ironic.NOVA_GROUP, []),
    (placement.GROUP, placement.OPTS),
    (placement.PLACEMENT_GROUP, []),
    (market.GROUP, market.OPTS),
    (manager.GROUP, _MANAGER),
    (api.GROUP, api.api_opts(7777)),
    (api.HTTP_BASIC, api.HTTP_BASIC_OPTS),
    (api.NOAUTH, api.NOAUTH_OPTS),
    (keystone.GROUP, keystone.OPTS),
]

#: Other services that are talked to, by group: the type of each in the catalog.
CONNECTIONS = {
    keystone.GROUP.name: "identity",
    ironic.GROUP.name: "baremetal",
    ironic.NOVA_GROUP.name: "compute",
    placement.PLACEMENT_GROUP.name: "placement",
    market.GROUP.name: "baremetal-market",
}


def register(conf: cfg.ConfigOpts) -> None:
    """Register every option of the provider."""
    register_groups(conf, _OPTIONS)
    for group, service_type in CONNECTIONS.items():
        register_connection(conf, group, service_type)


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Return every option by group, for oslo.config's generator."""
    return [
        (str(group.name), [*options, *(connection_opts() if group.name in CONNECTIONS else [])])
        for group, options in _OPTIONS
    ]
