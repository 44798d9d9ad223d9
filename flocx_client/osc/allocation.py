# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx allocation``: the nodes of contracts, one by one."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from flocx_client.osc import columns, exit_statuses, options
from flocx_client.osc.columns import column
from flocx_client.osc.commands import FlocxCommand, ListCommand, ShowCommand, Thing
from flocx_client.osc.failure import Failure, UsageError

if TYPE_CHECKING:
    from flocx_client.resources import Allocation

STATUSES = ("created", "acknowledged", "active", "released", "failed", "replaced")
_LIVING = ("created", "acknowledged", "active")

_UUID = column("uuid")
_CONTRACT = column("contract_uuid")
_OFFER = column("offer_uuid")
_PROVIDER = column("provider_uuid")
_NODE_UUID = column("node_uuid")
_NODE = column("node_name", columns.or_else("node_uuid"), "Node")
_OWNER = column("owner_project_id")
_OWNER_NAME = column("owner_project_name")
_START = column("start_time", columns.time)
_END = column("end_time", columns.time)
_PRICE = column("clearing_price", columns.hourly)
_AMOUNT = column("amount", columns.amount)
_STATUS = column("status", columns.status)
_REASON = column("status_reason")
_FROM = column("delivered_from", columns.time)
_UNTIL = column("delivered_until", columns.time)

_ALL = (
    _UUID,
    _CONTRACT,
    _OFFER,
    _PROVIDER,
    _NODE,
    _NODE_UUID,
    _OWNER,
    _OWNER_NAME,
    _START,
    _END,
    _PRICE,
    _AMOUNT,
    _STATUS,
    _REASON,
    _FROM,
    _UNTIL,
)


class _Allocations(Protocol):
    def of_contracts(self, contract: str | None) -> Iterator[Allocation]:
        """Yield the allocations of a contract, or of all."""


class _AllocationCommand(FlocxCommand):
    def of_contracts(self, contract: str | None) -> Iterator[Allocation]:
        """Yield the allocations of a contract, or of all contracts that the project is in, the latest first, each by node."""
        market = self.clients.market
        contracts = market.contracts(sort="created_at:desc") if contract is None else [market.find_contract(contract)]
        return (
            allocation
            for one in contracts
            for allocation in sorted(one.allocations, key=lambda part: part.node_name or part.node_uuid)
        )


class ListAllocations(_AllocationCommand, ListCommand):
    """List the nodes of contracts, those of the latest contracts first."""

    columns = (_UUID, _CONTRACT, _NODE, _START, _END, _AMOUNT, _STATUS, _REASON)
    more_columns = (_NODE_UUID, _OWNER, _OWNER_NAME, _OFFER, _PROVIDER, _PRICE, _FROM, _UNTIL)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add filters."""
        parser.add_argument(
            "--contract",
            metavar="<contract>",
            help="Show those of this contract, by UUID, or by name or UUID of its bid",
        )
        parser.add_argument("--node", metavar="<node>", help="Show those of this node, by name or UUID")
        options.add_status(parser, STATUSES)

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return allocations as they are read."""
        return (
            one
            for one in self.of_contracts(parsed_args.contract)
            if (not parsed_args.status or one.status in parsed_args.status)
            and (parsed_args.node is None or parsed_args.node in (one.node_name, one.node_uuid))
        )


class ShowAllocation(_AllocationCommand, ShowCommand):
    """Show the part of a node in a contract."""

    columns = _ALL

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the allocation."""
        _add_allocation(parser)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the allocation."""
        wanted = parsed_args.allocation
        if wanted is None:
            return of_node(self, parsed_args)
        one: Thing
        for one in self.of_contracts(None):
            if one["uuid"] == wanted:
                return one
        raise Failure(exit_statuses.NOT_FOUND, f"there is no allocation {wanted!r}")

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check that one allocation is named."""
        super().check(parsed_args)
        _check(parsed_args)


class ReleaseAllocation(_AllocationCommand, ShowCommand):
    """Give a node back as its lessee, or take it back early as its owner's manager."""

    columns = _ALL

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the allocation."""
        _add_allocation(parser)

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check that one allocation is named."""
        super().check(parsed_args)
        _check(parsed_args)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Release the allocation and return it."""
        wanted = parsed_args.allocation or of_node(self, parsed_args)
        return self.clients.market.release_allocation(wanted)


def _add_allocation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("allocation", metavar="<allocation>", nargs="?", help="Allocation, by UUID")
    parser.add_argument(
        "--contract", metavar="<contract>", help="With --node: contract, by UUID, or by name or UUID of its bid"
    )
    parser.add_argument("--node", metavar="<node>", help="With --contract: its node, by name or UUID")


def _check(args: argparse.Namespace) -> None:
    by_node = args.contract is not None and args.node is not None
    if (args.allocation is not None) == by_node or (args.contract is None) != (args.node is None):
        raise UsageError("either the UUID of an allocation is expected, or --contract and --node")


def of_node(command: _Allocations, args: argparse.Namespace) -> Allocation:
    """Return what a node has in a contract; where it has several, that which is not over."""
    found = [one for one in command.of_contracts(args.contract) if args.node in (one.node_name, one.node_uuid)]
    if found:
        return min(found, key=lambda one: one.status not in _LIVING)
    raise Failure(exit_statuses.NOT_FOUND, f"--node: the contract {args.contract!r} has no node {args.node!r}")
