# SPDX-License-Identifier: Apache-2.0
"""Options of a connection to another service: whatever keystoneauth can authenticate with."""

from __future__ import annotations

from keystoneauth1 import loading
from oslo_config import cfg


def register_connection(conf: cfg.ConfigOpts, group: str, service_type: str) -> None:
    """Register the options of the session, the credentials and the endpoint."""
    loading.register_auth_conf_options(conf, group)
    loading.register_session_conf_options(conf, group)
    loading.register_adapter_conf_options(conf, group)
    # Services talk to each other inside, unless told otherwise.
    conf.set_default("valid_interfaces", ["internal", "public"], group=group)
    conf.set_default("service_type", service_type, group=group)


def connection_opts() -> list[cfg.Opt]:
    """Return the options for the sample file; credentials depend on the chosen auth_type."""
    return [
        *loading.get_auth_common_conf_options(),
        *loading.get_session_conf_options(),
        *loading.get_adapter_conf_options(),
        *loading.get_auth_plugin_conf_options("password"),
    ]
