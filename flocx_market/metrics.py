# SPDX-License-Identifier: Apache-2.0
"""Prometheus metrics of the market's manager."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

MADE = Counter("flocx_clearing_contracts", "Contracts that rounds have made.")
LOST = Counter(
    "flocx_clearing_lost", "Contracts that were not written because others changed a bid or a node at the same time."
)
MISSED = Counter(
    "flocx_clearing_missed",
    "Bids that an audit found the standing book would have decided otherwise than a full clear.",
)
OPEN = Gauge("flocx_clearing_open_bids", "Bids that the last round left open.", multiprocess_mode="mostrecent")
