# SPDX-License-Identifier: Apache-2.0
"""Options of the static driver."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("static", title="The static driver: machines from a file")

OPTS = [
    cfg.StrOpt(
        "inventory_file",
        help="The machines: JSON lines, a JSON array, or a YAML list. Only ever read, and read anew when it changes.",
    ),
    cfg.StrOpt("uuid_expression", default="uuid", help="JMESPath of a machine's UUID in its document."),
    cfg.StrOpt("name_expression", default="name", help="JMESPath of a machine's name."),
    cfg.StrOpt(
        "owner_expression",
        default="owner",
        help="JMESPath of the project that owns a machine, or of a value that owner_map turns into one.",
    ),
    cfg.StrOpt("owner", help="The project that owns all machines, instead of owner_expression."),
    cfg.DictOpt(
        "owner_map",
        default={},
        help="Which project owns a machine, by what owner_expression finds: value:project,value:project. A value that "
        "is not in it is an error. Without it what is found is the project.",
    ),
    cfg.StrOpt("resource_class_expression", default="resource_class", help="JMESPath of a machine's resource class."),
    cfg.StrOpt(
        "properties_expression",
        default="@",
        help="JMESPath of the hardware document inside a machine's document; @ for the whole.",
    ),
]
