# SPDX-License-Identifier: Apache-2.0
"""Options of clearing: who is first, who gets what, who pays what."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("clearing", title="Clearing and pricing")

OPTS = [
    cfg.StrOpt(
        "ranking",
        default="value",
        help="Which bid is served first: value (limit price x hours; favours long bids) or price_time (highest limit "
        "price). An entry point of flocx_market.rankings.",
    ),
    cfg.StrOpt(
        "engine",
        default="greedy",
        help="How bids are matched. An entry point of flocx_market.clearing_engines.",
    ),
    cfg.StrOpt(
        "pricing",
        default="reserve",
        help="What a node costs: reserve (what its owner asked), limit (what the bid would pay at most) or k_double "
        "(in between). An entry point of flocx_market.pricing_rules.",
    ),
    cfg.FloatOpt(
        "k", default=0.5, min=0, max=1, help="For k_double: the share of the way from reserve to limit that is paid."
    ),
    cfg.FloatOpt(
        "gather",
        default=0,
        min=0,
        help="Seconds that bids wait for each other before a round. 0 means at once, which is first come, first "
        "served among bids that do not arrive together.",
    ),
]
