# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ of the run's own, through which the parts of Nova talk; on loopback with everything it needs."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from acceptance.configuration import write_secret
from acceptance.processes import Service
from acceptance.site import Site

#: Debian's own command changes to another user first; this is what it calls.
_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
PORTS = ("rabbitmq", "rabbitmq-distribution", "epmd")


def missing() -> Sequence[str]:
    """Return in words what RabbitMQ lacks on this machine, nothing if it can run."""
    lacking = []
    if not _SERVER.exists():
        lacking.append(f"{_SERVER} (Debian package rabbitmq-server)")
    if not _epmd():
        lacking.append("epmd (Debian package erlang-base)")
    return lacking


def transport_url(site: Site) -> str:
    """Return where services meet."""
    return f"rabbit://acceptance:{site.password('rabbitmq')}@127.0.0.1:{site.ports['rabbitmq']}/"


def configure(site: Site) -> None:
    """Write RabbitMQ's configuration."""
    write_secret(
        site.directory("rabbitmq") / "rabbitmq.conf",
        f"default_user = acceptance\ndefault_pass = {site.password('rabbitmq')}\n"
        "vm_memory_high_watermark.relative = 0.1\n",
    )
    write_secret(site.state / "rabbitmq" / "enabled_plugins", "[].\n")


def port_mapper(site: Site) -> Service:
    """Return epmd, which Erlang would otherwise start for itself, on all interfaces, and leave running."""
    port = str(site.ports["epmd"])
    return Service(
        name="epmd",
        command=[str(_epmd()), "-address", "127.0.0.1", "-port", port],
        ready=lambda: _greets(site.ports["epmd"], b""),
    )


def services(site: Site) -> Sequence[Service]:
    """Return RabbitMQ's process."""
    home = site.directory("rabbitmq")
    return [
        Service(
            name="rabbitmq",
            command=[str(_SERVER)],
            environment={
                # Erlang keeps the secret of its nodes there.
                "HOME": str(home),
                "RABBITMQ_NODENAME": "flocx@localhost",
                "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
                "RABBITMQ_NODE_PORT": str(site.ports["rabbitmq"]),
                "RABBITMQ_DIST_PORT": str(site.ports["rabbitmq-distribution"]),
                "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
                # Not there: what the machine's own broker is told is not for this one.
                "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
                "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
                "RABBITMQ_MNESIA_BASE": str(home / "data"),
                "RABBITMQ_LOG_BASE": str(home / "log"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
                "ERL_EPMD_ADDRESS": "127.0.0.1",
                "ERL_EPMD_PORT": str(site.ports["epmd"]),
            },
            # It listens before it can be talked to, and answers nonsense with the version it speaks.
            ready=lambda: _greets(site.ports["rabbitmq"], b"nonsense"),
        )
    ]


def _epmd() -> str | None:
    inside = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    return shutil.which("epmd") or (str(inside[-1]) if inside else None)


def _greets(port: int, words: bytes) -> bool:
    """Tell whether a port accepts a connection, and has an answer to ``words`` if there are any."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(words)
            return not words or connection.recv(4) == b"AMQP"
    except OSError:
        return False
