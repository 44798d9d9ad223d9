# SPDX-License-Identifier: Apache-2.0
"""What does not leave the provider: serial numbers, addresses and the like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.domain.json_values import JSON

#: Properties that tell one machine from its twins, or where to reach it.
DEFAULT = (
    "**.serial",
    "**.serial_number",
    "**.service_tag",
    "**.asset_tag",
    "**.mac",
    "**.macs",
    "**.mac_address",
    "**.client_id",
    "**.guid",
    "**.wwn",
    "**.wwn_*",
    "**.bmc_*",
    "**.ipmi_*",
    "**.ip",
    "**.ipv4_address",
    "**.ipv6_address",
    "**.by_path",
    "**.boot_interface",
    "**.pxe_interface",
    "**.lldp*",
    "**.hostname",
)


class PrivateProperties:
    """Paths to leave out of hardware documents.

    A path is keys joined by points; ``*`` and ``?`` in a key match as in a
    shell, ``**`` stands for any number of keys. Lists are looked through.

    :raises ConfigurationInvalid: a path is empty or has an empty key.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = [tuple(path.split(".")) for path in paths]
        for path in self._paths:
            if not all(path) or path[-1] == "**":
                raise ConfigurationInvalid(
                    f"[provider] private_properties: {'.'.join(path)!r}: keys joined by points are expected, "
                    "such as **.serial"
                )

    def without(self, document: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return a copy of a document without private properties."""
        return self._copied(document, self._paths)

    def _copied(self, document: Mapping[str, JSON], paths: Sequence[tuple[str, ...]]) -> dict[str, JSON]:
        copy: dict[str, JSON] = {}
        for key, value in document.items():
            below = list(_below(key, paths))
            if () not in below:
                copy[key] = self._value(value, below)
        return copy

    def _value(self, value: JSON, paths: Sequence[tuple[str, ...]]) -> JSON:
        if isinstance(value, dict):
            return self._copied(value, paths)
        if isinstance(value, list):
            return [self._value(item, paths) for item in value]
        return value


def _below(key: str, paths: Iterable[tuple[str, ...]]) -> Iterable[tuple[str, ...]]:
    """Yield what is left of each path after stepping into a key; () for a path that ends there."""
    for path in paths:
        if path[0] == "**":
            yield path
            yield from _below(key, [path[1:]])
        elif fnmatchcase(key, path[0]):
            yield path[1:]
