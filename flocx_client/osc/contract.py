# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx contract``: bids and the nodes that serve them, at a settled price."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flocx_client.osc import columns, options, waits
from flocx_client.osc.columns import Column, Display, column
from flocx_client.osc.commands import FlocxCommand, ListCommand, ShowCommand, Thing
from flocx_client.osc.failure import UsageError

STATUSES = ("created", "active", "completed", "cancelled", "terminated", "failed")


def _nodes(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{one['node_name'] or one['node_uuid']}: {one['status']}"
        + "".join(f", {said}" for said in (one["status_reason"], one.get("trouble")) if said)
        for one in sorted(value, key=lambda one: one["node_name"] or one["node_uuid"])
    )


_UUID = column("uuid")
_BID = column("bid_uuid")
_LESSEE = column("lessee_project_id")
_LESSEE_NAME = column("lessee_project_name")
_LESSEE_CALLED = column("lessee_project_id", columns.called("lessee_project_name"), "Lessee")
_QUANTITY = column("quantity")
_START = column("start_time", columns.time)
_END = column("end_time", columns.time)
_PRICE = column("clearing_price", columns.hourly)
_AMOUNT = column("amount", columns.amount)
_RULE = column("price_rule")
_STATUS = column("status", columns.status)
_REASON = column("status_reason")
_ALLOCATIONS = column("allocations", _nodes)
_CREATED = column("created_at", columns.time)
_UPDATED = column("updated_at", columns.time)

_ALL = (
    _UUID,
    _BID,
    _LESSEE,
    _LESSEE_NAME,
    _QUANTITY,
    _START,
    _END,
    _PRICE,
    _AMOUNT,
    _RULE,
    _STATUS,
    _REASON,
    _ALLOCATIONS,
    _CREATED,
    _UPDATED,
)
_DELIVERED = (_UUID, _LESSEE, _LESSEE_NAME, _QUANTITY, _START, _END, _AMOUNT, _STATUS, _REASON, _ALLOCATIONS)


def add_contract(parser: argparse.ArgumentParser) -> None:
    """Add the contract that a command is about."""
    parser.add_argument("contract", metavar="<contract>", help="Contract, by UUID, or by name or UUID of its bid")


def _add_delivery(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delivery",
        action="store_true",
        help="As this cloud's provider has it, on its nodes, in place of what the market says",
    )


class ListContracts(ListCommand):
    """List contracts that the project is lessee or owner in."""

    columns = (_UUID, _LESSEE_CALLED, _QUANTITY, _START, _END, _AMOUNT, _STATUS, _REASON)
    more_columns = (_BID, _LESSEE_NAME, _PRICE, _RULE, _ALLOCATIONS, _CREATED, _UPDATED)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add filters."""
        options.add_status(parser, STATUSES)
        parser.add_argument("--lessee", metavar="<project>", help="Show those of this lessee, by name or ID")
        parser.add_argument("--bid", metavar="<bid>", help="Show those of this bid, by name or UUID")
        _add_delivery(parser)
        options.add_sort(parser, "created_at, and with --delivery start_time")

    def all_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns that the service in question has."""
        every = super().all_columns(parsed_args)
        told = [one.field for one in _DELIVERED]
        return [one for one in every if one.field in told] if parsed_args.delivery else every

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check that the service in question knows the filters."""
        super().check(parsed_args)
        if parsed_args.delivery and parsed_args.bid:
            raise UsageError("--bid: a provider knows no bids")

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return contracts as they are read."""
        bid = parsed_args.bid and self.clients.market.find_bid(parsed_args.bid).uuid
        query = options.query(
            parsed_args,
            limit,
            status=options.any_of(parsed_args.status),
            lessee_project_id=parsed_args.lessee,
            bid_uuid=bid,
        )
        service = self.clients.provider if parsed_args.delivery else self.clients.market
        return service.contracts(**query)


class ShowContract(ShowCommand):
    """Show a contract."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the contract."""
        add_contract(parser)
        _add_delivery(parser)

    def all_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns that the service in question has."""
        return _DELIVERED if parsed_args.delivery else _ALL

    def default_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return all columns."""
        return self.all_columns(parsed_args)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the contract."""
        if not parsed_args.delivery:
            return self.clients.market.find_contract(parsed_args.contract)
        return self.clients.provider.get_contract(parsed_args.contract)


class _Ending(ShowCommand):
    audience = "consumer"
    columns = _ALL

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the contract."""
        add_contract(parser)


class CancelContract(_Ending):
    """Call a contract off before its start."""

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the contract as it is then."""
        market = self.clients.market
        return market.cancel_contract(market.find_contract(parsed_args.contract))


class TerminateContract(_Ending):
    """End a running contract now, and give its nodes back."""

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the contract as it is then."""
        market = self.clients.market
        return market.terminate_contract(market.find_contract(parsed_args.contract))


class WaitForNodes(FlocxCommand):
    """Wait until the nodes of a contract are handed over."""

    audience = "consumer"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the contract."""
        add_contract(parser)
        waits.add_timeout(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Wait."""
        market = self.clients.market
        contract = market.find_contract(parsed_args.contract)
        with waits.progress_line(self.app.stderr) as line:
            market.wait_for_active(
                contract,
                timeout=parsed_args.timeout,
                progress=lambda seen: line.waited(f"contract {contract.uuid}", seen),
            )
