# SPDX-License-Identifier: Apache-2.0
"""Options for asking Keystone who projects are."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("keystone", title="Keystone, for the names of projects")

OPTS = [
    cfg.FloatOpt(
        "names_lifetime",
        default=300,
        min=1,
        help="Seconds for which the names of projects and domains are kept before Keystone is asked again. A name that "
        "is not known is asked for at once. Without auth_type here the credentials of [keystone_authtoken] are used, "
        "with a system scope where they have one.",
    ),
]
