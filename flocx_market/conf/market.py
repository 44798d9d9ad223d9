# SPDX-License-Identifier: Apache-2.0
"""Options of the market's rules."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("market", title="The rules of this market")

OPTS = [
    cfg.IntOpt("shortest_contract", default=3600, min=1, help="Length of the shortest contract, in seconds."),
    cfg.IntOpt("longest_contract", default=90 * 86400, min=1, help="Length of the longest contract, in seconds."),
    cfg.IntOpt(
        "horizon", default=365 * 86400, min=1, help="How far ahead of now a contract may start at the most, in seconds."
    ),
    cfg.IntOpt(
        "default_duration",
        default=86400,
        min=1,
        help="Seconds from the start of a bid without an end to its end, its own duration not counted.",
    ),
    cfg.IntOpt("max_quantity", default=1000, min=1, help="Most nodes one bid may ask for."),
    cfg.StrOpt("price_unit", default="credits", help="What a price of 1 is called; shown, never calculated with."),
    cfg.IntOpt(
        "liveness_timeout",
        default=60,
        min=1,
        help="Seconds without a heartbeat after which a provider is silent and its offers are suspended. Several "
        "times the provider's heartbeat_interval.",
    ),
    cfg.IntOpt(
        "delivery_timeout",
        default=1800,
        min=0,
        help="Seconds after the start of an allocation by which its node must be handed over; then it has failed. "
        "Longer than the providers' own delivery_timeout, which tells the reason.",
    ),
    cfg.IntOpt(
        "replacement_timeout",
        default=300,
        min=0,
        help="Seconds that a replacement for a failed node is sought, and until the contract's start at least. Then "
        "the contract is made smaller, or fails.",
    ),
    cfg.IntOpt(
        "notice",
        default=3600,
        min=0,
        help="Seconds before its end at which both sides of a contract are told, once.",
    ),
]
