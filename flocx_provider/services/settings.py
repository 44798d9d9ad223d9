# SPDX-License-Identifier: Apache-2.0
"""The numbers and rules a provider is run with, read once from its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flocx_provider.domain.fulfillment import FulfillmentRules
from flocx_provider.domain.private_properties import PrivateProperties


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """How this provider is run. ``turnaround`` is what its nodes need between two contracts."""

    name: str
    turnaround: timedelta
    private: PrivateProperties
    fulfillment: FulfillmentRules
