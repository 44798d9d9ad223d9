# SPDX-License-Identifier: Apache-2.0
"""Connections to other services out of the configuration."""

from __future__ import annotations

from typing import Any

from keystoneauth1 import loading

from flocx_common.domain.errors import ConfigurationInvalid


def adapter_of(conf: Any, group: str, *, timeout: float) -> Any:
    """Return the keystoneauth adapter that a group of options describes; nothing is connected yet.

    :param timeout: seconds that an answer may take where the operator says nothing else.
    :raises ConfigurationInvalid: the credentials are missing or cannot be used.
    """
    try:
        auth = loading.load_auth_from_conf_options(conf, group)
        session = loading.load_session_from_conf_options(conf, group, auth=auth)
        if session.timeout is None:
            session.timeout = timeout
        adapter = loading.load_adapter_from_conf_options(conf, group, session=session, auth=auth)
    except Exception as error:
        raise ConfigurationInvalid(f"[{group}] auth: {error}") from None
    if auth is None:
        raise ConfigurationInvalid(f"[{group}] auth_type: how to authenticate is expected, such as password or none")
    return adapter
