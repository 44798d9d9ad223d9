# SPDX-License-Identifier: Apache-2.0
"""Published hardware inventories that some tests read, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent

#: Another place can be named; nothing of it belongs to the project.
DATA = Path(os.environ.get("FLOCX_TEST_DATA", CHECKOUT.parent / "shared" / "data"))


def published(name: str) -> Path:
    """Return the path of a file of published data, or skip the test."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {name} in the directory that FLOCX_TEST_DATA names")
    return path


def chameleon() -> Path:
    """Return the machines of the Chameleon testbed, one document a line."""
    return published("chameleon/nodes.jsonl")


#: Options of the static driver that read the Chameleon testbed's documents as they are.
CHAMELEON_OPTIONS = {
    "uuid_expression": "uid",
    "name_expression": "node_name",
    "owner_expression": "site",
    "resource_class_expression": "node_type",
}
