# SPDX-License-Identifier: Apache-2.0
"""Options of the connection to the market, besides credentials and endpoint."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("market", title="The market")

OPTS = [
    cfg.FloatOpt(
        "wait",
        default=30,
        min=0,
        help="Seconds that one request for contracts waits at the market for news. The market may cut it short.",
    )
]
