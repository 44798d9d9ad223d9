# SPDX-License-Identifier: Apache-2.0
"""Projects by name and by id."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class ProjectDirectory(Protocol):
    """Knows the names of projects, as far as they can be known."""

    def resolve(self, name_or_id: str) -> str:
        """Return the id of the project of this name, or what was given when none is known."""

    def names(self, project_ids: Collection[str]) -> Mapping[str, str]:
        """Return the names of those of these projects that can be resolved."""


class NoDirectory:
    """Knows no names: ids are shown and taken as they are."""

    def resolve(self, name_or_id: str) -> str:
        """Return what was given."""
        return name_or_id

    def names(self, project_ids: Collection[str]) -> Mapping[str, str]:
        """Return none."""
        return {}
