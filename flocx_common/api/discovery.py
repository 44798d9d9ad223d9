# SPDX-License-Identifier: Apache-2.0
"""Version discovery as keystoneauth and openstacksdk understand it."""

from __future__ import annotations

from typing import Any

from flocx_common.api.schemas import LINKS, Schema, closed, entity

_VERSION: Schema = entity(
    {
        "id": {"type": "string"},
        "status": {"type": "string"},
        "min_version": {"type": "string"},
        "version": {"type": "string"},
        "links": LINKS,
    }
)

ROOT = closed(
    {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "default_version": _VERSION,
        "versions": {"type": "array", "items": _VERSION},
    },
    ("name", "versions"),
)


def v1_schema(more: dict[str, Schema]) -> Schema:
    """Return the schema of the root of version 1, with what a service adds to it."""
    return entity({"id": {"type": "string"}, "version": _VERSION, "links": LINKS, **more})


#: The lowest and the highest microversion, each as (major, minor).
Versions = tuple[tuple[int, int], tuple[int, int]]


def spelled(version: tuple[int, int]) -> str:
    """Return a microversion as it is written."""
    return f"{version[0]}.{version[1]}"


def version(base_url: str, versions: Versions) -> dict[str, Any]:
    """Return the entry of version 1."""
    lowest, highest = (spelled(one) for one in versions)
    return {
        "id": "v1",
        "status": "CURRENT",
        "min_version": lowest,
        "version": highest,
        "links": [{"rel": "self", "href": f"{base_url}/v1/"}],
    }
