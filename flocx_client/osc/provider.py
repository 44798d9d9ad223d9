# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx provider``: who publishes on the market."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from flocx_client.osc import columns, options
from flocx_client.osc.columns import column
from flocx_client.osc.commands import FlocxCommand, ListCommand, ShowCommand, Thing

_UUID = column("uuid")
_NAME = column("name")
_USER = column("service_user_id")
_TURNAROUND = column("turnaround", columns.duration)
_HEARTBEAT = column("last_heartbeat_at", columns.time)
_SILENT = column("silent", columns.truth)
_CREATED = column("created_at", columns.time)
_UPDATED = column("updated_at", columns.time)
_ALL = (_UUID, _NAME, _USER, _TURNAROUND, _HEARTBEAT, _SILENT, _CREATED, _UPDATED)


class _ProviderCommand(FlocxCommand):
    audience = "operator"


def _add_provider(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("provider", metavar="<provider>", help="Provider, by name or UUID")


class ListProviders(_ProviderCommand, ListCommand):
    """List the providers that publish on the market."""

    columns = (_UUID, _NAME, _TURNAROUND, _HEARTBEAT, _SILENT)
    more_columns = (_USER, _CREATED, _UPDATED)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add filters."""
        parser.add_argument("--name", metavar="<name>", help="Show those of this name")
        parser.add_argument(
            "--silent", action="store_const", const="true", help="Show those that have not been heard of for too long"
        )
        options.add_sort(parser, "name")

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return providers as they are read."""
        query = options.query(parsed_args, limit, name=parsed_args.name, silent=parsed_args.silent)
        return self.clients.market.providers(**query)


class ShowProvider(_ProviderCommand, ShowCommand):
    """Show a provider."""

    columns = _ALL

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the provider."""
        _add_provider(parser)

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the provider."""
        return self.clients.market.find_provider(parsed_args.provider)


class CreateProvider(_ProviderCommand, ShowCommand):
    """Register a provider."""

    columns = _ALL

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the fields of a provider."""
        parser.add_argument("name", metavar="<name>", help="Name of the provider")
        parser.add_argument(
            "--service-user", metavar="<user-id>", help="ID of the user that speaks for it, by default the caller"
        )
        parser.add_argument(
            "--turnaround",
            metavar="<duration>",
            type=options.seconds,
            help="What each of its nodes needs between two contracts, by default nothing",
        )

    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Register the provider and return it."""
        fields = options.given(service_user_id=parsed_args.service_user, turnaround=parsed_args.turnaround)
        return self.clients.market.create_provider(name=parsed_args.name, **fields)


class SetProvider(_ProviderCommand):
    """Change a provider."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what can be changed."""
        _add_provider(parser)
        parser.add_argument("--name", metavar="<name>", help="New name")
        parser.add_argument("--turnaround", metavar="<duration>", type=options.seconds, help="New turnaround")

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check that something is to be changed."""
        super().check(parsed_args)
        self._fields = options.given(name=parsed_args.name, turnaround=parsed_args.turnaround)
        options.nothing_given(self._fields, "--name or --turnaround")

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Change the provider."""
        market = self.clients.market
        market.update_provider(market.find_provider(parsed_args.provider), **self._fields)


class DeleteProvider(_ProviderCommand):
    """Remove providers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the providers."""
        parser.add_argument("providers", metavar="<provider>", nargs="+", help="Providers to remove, by name or UUID")

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Remove the providers."""
        market = self.clients.market
        self.each(
            parsed_args.providers,
            lambda name: market.delete_provider(market.find_provider(name), ignore_missing=False),
        )
