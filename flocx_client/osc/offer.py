# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx offer``: what can be had on the market, and the project's own part of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from typing import Any

from flocx_client.osc import columns, options
from flocx_client.osc.columns import Column, column
from flocx_client.osc.commands import FlocxCommand, ListCommand, ShowCommand, Thing
from flocx_client.osc.failure import UsageError
from flocx_client.osc.naming import found

STATUSES = ("available", "suspended", "expired", "withdrawn")
LIVING = ("available", "suspended")

UUID = column("uuid")
NAME = column("name")
NODE = column("node_name", columns.or_else("node_uuid"), "Node")
NODE_UUID = column("node_uuid")
CLASS = column("resource_class")
PROPERTIES = column("properties", columns.document)
START = column("start_time", columns.time)
END = column("end_time", columns.open_end)
PRICE = column("reserve_price", columns.hourly)
SHORTEST = column("min_duration", columns.duration)
OWNER = column("owner_project_id")
OWNER_NAME = column("owner_project_name")
_OWNER = column("owner_project_id", columns.called("owner_project_name"), "Owner")
LESSEES = column("lessee_project_ids", columns.everyone)
STATUS = column("status", columns.status)
REASON = column("status_reason")
CREATED = column("created_at", columns.time)
UPDATED = column("updated_at", columns.time)

# Of the market's offers alone.
PROVIDER = column("provider_uuid")
TYPE = column("resource_type")
FREE = column("free_windows", columns.windows)
# Of the provider's offers alone.
PUBLICATION = column("publication", columns.status)
PUBLICATION_REASON = column("publication_reason")

_SHARED = (
    UUID,
    NAME,
    NODE,
    NODE_UUID,
    CLASS,
    PROPERTIES,
    START,
    END,
    PRICE,
    SHORTEST,
    OWNER,
    OWNER_NAME,
    LESSEES,
    STATUS,
    REASON,
)
_MARKET = (*_SHARED, PROVIDER, TYPE, FREE, CREATED, UPDATED)
OWN = (*_SHARED, PUBLICATION, PUBLICATION_REASON, CREATED, UPDATED)


class _OfferCommand(FlocxCommand):
    def find_own(self, name_or_uuid: str) -> Any:
        """Return the offer of a name or UUID at the provider of this cloud."""
        provider = self.clients.provider
        return found(name_or_uuid, provider.find_offer, provider.offers, LIVING)

    def find_on_market(self, name_or_uuid: str) -> Any:
        """Return the offer of a name or UUID on the market."""
        market = self.clients.market
        return found(name_or_uuid, market.find_offer, market.offers, LIVING)


def _add_own(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--own",
        action="store_true",
        help="The project's own offers at the provider of this cloud, with how far the market knows of them",
    )


class ListOffers(_OfferCommand, ListCommand):
    """List the offers on the market, or with --own the project's own."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add filters."""
        parser.add_argument("--long", action="store_true", help="Show more columns")
        _add_own(parser)
        options.add_status(parser, STATUSES)
        parser.add_argument("--name", metavar="<name>", help="Show those of this name")
        parser.add_argument("--node", metavar="<node>", help="Show those of this node, by name or UUID")
        parser.add_argument("--owner", metavar="<project>", help="Show those of this owner, by name or ID")
        parser.add_argument("--resource-class", metavar="<class>", help="Show those of this resource class")
        parser.add_argument(
            "--max-price", metavar="<price>", type=options.price, help="Show those with no higher reserve price"
        )
        options.add_requirements(parser)
        parser.add_argument("--available-from", metavar="<time>", help="Show those that are free from then on")
        parser.add_argument("--available-until", metavar="<time>", help="Show those that are free until then")
        options.add_sort(parser, "created_at")

    def all_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns that the service in question has."""
        first = self._by_default(parsed_args)
        fields = [one.field for one in first]
        return [*first, *(one for one in (OWN if parsed_args.own else _MARKET) if one.field not in fields)]

    def default_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns that are shown when none is asked for."""
        return self.all_columns(parsed_args) if parsed_args.long else self._by_default(parsed_args)

    def _by_default(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        if parsed_args.own:
            return (UUID, NAME, NODE, START, END, PRICE, STATUS, PUBLICATION)
        return (UUID, NODE, CLASS, START, END, PRICE, _OWNER, STATUS)

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Read everything that is given as text."""
        super().check(parsed_args)
        self._search: dict[str, Any] = {}
        triples = options.requirements(parsed_args, self.app.stdin)
        if triples:
            self._search["requirements"] = json.dumps(triples)
        now = self.now()
        for field in ("available_from", "available_until"):
            text = getattr(parsed_args, field)
            if text is not None:
                option = f"--{field.replace('_', '-')}"
                self._search[field] = options.instant(text, option, now, self.zone)
        if len(self._search.keys() & {"available_from", "available_until"}) == 1:
            raise UsageError("--available-from and --available-until are expected together")
        if parsed_args.own and self._search:
            raise UsageError("--own: the project's own offers cannot be searched by requirements or free time")

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return offers as they are read."""
        query = options.query(
            parsed_args,
            limit,
            status=options.any_of(parsed_args.status),
            name=parsed_args.name,
            owner_project_id=parsed_args.owner,
            resource_class=parsed_args.resource_class,
            reserve_price=options.at_most(parsed_args.max_price),
            **options.node_filter(parsed_args.node),
            **self._search,
        )
        return self.clients.provider.offers(**query) if parsed_args.own else self.clients.market.offers(**query)


class ShowOffer(_OfferCommand, ShowCommand):
    """Show an offer on the market, or with --own one of the project's own."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the offer."""
        parser.add_argument("offer", metavar="<offer>", help="Offer, by name or UUID")
        _add_own(parser)

    def all_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns that the service in question has."""
        return OWN if parsed_args.own else _MARKET

    def default_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return all columns."""
        return self.all_columns(parsed_args)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the offer."""
        find = self.find_own if parsed_args.own else self.find_on_market
        offer: Thing = find(parsed_args.offer)
        return offer


class SetOffer(_OfferCommand):
    """Change the price or the end of one of the project's own offers."""

    audience = "owner"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what can be changed."""
        parser.add_argument("offer", metavar="<offer>", help="Offer, by name or UUID")
        parser.add_argument("--reserve-price", metavar="<price>", type=options.price, help="New reserve price")
        ends = parser.add_mutually_exclusive_group()
        ends.add_argument("--end", metavar="<time>", help="New end")
        ends.add_argument("--no-end", action="store_true", help="Make it open-ended")

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Read everything that is given as text."""
        super().check(parsed_args)
        end = parsed_args.end and options.instant(parsed_args.end, "--end", self.now(), self.zone)
        self._fields = options.given(reserve_price=parsed_args.reserve_price, end_time=end)
        if parsed_args.no_end:
            self._fields["end_time"] = None
        options.nothing_given(self._fields, "--reserve-price, --end or --no-end")

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Change the offer."""
        self.clients.provider.update_offer(self.find_own(parsed_args.offer), **self._fields)


class DeleteOffer(_OfferCommand):
    """Withdraw offers of the project; contracts already made stand."""

    audience = "owner"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the offers."""
        parser.add_argument("offers", metavar="<offer>", nargs="+", help="Offers to withdraw, by name or UUID")

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Withdraw the offers."""
        provider = self.clients.provider
        self.each(parsed_args.offers, lambda name: provider.delete_offer(self.find_own(name), ignore_missing=False))
