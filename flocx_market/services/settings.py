# SPDX-License-Identifier: Apache-2.0
"""The numbers and rules a market is run with, read once from its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flocx_market.domain.bid import Limits
from flocx_market.domain.clearing import Rules
from flocx_market.domain.lifecycle import Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSettings:
    """How this market is run.

    ``liveness_timeout``: after this long without a heartbeat a provider is
    silent and its offers are suspended. ``audit_interval``: after this long the
    standing book is held against a full clear; None for never.
    """

    limits: Limits
    timeouts: Timeouts
    rules: Rules
    liveness_timeout: timedelta
    audit_interval: timedelta | None = None
