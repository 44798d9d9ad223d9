# SPDX-License-Identifier: Apache-2.0
"""Free ports of loopback."""

from __future__ import annotations

import socket

from acceptance.ports import free_ports

NAMES = [f"service-{number}" for number in range(40)]


def test_each_name_gets_a_port_of_its_own():
    ports = free_ports(NAMES)
    assert list(ports) == NAMES
    assert len(set(ports.values())) == len(NAMES)


def test_nobody_listens_there():
    for port in free_ports(NAMES[:5]).values():
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))
            taken.listen()
