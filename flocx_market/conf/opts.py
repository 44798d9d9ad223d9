# SPDX-License-Identifier: Apache-2.0
"""Every option of the market, for registration and for the sample file."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg

from flocx_common.conf import api, manager
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
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register every option of the market."""
    register_groups(conf, _OPTIONS)


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Return every option by group, for oslo.config's generator."""
    return [(str(group.name), options) for group, options in _OPTIONS]
