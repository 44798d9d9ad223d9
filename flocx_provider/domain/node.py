# SPDX-License-Identifier: Apache-2.0
"""Node: what an inventory says of a machine at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flocx_common.domain.json_values import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """A machine as its inventory describes it now.

    ``properties`` is the whole hardware document. ``contract_uuid`` is our mark:
    the contract the node is handed over under, and kept until it is taken back.
    ``problem`` says why the node is not fit for use, None when it is;
    ``deployed`` that something is installed on it; ``busy`` what it is busy
    with on its way back, such as cleaning. ``conflict`` says in what the node
    contradicts itself about who owns or holds it.
    """

    node_uuid: str
    name: str | None
    owner_project_id: str | None
    resource_class: str | None
    properties: Mapping[str, JSON]
    lessee_project_id: str | None = None
    contract_uuid: str | None = None
    problem: str | None = None
    deployed: bool = False
    busy: str | None = None
    conflict: str | None = None

    @property
    def unfit(self) -> str | None:
        """Why the node can be neither offered nor handed over, None when it can."""
        return self.conflict or self.problem

    @property
    def shown(self) -> str:
        """The name to call it by: its name, or its uuid where it has none."""
        return self.name or self.node_uuid
