# SPDX-License-Identifier: Apache-2.0
"""Options of the connection to the market: whatever keystoneauth can authenticate with."""

from __future__ import annotations

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = cfg.OptGroup("market", title="The market")

OPTS = [
    cfg.FloatOpt(
        "wait",
        default=30,
        min=0,
        help="Seconds that one request for contracts waits at the market for news. The market may cut it short.",
    )
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of the session, the credentials and the endpoint."""
    loading.register_auth_conf_options(conf, GROUP.name)
    loading.register_session_conf_options(conf, GROUP.name)
    loading.register_adapter_conf_options(conf, GROUP.name)
    # Services talk to each other inside, unless told otherwise.
    conf.set_default("valid_interfaces", ["internal", "public"], group=GROUP.name)
    conf.set_default("service_type", "baremetal-market", group=GROUP.name)


def listed() -> list[cfg.Opt]:
    """Return the options for the sample file; credentials depend on the chosen auth_type."""
    return [
        *OPTS,
        *loading.get_auth_common_conf_options(),
        *loading.get_session_conf_options(),
        *loading.get_adapter_conf_options(),
        *loading.get_auth_plugin_conf_options("password"),
    ]
