# SPDX-License-Identifier: Apache-2.0
"""Keystone, on an SQLite file."""

from __future__ import annotations

import os
from collections.abc import Sequence

from acceptance.configuration import write_configuration
from acceptance.processes import Command, Service
from acceptance.site import REGIONS, Site, responds

#: Seconds that a token is good for.
TOKEN_LIFETIME = 3600


def configure(site: Site, token_lifetime: int = TOKEN_LIFETIME) -> None:
    """Write Keystone's configuration; Keystone reads it when it starts."""
    keys = str(site.directory("keystone/keys"))
    write_configuration(
        site.state / "keystone" / "keystone.conf",
        {
            "DEFAULT": {"use_stderr": True},
            "database": {"connection": site.databases.create("keystone")},
            # Hashing passwords slowly is for passwords that outlive a run.
            "identity": {"password_hash_rounds": 4},
            "token": {"provider": "fernet", "expiration": token_lifetime},
            "fernet_tokens": {"key_repository": keys},
            "fernet_receipts": {"key_repository": keys},
            # Without a cache every request asks the database some twenty times.
            "cache": {"enabled": True, "backend": "oslo_cache.dict"},
        },
    )


def keys(site: Site) -> Command:
    """Return what makes the keys that tokens are signed with."""
    command = [*_manage(site), "fernet_setup", f"--keystone-user={os.getuid()}", f"--keystone-group={os.getgid()}"]
    return Command(purpose="keystone keys", command=command)


def preparation(site: Site) -> Sequence[Command]:
    """Return what sets up the database, keys and the first administrator."""
    manage = _manage(site)
    bootstrap = [
        *manage,
        "bootstrap",
        "--bootstrap-username=admin",
        "--bootstrap-project-name=admin",
        "--bootstrap-role-name=admin",
        "--bootstrap-service-name=keystone",
        f"--bootstrap-region-id={REGIONS[0]}",
        *(f"--bootstrap-{interface}-url={site.auth_url}" for interface in ("admin", "public", "internal")),
    ]
    return [
        Command(purpose="keystone database", command=[*manage, "db_sync"]),
        keys(site),
        Command(
            purpose="keystone bootstrap",
            command=bootstrap,
            # Not on the command line, where everybody on the machine could read it.
            environment={"OS_BOOTSTRAP_PASSWORD": site.password("admin")},
        ),
    ]


def services(site: Site) -> Sequence[Service]:
    """Return Keystone's process."""
    return [
        Service(
            name="keystone",
            command=site.wsgi(site.openstack, "keystone.wsgi.api", "keystone"),
            environment={"OS_KEYSTONE_CONFIG_DIR": str(site.state / "keystone")},
            ready=lambda: responds(site.auth_url),
        )
    ]


def _manage(site: Site) -> Sequence[str]:
    return [site.openstack.script("keystone-manage"), "--config-file", f"{site.state}/keystone/keystone.conf"]
