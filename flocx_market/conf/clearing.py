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
        help="How bids are matched: greedy (one after the other, by the ranking) or optimal (greatest total surplus; needs "
        "the extra optimal). An entry point of flocx_market.clearing_engines.",
    ),
    cfg.StrOpt(
        "pricing",
        default="critical",
        help="What a node costs: critical (the lowest limit with which the bid would have been served), reserve (what "
        "its owner asked), limit (what the bid would pay at most) or k_double (in between). An entry point of "
        "flocx_market.pricing_rules.",
    ),
    cfg.FloatOpt(
        "k", default=0.5, min=0, max=1, help="For k_double: the share of the way from reserve to limit that is paid."
    ),
    cfg.IntOpt(
        "work_limit",
        min=1,
        help="Steps the engine may take in a round, counted by itself, so that the same book gives the same contracts "
        "however busy the machine is. Not set: as many as it needs. greedy always finishes and ignores it.",
    ),
    cfg.FloatOpt(
        "time_limit",
        default=60,
        min=1,
        help="Seconds after which an engine is stopped whatever it has got, as a last resort against a machine that "
        "is too slow for work_limit; the round's log says so. greedy ignores it.",
    ),
    cfg.IntOpt(
        "pricing_budget",
        default=20_000,
        min=0,
        help="Placements that pricing critical may try in a round. Contracts it does not reach, in the order of the "
        "ranking, are priced at the reserve of each node, and their price_rule says so.",
    ),
    cfg.IntOpt(
        "audit_interval",
        default=3600,
        min=0,
        help="Seconds after which the standing book of the engine greedy is made anew from all that is stored, and held "
        "against what it was: a bid decided otherwise is logged and counted in the metric "
        "flocx_clearing_missed_total. A round with an audit reads all open bids and all that is for sale, but no "
        "hardware document that it knows. 0 for never.",
    ),
    cfg.FloatOpt(
        "gather",
        default=0,
        min=0,
        help="Seconds that bids wait for each other before a round. 0 means at once, which is first come, first "
        "served among bids that do not arrive together.",
    ),
]
