# SPDX-License-Identifier: Apache-2.0
"""Every option of the provider, for registration and for the sample file."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg

from flocx_common.conf import api, manager
from flocx_common.conf.loading import OptionGroups, register_groups
from flocx_provider.conf import market, provider, static

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
    (manager.GROUP, _MANAGER),
    (api.GROUP, api.api_opts(7777)),
    (api.HTTP_BASIC, api.HTTP_BASIC_OPTS),
    (api.NOAUTH, api.NOAUTH_OPTS),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register every option of the provider."""
    register_groups(conf, [*_OPTIONS, (market.GROUP, market.OPTS)])
    market.register(conf)


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Return every option by group, for oslo.config's generator."""
    return [*((str(group.name), options) for group, options in _OPTIONS), (market.GROUP.name, market.listed())]
