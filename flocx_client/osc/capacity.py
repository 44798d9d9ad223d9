# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx capacity`` and ``node earnings``: what if one bid, and what if one had offered."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from flocx_client.osc import bid_options, columns, options
from flocx_client.osc.columns import Display, column
from flocx_client.osc.commands import ListCommand, ShowCommand, Thing


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _by_price(value: Any, display: Display, thing: Mapping[str, Any]) -> str:
    told = [f"{columns.hourly(step['price'], display, {})}: {_nodes(step['nodes'])}" for step in value]
    return "\n".join([*told, *(["(more between these)"] if thing["by_price_cut"] else [])])


def _by_start(value: Any, display: Display, thing: Mapping[str, Any]) -> str:
    told = []
    for step in value:
        price = (
            "" if step["price"] is None else f", {thing['quantity']} at {columns.hourly(step['price'], display, {})}"
        )
        told.append(f"{columns.time(step['start_time'], display, {})}: {_nodes(step['nodes'])}{price}")
    return "\n".join([*told, *(["(more after these)"] if thing["by_start_cut"] else [])])


_ALL = (
    column("quantity"),
    column("start_time", columns.time),
    column("end_time", columns.time),
    column("duration", columns.whole_window),
    column("nodes"),
    column("indicative_price", columns.hourly),
    column("indicative_amount", columns.amount),
    column("indicative_start_time", columns.time),
    column("by_price", _by_price),
    column("by_start", _by_start),
)
_CUT = (column("by_price_cut", columns.truth), column("by_start_cut", columns.truth))


class ShowCapacity(ShowCommand):
    """Show how many nodes could be had now at which price."""

    audience = "consumer"
    columns = _ALL
    more_columns = _CUT

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what is wanted, as for a bid."""
        bid_options.add_wanted(parser)
        parser.add_argument(
            "--limit-price",
            metavar="<price>",
            type=options.price,
            help="Leave out what asks more for an hour of a node",
        )
        bid_options.add_rules(parser)
        parser.add_argument(
            "--max-steps", metavar="<number>", type=options.number, help="Show at most so many prices and starts"
        )

    def default_columns(self, parsed_args: argparse.Namespace) -> Any:
        """Return all columns for programs, and for people those that say something."""
        return self.columns if parsed_args.formatter == "table" else self.all_columns(parsed_args)

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Read everything that is given as text."""
        super().check(parsed_args)
        self._fields = bid_options.wanted(parsed_args, self.app.stdin, self.now(), self.zone)
        self._fields |= options.given(max_steps=parsed_args.max_steps)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the capacity."""
        market = self.clients.market
        capacity: Thing = market.capacity(**self._fields, **bid_options.named_offers(market, parsed_args.offer))
        return capacity


class ListEarnings(ListCommand):
    """List what a node of the project would have earned lately, by the price it had asked."""

    audience = "owner"
    paged = False
    columns = (
        column("price", columns.hourly),
        column("seconds", columns.duration, "Time Sold"),
        column("contracts"),
        column("amount", columns.amount, "Earnings"),
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the node and the time."""
        parser.add_argument("node", metavar="<node>", help="Node that the project has offered, by name or UUID")
        parser.add_argument(
            "--days", metavar="<number>", type=options.number, help="Look at so many days up to now, by default 30"
        )
        parser.add_argument("--max-steps", metavar="<number>", type=options.number, help="Show at most so many prices")

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return the earnings, price by price."""
        asked = options.given(node=parsed_args.node, days=parsed_args.days)
        told = self.clients.market.capacity(earnings=asked, **options.given(max_steps=parsed_args.max_steps))
        earnings = told["earnings"]
        if earnings["by_price_cut"]:
            self.log.warning("Prices between these are left out: --max-steps <number> shows more")
        rows: Iterable[Thing] = earnings["by_price"]
        return rows
