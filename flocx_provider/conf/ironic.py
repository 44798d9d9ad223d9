# SPDX-License-Identifier: Apache-2.0
"""Options of the Ironic driver: where Ironic is, and where a node says whose it is."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("ironic", title="The Ironic driver: nodes from the bare-metal service")

OPTS = [
    cfg.StrOpt(
        "owner_attribute",
        default="properties/project_owner_id",
        help="Where a node says which project owns it: owner (the field), or properties/NAME. Where the property is "
        "missing the field counts; where they differ nobody can offer the node.",
    ),
    cfg.StrOpt(
        "lessee_attribute",
        default="properties/project_id",
        help="Where the lessee of a node is written: lessee (the field), or properties/NAME. It must be where the "
        "Nova filter reads it.",
    ),
    cfg.BoolOpt(
        "mirror_lessee_field",
        default=False,
        help="Write the lessee into the field lessee, too, so that Ironic's own rules let the lessee at the node.",
    ),
    cfg.BoolOpt(
        "read_inspection",
        default=True,
        help="Put what the last inspection found into the hardware document, under inventory. Read when a node is "
        "offered, and for offered nodes when they were inspected again.",
    ),
    cfg.IntOpt(
        "max_retries",
        default=5,
        min=0,
        help="Most repetitions of a request while Ironic itself has the node locked; 0 for none.",
    ),
    cfg.IntOpt("retry_interval", default=2, min=1, help="Seconds between such repetitions."),
    cfg.IntOpt(
        "claim_timeout",
        default=120,
        min=30,
        help="Seconds for which one manager keeps the others off a node while it writes to it; longer than any write "
        "takes. When one dies in the middle, the node is touched again after this time.",
    ),
]

NOVA_GROUP = cfg.OptGroup(
    "nova", title="Nova, for deleting lessees' servers and for aggregates; without auth_type it is not asked"
)
