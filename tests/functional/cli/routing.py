# SPDX-License-Identifier: Apache-2.0
"""Carries requests of the OpenStack client to applications of this process."""

from __future__ import annotations

from openstack.connection import Connection
from requests.adapters import BaseAdapter

#: What serves which URL now.
ROUTES: dict[str, BaseAdapter] = {}

#: How ``clouds.yaml`` names :func:`mount`.
HOOK = f"{__name__}:mount"


def mount(connection: Connection) -> None:
    """Let a connection, and the session that it shares with the command, use the routes."""
    for url, adapter in ROUTES.items():
        connection.session.session.mount(url, adapter)
