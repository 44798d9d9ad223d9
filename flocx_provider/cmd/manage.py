# SPDX-License-Identifier: Apache-2.0
"""flocx-provider-manage: look after the provider's database and its static nodes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from flocx_common.extras import needs_extra


@needs_extra("provider")
def main(args: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    :param args: the command line without the program's name; None for the process's own.
    """
    from oslo_config import cfg  # noqa: PLC0415

    from flocx_common.conf.loading import load  # noqa: PLC0415
    from flocx_common.manage import add_command, add_db_commands, add_group, run_command  # noqa: PLC0415
    from flocx_provider import bootstrap  # noqa: PLC0415
    from flocx_provider.cmd.bootstrap_command import add_bootstrap_command  # noqa: PLC0415
    from flocx_provider.conf import opts  # noqa: PLC0415

    def add_parsers(subparsers: Any) -> None:
        add_db_commands(subparsers, bootstrap.migrations)
        add_bootstrap_command(subparsers)
        nodes = add_group(subparsers, "node", "look after the nodes")
        add_command(nodes, "list", _list_nodes, "list the nodes of the inventory, with who holds them")
        parser = add_command(
            nodes, "set", _set_node, "say that a node is down, or up again; only with the static driver"
        )
        parser.add_argument("node", metavar="NAME", help="the node, by name or UUID")
        health = parser.add_mutually_exclusive_group(required=True)
        health.add_argument("--down", action="store_true", help="not fit for use: its offers are suspended")
        health.add_argument("--up", action="store_true", help="fit for use again: its offers come back")
        parser.add_argument("--reason", default="taken down by the operator", help="why it is down; shown to owners")

    def register(conf: cfg.ConfigOpts) -> None:
        opts.register(conf)
        # Standard output is for the result alone.
        conf.set_default("use_stderr", True)
        conf.register_cli_opt(cfg.SubCommandOpt("command", title="commands", handler=add_parsers))

    given = sys.argv[1:] if args is None else args
    return run_command(load(bootstrap.SERVICE, register, given, command="flocx-provider-manage"))


def _list_nodes(conf: Any) -> tuple[Sequence[Mapping[str, Any]], int]:
    from flocx_provider import bootstrap  # noqa: PLC0415

    inventory = bootstrap.inventory(conf, bootstrap.database(conf), bootstrap.directory(conf))
    return [
        {
            "node_uuid": node.node_uuid,
            "node_name": node.name,
            "owner_project_id": node.owner_project_id,
            "resource_class": node.resource_class,
            "lessee_project_id": node.lessee_project_id,
            "contract_uuid": node.contract_uuid,
            "problem": node.unfit,
        }
        for node in inventory.nodes()
    ], 0


def _set_node(conf: Any) -> tuple[Mapping[str, Any], int]:
    from flocx_common.domain.clock import SystemClock  # noqa: PLC0415
    from flocx_common.domain.errors import ConfigurationInvalid  # noqa: PLC0415
    from flocx_provider import bootstrap  # noqa: PLC0415
    from flocx_provider.db.static_nodes import SqlNodeStates  # noqa: PLC0415
    from flocx_provider.services.node_health import set_node_health  # noqa: PLC0415

    if conf.provider.driver != "static":
        raise ConfigurationInvalid(
            f"[provider] driver: {conf.provider.driver} knows the health of its nodes by itself; only static is told"
        )
    database = bootstrap.database(conf)
    inventory = bootstrap.inventory(conf, database, bootstrap.directory(conf))
    reason = conf.command.reason if conf.command.down else None
    node = set_node_health(
        conf.command.node, reason, inventory=inventory, states=SqlNodeStates(database), now=SystemClock().now()
    )
    return {"node_uuid": node.node_uuid, "node_name": node.name, "problem": node.problem}, 0
