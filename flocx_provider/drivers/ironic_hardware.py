# SPDX-License-Identifier: Apache-2.0
"""The hardware document of an Ironic node: what its properties, traits and inspection say, in one.

The node's ``properties`` stand at the top, without those that say whose the node
is. Beside them stand ``capabilities`` as a mapping, ``resource_class``,
``traits`` and, under ``inventory``, what the last inspection found, in the form
of Ironic's ``GET /v1/nodes/{uuid}/inventory``. Numbers that Ironic keeps as text
are numbers here, and ``cpu_arch`` is spelt in one way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flocx_common.domain.json_values import JSON

# Ironic takes them in whichever form they were written.
_NUMBERS = ("cpus", "memory_mb", "local_gb")
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}


def hardware_document(
    node: Mapping[str, Any], inspection: Mapping[str, JSON] | None, without: Collection[str]
) -> dict[str, JSON]:
    """Return the hardware document of a node.

    :param node: ``properties``, ``traits`` and ``resource_class`` in the form of Ironic's API.
    :param inspection: what the last inspection found; None where it is not known.
    :param without: properties that are not about hardware.
    """
    given = node.get("properties")
    document: dict[str, JSON] = {
        key: value for key, value in (given if isinstance(given, Mapping) else {}).items() if key not in without
    }
    for key in _NUMBERS:
        document = {**document, key: _number(document[key])} if key in document else document
    architecture = document.get("cpu_arch")
    if isinstance(architecture, str):
        document["cpu_arch"] = _ARCHITECTURES.get(architecture.lower(), architecture)
    if "capabilities" in document:
        document["capabilities"] = _capabilities(document["capabilities"])
    document["resource_class"] = node.get("resource_class")
    traits = node.get("traits")
    document["traits"] = sorted(traits) if isinstance(traits, list) else []
    if inspection:
        document.update(inspection)
    return document


def _number(value: JSON) -> JSON:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return value


def _capabilities(value: JSON) -> JSON:
    """Return ``boot_mode:uefi,raid:1`` as a mapping; what has no colon, or is one already, stays."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition(":") for part in value.split(",") if part.strip()]
    return {key.strip(): text.strip() for key, _, text in pairs}
