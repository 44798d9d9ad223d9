# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx node``: the project's nodes, and who may use which."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from flocx_client.osc import columns, options
from flocx_client.osc.columns import Display, column
from flocx_client.osc.commands import FlocxCommand, ListCommand, ShowCommand, Thing
from flocx_client.osc.offer_creation import is_idle


def _health(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    return columns.status("ok", display, {}) if value["ok"] else str(value["problem"])


def _offers(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{one['name'] or one['uuid']}: {one['status']}, {columns.window(one, display)}, "
        f"{columns.hourly(one['reserve_price'], display, {})}"
        for one in value
    )


def _contracts(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{one['lessee_project_name'] or one['lessee_project_id']}: {one['status']}, {columns.window(one, display)}, "
        f"{columns.amount(one['amount'], display, {})}"
        for one in value
    )


def _asked(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    return "\n".join(columns.hourly(one["reserve_price"], display, {}) for one in value)


def _until(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    return "\n".join(f"{one['status']} until {columns.time(one['end_time'], display, {})}" for one in value)


_UUID = column("node_uuid")
_NAME = column("node_name")
_OWNER = column("owner_project_id")
_OWNER_NAME = column("owner_project_name")
_CLASS = column("resource_class")
_PROPERTIES = column("properties", columns.document)
_HEALTH = column("health", _health)
_LESSEE = column("lessee_project_id")
_LESSEE_NAME = column("lessee_project_name")
_LESSEE_CALLED = column("lessee_project_id", columns.called("lessee_project_name"), "Lessee")
_OFFERS = column("offers", _offers)
_CONTRACTS = column("contracts", _contracts)
_FREE = column("free_windows", columns.windows)
# As short as a list needs them.
_ASKED = column("offers", _asked)
_PROMISED = column("contracts", _until)


class _NodeCommand(FlocxCommand):
    audience = "owner"


class ListNodes(_NodeCommand, ListCommand):
    """List the project's nodes, with what is offered and promised of them."""

    columns = (_UUID, _NAME, _CLASS, _HEALTH, _LESSEE_CALLED, _ASKED, _PROMISED)
    more_columns = (_OWNER, _OWNER_NAME, _LESSEE_NAME, _FREE, _PROPERTIES)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add filters."""
        parser.add_argument("--name", metavar="<name>", help="Show those of this name")
        parser.add_argument("--resource-class", metavar="<class>", help="Show those of this resource class")
        parser.add_argument("--owner", metavar="<project>", help="Show those of this owner, by name or ID")
        parser.add_argument("--lessee", metavar="<project>", help="Show those that this project holds, by name or ID")
        parser.add_argument(
            "--idle",
            action="store_true",
            help="Show those that are healthy, in nobody's use, not offered and not promised",
        )
        options.add_sort(parser, "node_name")

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return nodes as they are read."""
        query = options.query(
            parsed_args,
            None if parsed_args.idle else limit,
            node_name=parsed_args.name,
            resource_class=parsed_args.resource_class,
            owner_project_id=parsed_args.owner,
            lessee_project_id=parsed_args.lessee,
        )
        nodes = self.clients.provider.nodes(**query)
        return islice(filter(is_idle, nodes), limit) if parsed_args.idle else nodes


class ShowNode(_NodeCommand, ShowCommand):
    """Show a node of the project, with its whole history."""

    columns = (
        _UUID,
        _NAME,
        _OWNER,
        _OWNER_NAME,
        _CLASS,
        _PROPERTIES,
        _HEALTH,
        _LESSEE,
        _LESSEE_NAME,
        _OFFERS,
        _CONTRACTS,
        _FREE,
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the node."""
        parser.add_argument("node", metavar="<node>", help="Node, by name or UUID")

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the node."""
        return self.clients.provider.get_node(parsed_args.node)


class ShowNodeAccess(ShowCommand):
    """Show whether the project may use a node now, and why."""

    audience = "consumer"
    columns = (_UUID, _NAME, column("project_id"), column("allowed", columns.truth), column("reason"))

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the node."""
        parser.add_argument("node", metavar="<node>", help="Node, by name or UUID")

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the answer."""
        return self.clients.provider.get_node_access(parsed_args.node)
