# SPDX-License-Identifier: Apache-2.0
"""Is Keystone there? For the readiness of services that authenticate with it."""

from __future__ import annotations

from keystoneauth1 import loading
from oslo_config import cfg

from flocx_common.api.health import Check

_GROUP = "keystone_authtoken"
_TIMEOUT = 5


def keystone_check(conf: cfg.ConfigOpts) -> Check:
    """Return a check that the configured Keystone answers our own credentials."""
    loading.register_auth_conf_options(conf, _GROUP)
    loading.register_session_conf_options(conf, _GROUP)

    def check() -> None:
        auth = loading.load_auth_from_conf_options(conf, _GROUP)
        session = loading.load_session_from_conf_options(conf, _GROUP, auth=auth, timeout=_TIMEOUT)
        session.get_token()

    return check
