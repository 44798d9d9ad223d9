# SPDX-License-Identifier: Apache-2.0
"""Inventories as the quickstart reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quickstart.machines import Machine, read_machines

from flocx_provider.drivers.inventory_file import InventoryMapping
from tests.builders import uid


def mapping(**over: Any) -> InventoryMapping:
    """Return where things are in the documents of the sample."""
    given = {
        "uuid_expression": "uuid",
        "name_expression": "name",
        "owner_expression": "owner",
        "owner": None,
        "owner_map": {},
        "resource_class_expression": "resource_class",
        "properties_expression": "@",
    }
    return InventoryMapping(**(given | over))


def machines_of(path: Path, **over: Any) -> Sequence[Machine]:
    """Return the machines of a file."""
    return read_machines(path, mapping(**over))


def document(number: int, owner: str, **over: Any) -> dict[str, Any]:
    """Return the document of a machine."""
    return {"uuid": uid(number), "name": f"m{number}", "owner": owner, "cpus": 32} | over


def written(path: Path, documents: Sequence[dict[str, Any]]) -> Path:
    """Write an inventory and return its path."""
    path.write_text(json.dumps(list(documents)))
    return path
