# SPDX-License-Identifier: Apache-2.0
"""The aggregates of projects out of the configuration."""

from __future__ import annotations

from typing import Any

from flocx_provider.drivers.connection import adapter_of
from flocx_provider.drivers.placement import HttpPlacementAggregates

# Seconds that any answer of Placement or Nova may take.
_ANSWER_TIMEOUT = 30


def create(conf: Any) -> HttpPlacementAggregates | None:
    """Return the aggregates that ``[placement]`` and ``[nova]`` lead to, None where they are turned off.

    Nothing is connected yet.

    :raises ConfigurationInvalid: the credentials are missing or cannot be used.
    """
    if not conf.placement_aggregates.enabled:
        return None
    placement, compute = (adapter_of(conf, group, timeout=_ANSWER_TIMEOUT) for group in ("placement", "nova"))
    return HttpPlacementAggregates(lambda: placement, lambda: compute)
