# SPDX-License-Identifier: Apache-2.0
"""Who owns a bare-metal node and who holds it, read off the node as Ironic describes it.

One reading for the provider and for the Nova filter. Standard library only: the
Nova scheduler imports this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flocx_common.domain.errors import ConfigurationInvalid

#: The property that carries our mark: the contract a node is handed over under.
MARK = "flocx_contract_uuid"

_PROPERTIES = "properties/"
_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,255}")


@dataclass(frozen=True, slots=True)
class NodeAttributes:
    """Where a cloud keeps the owner and the lessee of a node.

    Each is a field of the node (``owner``, ``lessee``) or a property
    (``properties/NAME``). ``mirror_lessee`` says that the field ``lessee`` is
    ours to write besides, so that it counts even where it stands alone.

    :raises ConfigurationInvalid: one is neither, or both are the same.
    """

    owner: str = "properties/project_owner_id"
    lessee: str = "properties/project_id"
    mirror_lessee: bool = False

    def __post_init__(self) -> None:
        for option, value, field in (
            ("owner_attribute", self.owner, "owner"),
            ("lessee_attribute", self.lessee, "lessee"),
        ):
            key = value.removeprefix(_PROPERTIES)
            if value != field and (key in (value, MARK) or not _KEY.fullmatch(key)):
                raise ConfigurationInvalid(f"{option}: {value!r}: {field} or properties/NAME is expected")
        if self.owner == self.lessee:
            raise ConfigurationInvalid(f"lessee_attribute: {self.lessee!r} is the owner_attribute, too")

    @property
    def keys(self) -> frozenset[str]:
        """The properties that are about holders, not about hardware."""
        return frozenset(
            {MARK, *(one.removeprefix(_PROPERTIES) for one in (self.owner, self.lessee) if one.startswith(_PROPERTIES))}
        )


@dataclass(frozen=True, slots=True)
class Holders:
    """Owner and lessee of a node, and the contract it is handed over under.

    ``conflict`` says in words that the node contradicts itself about one of
    them. Nobody can rely on such a node: it is not offered, not handed over, and
    not used. A contested owner is None; the lessee is what ``lessee_attribute`` says.
    """

    owner_project_id: str | None
    lessee_project_id: str | None
    contract_uuid: str | None
    conflict: str | None = None


def holders_of(node: Mapping[str, Any], attributes: NodeAttributes) -> Holders:
    """Return who owns and who holds a node.

    The owner is what the property says, and where there is none what the field
    ``owner`` says. The lessee is what ``lessee_attribute`` says. Where that is a
    property, the field ``lessee`` must not say another project; alone it counts
    as somebody's lease, unless Ironic has set it by itself: to the project of
    the deployment under our mark, or to the owner while there is no mark.

    :param node: ``owner``, ``lessee`` and ``properties`` of a node, in the form of Ironic's API.
    """
    properties = node.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    owner, contested = _owner(node, properties, attributes)
    mark = _text(properties.get(MARK))
    lessee = _read(node, properties, attributes.lessee)
    field = _text(node.get("lessee"))
    if mark is None and field is not None and field == owner:
        # What Ironic notes of an owner's own deployment.
        field = None
        lessee = None if attributes.lessee == "lessee" else lessee
    conflict = contested
    if field is not None and field != lessee:
        if lessee is not None:
            conflict = conflict or f"{attributes.lessee} and the field lessee name different projects"
        elif attributes.mirror_lessee or mark is None:
            lessee = field
    return Holders(owner, lessee, mark, conflict)


def _owner(
    node: Mapping[str, Any], properties: Mapping[str, Any], attributes: NodeAttributes
) -> tuple[str | None, str | None]:
    owner = _read(node, properties, attributes.owner)
    field = _text(node.get("owner"))
    if owner is not None and field is not None and owner != field:
        return None, f"{attributes.owner} and the field owner name different projects"
    return owner or field, None


def _read(node: Mapping[str, Any], properties: Mapping[str, Any], attribute: str) -> str | None:
    key = attribute.removeprefix(_PROPERTIES)
    return _text(node.get(attribute) if key == attribute else properties.get(key))


def _text(value: Any) -> str | None:
    """Return what a node says; an empty text, or what is none, says nothing but is never mistaken for a project."""
    return value if isinstance(value, str) and value else None
