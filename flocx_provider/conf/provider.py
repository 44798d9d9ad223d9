# SPDX-License-Identifier: Apache-2.0
"""Options of the provider itself."""

from __future__ import annotations

from oslo_config import cfg

from flocx_provider.domain.private_properties import DEFAULT

GROUP = cfg.OptGroup("provider", title="This provider")

OPTS = [
    cfg.StrOpt("name", default="provider", help="Name under which this provider is registered on the market."),
    cfg.StrOpt(
        "driver",
        default="static",
        help="Where the nodes are: static (a file, see [static]) or ironic (see [ironic]). An entry point of flocx_provider.node_drivers.",
    ),
    cfg.IntOpt(
        "turnaround",
        min=0,
        help="Seconds that each node needs between two contracts, for cleaning. By default what the driver says: 0 "
        "for static, 600 for ironic.",
    ),
    cfg.IntOpt(
        "delivery_timeout",
        default=600,
        min=0,
        help="Seconds after its start by which a node must be handed over; then the allocation fails and the market "
        "looks for another node.",
    ),
    cfg.IntOpt(
        "take_back_timeout",
        default=600,
        min=0,
        help="Seconds that Nova has for deleting a lessee's server when a node is taken back; then it is undeployed "
        "without Nova, and the log says so.",
    ),
    cfg.IntOpt(
        "release_delay",
        min=0,
        help="Seconds after its end for which a node keeps the contract's mark, so that what the lessee began to deploy "
        "at the last moment still shows and is removed. By default what the driver says: 0 for static, 30 for ironic.",
    ),
    cfg.IntOpt(
        "notice",
        default=3600,
        min=0,
        help="Seconds before its end at which both sides of an allocation are told, once.",
    ),
    cfg.BoolOpt(
        "undeploy",
        default=True,
        help="Undo what a lessee has left deployed when a node is taken back. Without it such a node is only taken "
        "from the lessee.",
    ),
    cfg.ListOpt(
        "private_properties",
        default=list(DEFAULT),
        help="Paths of hardware properties that never leave the provider. Keys joined by points; * and ? match in a "
        "key, ** stands for any number of keys.",
    ),
]
