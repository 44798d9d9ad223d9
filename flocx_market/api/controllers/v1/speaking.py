# SPDX-License-Identifier: Apache-2.0
"""Which provider a caller speaks for: decided by who it is, never by what it sends."""

from __future__ import annotations

from flocx_common.api.operation import Call
from flocx_market.api.services import MarketServices
from flocx_market.domain.provider import Provider
from flocx_market.services import providers


def is_service(call: Call[MarketServices]) -> bool:
    """Tell whether the caller is a service user and not a person of some project."""
    return "service" in call.caller.roles and "reader" not in call.caller.roles


def speaking_provider(call: Call[MarketServices]) -> Provider:
    """Return the provider that the caller speaks for.

    :raises ProviderUnregistered: it speaks for none.
    """
    return providers.speaker(call.caller.user_id, store=call.services.store)
