# SPDX-License-Identifier: Apache-2.0
"""Options of the Placement aggregates, and of the connection to Placement."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("placement_aggregates", title="An aggregate in Placement for each project that may use nodes")

OPTS = [
    cfg.BoolOpt(
        "enabled",
        default=False,
        help="Keep one aggregate in Nova and Placement for each project, with the nodes that it may use now, for Nova's "
        "limit_tenants_to_placement_aggregate. Needs [placement] and [nova].",
    ),
    cfg.FloatOpt(
        "interval",
        default=60,
        min=0,
        help="Seconds between periodic runs of the job that keeps the aggregates; 0 = off. Wake-ups on change come "
        "besides.",
    ),
]

PLACEMENT_GROUP = cfg.OptGroup("placement", title="Placement, for the aggregates of projects")
