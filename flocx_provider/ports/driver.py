# SPDX-License-Identifier: Apache-2.0
"""What a node driver is made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flocx_common.domain.clock import Clock
from flocx_provider.ports.inspections import Inspections
from flocx_provider.ports.node_claims import NodeClaims
from flocx_provider.ports.node_states import NodeStates


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverContext:
    """What the provider has for drivers: places in its database, projects, the time.

    ``resolve`` turns the name or id of a project into its id.
    """

    states: NodeStates
    claims: NodeClaims
    inspections: Inspections
    resolve: Callable[[str], str]
    clock: Clock
