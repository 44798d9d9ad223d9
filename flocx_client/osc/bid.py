# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx bid``: what a project asks for, and the most it pays."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flocx_client.osc import bid_options, columns, options, waits
from flocx_client.osc.columns import Column, Display, column
from flocx_client.osc.commands import FlocxCommand, ListCommand, ShowCommand, Thing
from flocx_client.osc.failure import UsageError
from flocx_client.osc.naming import found

STATUSES = ("open", "matched", "expired", "cancelled")

_UUID = column("uuid")
_NAME = column("name")
_PROJECT = column("project_id", columns.text)
_PROJECT_NAME = column("project_name")
_REQUIREMENTS = column("requirements", columns.requirements)
_QUANTITY = column("quantity")
_START = column("start_time", columns.time)
_END = column("end_time", columns.time)
_DURATION = column("duration", columns.whole_window)
_LIMIT = column("limit_price", columns.hourly)
_STATUS = column("status", columns.status)
_REASON = column("status_reason")
_CREATED = column("created_at", columns.time)
_UPDATED = column("updated_at", columns.time)


def _spread(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    return "" if value is None else f"at most {value['max']} of each {value['by']}"


def _together(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    return "" if value is None else f"all of one {value['by']}"


def _any_offer(value: Any, display: Display, thing: Mapping[str, Any]) -> str:
    return "any" if value is None else columns.lines(value, display, thing)


_ALL = (
    _UUID,
    _NAME,
    _PROJECT,
    _PROJECT_NAME,
    _REQUIREMENTS,
    _QUANTITY,
    _START,
    _END,
    _DURATION,
    _LIMIT,
    column("spread", _spread),
    column("together", _together),
    column("offer_uuids", _any_offer),
    _STATUS,
    _REASON,
    _CREATED,
    _UPDATED,
)


def _steps(value: Any, _display: Display, _thing: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{step['step']}: {step['before']} -> {step['after']}" + (f", {step['detail']}" if step["detail"] else "")
        for step in value
    )


def _nearest(value: Any, display: Display, _thing: Mapping[str, Any]) -> str:
    if value is None:
        return ""
    change = value["change"]
    shown = {one.field: one for one in (_LIMIT, _START, _QUANTITY, _REQUIREMENTS)}
    return "\n".join(f"{shown[name].title}: {shown[name].show(change[name], display, change)}" for name in change)


_EXPLANATION = (
    column("sentence"),
    column("steps", _steps),
    column("nearest", _nearest),
    column("bid_uuid"),
)


class _BidCommand(FlocxCommand):
    audience = "consumer"

    def find(self, name_or_uuid: str, living: Sequence[str] = ("open",)) -> Any:
        """Return the bid of a name or UUID."""
        market = self.clients.market
        return found(name_or_uuid, market.find_bid, market.bids, living)


def _add_bid(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bid", metavar="<bid>", help="Bid, by name or UUID")


class ListBids(_BidCommand, ListCommand):
    """List bids."""

    columns = (_UUID, _NAME, _QUANTITY, _START, _END, _LIMIT, _STATUS, _REASON)
    more_columns = (_PROJECT, _PROJECT_NAME, _REQUIREMENTS, _DURATION, *_ALL[10:13], _CREATED, _UPDATED)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add filters."""
        options.add_status(parser, STATUSES)
        parser.add_argument("--name", metavar="<name>", help="Show those of this name")
        parser.add_argument("--project", metavar="<project>", help="Show those of this project, by name or ID")
        options.add_sort(parser, "created_at")

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return bids as they are read."""
        query = options.query(
            parsed_args,
            limit,
            status=options.any_of(parsed_args.status),
            name=parsed_args.name,
            project_id=parsed_args.project,
        )
        return self.clients.market.bids(**query)


class ShowBid(_BidCommand, ShowCommand):
    """Show a bid."""

    columns = _ALL

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the bid."""
        _add_bid(parser)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the bid."""
        bid: Thing = self.find(parsed_args.bid)
        return bid


class ExplainBid(_BidCommand, ShowCommand):
    """Show why a bid is open, and the least change with which it would not be."""

    columns = _EXPLANATION

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the bid."""
        _add_bid(parser)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the explanation."""
        return self.clients.market.explain_bid(self.find(parsed_args.bid))


class _Waiting(_BidCommand, ShowCommand):
    """A command that may wait for a contract."""

    def wait(self, bid: Any, parsed_args: argparse.Namespace) -> Thing:
        """Wait for the contract of a bid, and return the bid with it; what keeps it from coming about is told."""
        market = self.clients.market
        try:
            with waits.progress_line(self.app.stderr) as line:
                contract = market.wait_for_contract(
                    bid,
                    timeout=parsed_args.timeout,
                    progress=lambda seen: line.waited(f"bid {bid.name or bid.uuid}", seen),
                )
        except KeyboardInterrupt:
            self.log.warning("Bid %s stays open; 'openstack flocx bid cancel' takes it back", bid.uuid)
            raise
        except Exception as error:
            # The bid stands all the same, and its owner wants to know of it.
            self.exit_status = self.fail(error)
            return {**bid, **getattr(error, "entity", {}), "contract_uuid": None}
        return {**market.get_bid(bid), "contract_uuid": contract.uuid}


class WaitForContract(_Waiting):
    """Wait until a bid has a contract."""

    columns = (*_ALL, column("contract_uuid"))

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the bid."""
        _add_bid(parser)
        waits.add_timeout(parser)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the bid, with its contract."""
        return self.wait(self.find(parsed_args.bid), parsed_args)


class CreateBid(_Waiting):
    """Place a bid, or show with --dry-run what would become of it."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the fields of a bid."""
        parser.add_argument("--name", metavar="<name>", help="Name of the bid")
        bid_options.add_wanted(parser)
        parser.add_argument(
            "--limit-price",
            metavar="<price>",
            type=options.price,
            required=True,
            help="The most to be paid for an hour of a node",
        )
        bid_options.add_rules(parser)
        parser.add_argument(
            "--dry-run", action="store_true", help="Place nothing, but show what would become of the bid now"
        )
        waits.add_wait(parser, "the bid has a contract")

    def all_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns of a bid, or of the explanation of a dry run."""
        if parsed_args.dry_run:
            return _EXPLANATION
        return (*_ALL, column("contract_uuid")) if parsed_args.wait else _ALL

    def default_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return all columns."""
        return self.all_columns(parsed_args)

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Read everything that is given as text."""
        super().check(parsed_args)
        if parsed_args.dry_run and parsed_args.wait:
            raise UsageError("--wait: a dry run has nothing to wait for")
        self._fields = options.given(name=parsed_args.name)
        self._fields |= bid_options.wanted(parsed_args, self.app.stdin, self.now(), self.zone)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Place the bid and return it; or return the explanation of a dry run."""
        market = self.clients.market
        self._fields |= bid_options.named_offers(market, parsed_args.offer)
        if parsed_args.dry_run:
            return market.dry_run_bid(**self._fields)
        bid = market.create_bid(**self._fields)
        return self.wait(bid, parsed_args) if parsed_args.wait else bid


class SetBid(_BidCommand):
    """Change an open bid."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what can be changed."""
        _add_bid(parser)
        names = parser.add_mutually_exclusive_group()
        names.add_argument("--name", metavar="<name>", help="New name")
        names.add_argument("--no-name", action="store_true", help="Take the name away")
        parser.add_argument(
            "--limit-price",
            metavar="<price>",
            type=options.price,
            help="New limit price; a higher one makes the bid young",
        )
        parser.add_argument("--end", metavar="<time>", help="New end; a later one makes the bid young")

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Read everything that is given as text."""
        super().check(parsed_args)
        end = parsed_args.end and options.instant(parsed_args.end, "--end", self.now(), self.zone)
        self._fields = options.given(name=parsed_args.name, limit_price=parsed_args.limit_price, end_time=end)
        if parsed_args.no_name:
            self._fields["name"] = None
        options.nothing_given(self._fields, "--name, --no-name, --limit-price or --end")

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Change the bid."""
        self.clients.market.update_bid(self.find(parsed_args.bid), **self._fields)


class CancelBid(_BidCommand):
    """Cancel open bids."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the bids."""
        parser.add_argument("bids", metavar="<bid>", nargs="+", help="Bids to cancel, by name or UUID")

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Cancel the bids."""
        self.each(parsed_args.bids, lambda name: self.clients.market.delete_bid(self.find(name), ignore_missing=False))
