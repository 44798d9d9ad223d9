# SPDX-License-Identifier: Apache-2.0
"""Inspections: what was found in machines, kept because it is slow to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from flocx_common.domain.json_values import JSON


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an inspection found. ``inspected_at`` is when it was, in the words of the inventory."""

    inspected_at: str
    found: Mapping[str, JSON]


class Inspections(Protocol):
    """The last known inspection of each machine that was ever asked for."""

    def known(self) -> Mapping[str, str]:
        """Return when each known machine was inspected, by node uuid."""

    def get(self, node_uuids: Collection[str]) -> Mapping[str, Inspection]:
        """Return what is known of these machines."""

    def put(self, node_uuid: str, inspection: Inspection) -> None:
        """Remember an inspection in place of an earlier one."""
