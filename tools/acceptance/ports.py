# SPDX-License-Identifier: Apache-2.0
"""Ports of 127.0.0.1 that nobody uses."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack


def free_ports(names: Sequence[str]) -> Mapping[str, int]:
    """Return a free port of 127.0.0.1 for each name, all different.

    They are free at this moment; whoever wants one must take it soon.
    """
    with ExitStack() as held:
        # All are held until the last is found, so that none comes twice.
        found = {}
        for name in names:
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            found[name] = probe.getsockname()[1]
        return found
