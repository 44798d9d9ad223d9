# SPDX-License-Identifier: Apache-2.0
"""What of Ironic's answers a project sees: no secrets, nothing of others, links that lead back here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flocx_common.domain.json_values import JSON
from flocx_provider.domain.baremetal_rules import Side, Standing
from flocx_provider.domain.private_properties import PrivateProperties

#: Everything of a node that its lessee sees; what Ironic adds to nodes is hidden until it is named here.
LESSEE_FIELDS = frozenset(
    {
        "boot_mode",
        "console_enabled",
        "created_at",
        "instance_uuid",
        "links",
        "maintenance",
        "name",
        "power_state",
        "properties",
        "provision_state",
        "provision_updated_at",
        "resource_class",
        "secure_boot",
        "states",
        "target_power_state",
        "target_provision_state",
        "traits",
        "updated_at",
        "uuid",
    }
)
#: Properties that a lessee sees, as far as they are not private.
LESSEE_PROPERTIES = frozenset({"cpu_arch", "cpus", "memory_mb", "local_gb", "capabilities"})
#: What only those see who may see how a node is driven.
DRIVER_INFORMATION = frozenset({"driver_info", "driver_internal_info"})
#: What belongs to the deployment of a lessee, while one holds the node.
DEPLOYMENT_INFORMATION = frozenset({"instance_info", "network_data"})

HIDDEN = "******"
_SECRET = re.compile(r"pass|secret|token|credential|auth_key|priv_key|private_key|configdrive|temp_url|image_url", re.I)
_PATH = re.compile(r"/(?:v1(?P<root>/?)|(?:v1/)?(?P<below>(?:nodes|ports|portgroups|volume)(?:/[A-Za-z0-9._~/-]*)?))$")

# Where links are, and what is around them.
_LINKED = frozenset({"links", "nodes", "ports", "portgroups", "states", "volume"})
_AROUND = frozenset({"bios", "connectors", "default_version", "firmware", "history", "version", "versions"})


def node_view(
    node: Mapping[str, Any], standing: Standing, private: PrivateProperties, *, driver_information: bool
) -> dict[str, JSON]:
    """Return what a project sees of a node.

    :param node: all or some of its fields, in the form of Ironic's API.
    :param driver_information: the caller may see how it is driven.
    """
    if standing.side is Side.LESSEE:
        shown = {name: value for name, value in node.items() if name in LESSEE_FIELDS}
        if isinstance(shown.get("properties"), dict):
            own = {key: value for key, value in shown["properties"].items() if key in LESSEE_PROPERTIES}
            shown["properties"] = private.without(own)
        return shown
    shown = dict(node)
    if not driver_information:
        shown = {name: value for name, value in shown.items() if name not in DRIVER_INFORMATION}
    if standing.held:
        shown = {name: value for name, value in shown.items() if name not in DEPLOYMENT_INFORMATION}
    for name in (DRIVER_INFORMATION | DEPLOYMENT_INFORMATION) & shown.keys():
        shown[name] = masked(shown[name])
    return shown


def states_view(states: Mapping[str, Any], standing: Standing) -> dict[str, JSON]:
    """Return what a project sees of a node's states."""
    if standing.side is Side.LESSEE:
        return {name: value for name, value in states.items() if name in LESSEE_FIELDS}
    return dict(states)


def masked(value: JSON) -> JSON:
    """Return a value with everything hidden in it that is called like a secret."""
    if isinstance(value, dict):
        return {key: HIDDEN if _SECRET.search(key) and held else masked(held) for key, held in value.items()}
    if isinstance(value, list):
        return [masked(one) for one in value]
    return value


def relinked(value: JSON, base_url: str) -> JSON:
    """Return an answer with its links leading to ``base_url``; a link that cannot is left out.

    Only where Ironic puts links: what people have written on their nodes stays as it is.
    """
    if isinstance(value, list):
        return [relinked(one, base_url) for one in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, JSON] = {}
    for key, held in value.items():
        if key in _LINKED and isinstance(held, list) and held and all(_is_link(one) for one in held):
            made[key] = [link for one in held for link in _relinked_link(one, base_url)]
        else:
            made[key] = relinked(held, base_url) if key in _LINKED | _AROUND else held
    return made


def _is_link(value: JSON) -> bool:
    return isinstance(value, dict) and "href" in value


def _relinked_link(link: JSON, base_url: str) -> list[JSON]:
    assert isinstance(link, dict)
    address = relinked_address(link["href"], base_url)
    return [] if address is None else [{**link, "href": address}]


def relinked_address(address: object, base_url: str) -> str | None:
    """Return the mirrored address of one of Ironic's, None where there is none."""
    found = _PATH.search(urlsplit(address).path) if isinstance(address, str) else None
    # Ironic's bookmarks leave out the version, which nothing is served without here.
    return None if found is None else f"{base_url}/v1/{found.group('below') or ''}"


def next_marker(address: object) -> str | None:
    """Return the marker in Ironic's link to the next page."""
    found = parse_qs(urlsplit(address).query).get("marker") if isinstance(address, str) else None
    return found[0] if found else None


def version_view(document: Mapping[str, Any], base_url: str) -> dict[str, JSON]:
    """Return Ironic's version 1 with the collections that are mirrored, and nothing of the others."""
    kept = {
        name: value
        for name, value in document.items()
        if name in ("id", "links", "media_types", "version", "nodes", "ports", "portgroups", "volume")
    }
    made = relinked(kept, base_url)
    assert isinstance(made, dict)
    return made
