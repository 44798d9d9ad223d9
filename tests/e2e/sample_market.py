# SPDX-License-Identifier: Apache-2.0
"""The quickstart's services and its sample machines, without its story: a market to try commands on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flocx_provider.drivers.inventory_file import InventoryMapping
from tests.data import CHECKOUT
from tests.e2e.deployment import free_ports

# As tools/quickstart.sh does.
sys.path.insert(0, str(CHECKOUT / "tools"))

from quickstart.console import Console
from quickstart.machines import SAMPLE, read_machines, shared_out
from quickstart.stack import Ports, Stack

_AS_IT_IS = InventoryMapping(
    uuid_expression="uuid",
    name_expression="name",
    owner_expression="owner",
    owner=None,
    owner_map={},
    resource_class_expression="resource_class",
    properties_expression="@",
)


@contextmanager
def sample_market(directory: Path) -> Iterator[Stack]:
    """Run the services on a state directory ``.quickstart`` while the block does."""
    names = (
        *("market", "provider", "second_provider"),
        "market_manager",
        "provider_manager",
        "second_provider_manager",
    )
    ports = Ports(**dict(zip(names, free_ports(len(names)), strict=True)))
    machines = shared_out(read_machines(SAMPLE, _AS_IT_IS))
    stack = Stack(directory / ".quickstart", ports, machines, _AS_IT_IS, Console())
    with stack.running():
        yield stack


def environment(**more: str) -> Mapping[str, str]:
    """Return the environment of a shell in which nothing is set for the OpenStack client yet."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "CLIFF_"))}
    commands = str(Path(sys.executable).parent)
    return {
        **kept,
        "PATH": f"{commands}{os.pathsep}{kept['PATH']}",
        # What is written to both streams comes in the order in which it was, as on a terminal.
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
        **more,
    }
