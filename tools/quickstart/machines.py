# SPDX-License-Identifier: Apache-2.0
"""The machines of the quickstart: an inventory shared out between two providers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_provider.domain.node import NodeFacts
from flocx_provider.drivers.inventory_file import InventoryFile, InventoryMapping

OWNERS = ("owner-a", "owner-b")

SAMPLE = Path(__file__).parent / "nodes.yaml"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine: what the driver reads of it, and its document as the file has it."""

    facts: NodeFacts
    document: Mapping[str, Any]


def read_machines(path: Path, mapping: InventoryMapping) -> Sequence[Machine]:
    """Return the machines of an inventory file.

    :raises ConfigurationInvalid: it cannot be read, or lacks machines of either owner.
    """
    file = InventoryFile(str(path), mapping)
    file.read()
    machines = [Machine(file.node(where, document), document) for where, document in file.documents()]
    for owner in OWNERS:
        count = sum(1 for machine in machines if machine.facts.owner_project_id == owner)
        if count < 4:
            raise ConfigurationInvalid(
                f"{path}: {count} machines of {owner}, at least 4 are needed; --owner-map says whose they are"
            )
    return machines


def shared_out(machines: Sequence[Machine]) -> tuple[Sequence[Machine], Sequence[Machine]]:
    """Return the machines of the first provider (both owners') and of the second (every other one of owner-b's)."""
    first: list[Machine] = []
    second: list[Machine] = []
    turn = False
    for machine in machines:
        if machine.facts.owner_project_id == "owner-b":
            turn = not turn
            (first if turn else second).append(machine)
        else:
            first.append(machine)
    return first, second


def write_inventory(path: Path, machines: Sequence[Machine]) -> None:
    """Write documents, unchanged, as JSON lines; only when something is different, so that nothing is read anew."""
    text = "".join(json.dumps(machine.document) + "\n" for machine in machines)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
