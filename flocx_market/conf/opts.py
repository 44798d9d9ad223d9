# SPDX-License-Identifier: Apache-2.0
"""Every option of the market, for registration and for the sample file."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg

from flocx_common.conf import api, keystone, manager
from flocx_common.conf.connections import connection_opts, register_connection
from flocx_common.conf.loading import OptionGroups, register_groups
from flocx_market.conf import clearing, market

_MANAGER = [
    *manager.manager_opts(7788),
    manager.interval("clearing_interval", 10, "runs a round of the market"),
    manager.interval("liveness_interval", 5, "notices providers that have fallen silent"),
]

_OPTIONS: OptionGroups = [
    (market.GROUP, market.OPTS),
    (clearing.GROUP, clearing.OPTS),
    (manager.GROUP, _MANAGER),
    (api.GROUP, api.api_opts(7778)),
    (api.HTTP_BASIC, api.HTTP_BASIC_OPTS),
    (api.NOAUTH, api.NOAUTH_OPTS),
    (keystone.GROUP, keystone.OPTS),
]

#: Other services that are talked to, by group: the type of each in the catalog.
CONNECTIONS = {keystone.GROUP.name: "identity"}


def register(conf: cfg.ConfigOpts) -> None:
    """Register every option of the market."""
    register_groups(conf, _OPTIONS)
    for group, service_type in CONNECTIONS.items():
        register_connection(conf, group, service_type)


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Return every option by group, for oslo.config's generator."""
    return [
        (str(group.name), [*options, *(connection_opts() if group.name in CONNECTIONS else [])])
        for group, options in _OPTIONS
    ]
