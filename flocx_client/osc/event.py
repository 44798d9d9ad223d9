# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx event``: what happened."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flocx_client.osc import columns, options
from flocx_client.osc.columns import Display, column
from flocx_client.osc.commands import ListCommand, Thing

SERVICES = ("market", "provider")


_FIRST = (column("occurred_at", columns.time), column("event_type"), column("entity_uuid"), column("reason"))
_MORE = (
    column("uuid"),
    column("entity_type"),
    column("project_ids", columns.lines),
    column("detail", columns.document),
)


class ListEvents(ListCommand):
    """List what happened to the project's things, the oldest first."""

    columns = _FIRST
    more_columns = _MORE

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add filters."""
        add_source(parser)
        parser.add_argument(
            "--since", metavar="<cursor>", help="Show what happened after this cursor, which an earlier list has told"
        )

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return events as they are read."""
        # The one too many, which shows that there is more, would be behind the cursor.
        self._wanted = None if limit is None else limit - 1
        return self._read(parsed_args)

    def _read(self, args: argparse.Namespace) -> Iterator[Thing]:
        service = getattr(self.clients, args.service)
        cursor, left = args.since, self._wanted
        while left is None or left > 0:
            events, cursor = service.events(since=cursor, limit=options.page(left))
            if not events:
                break
            for event in events:
                if concerns(event, args):
                    yield event
                    left = left and left - 1
        self.log.warning("What follows is shown by --since %s", cursor)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add what chooses events."""
    parser.add_argument(
        "--service",
        choices=SERVICES,
        default=SERVICES[0],
        help="Whose events, by default the market's; it tells both sides of a contract",
    )
    parser.add_argument(
        "--type",
        metavar="<type>",
        action="append",
        help="Show those of a type such as bid.matched, or of all types of a thing such as bid; can be repeated",
    )
    parser.add_argument("--entity", metavar="<uuid>", action="append", help="Show those of this thing; can be repeated")


def concerns(event: Mapping[str, Any], args: argparse.Namespace) -> bool:
    """Return whether an event is one of those that were asked for."""
    kind = event["event_type"]
    return (not args.type or any(kind == one or kind.startswith(f"{one}.") for one in args.type)) and (
        not args.entity or event["entity_uuid"] in args.entity
    )


def line(event: Mapping[str, Any], display: Display) -> str:
    """Return an event on one line."""
    detail = ", ".join(f"{key}={columns.flat(value)}" for key, value in sorted(event["detail"].items()))
    words = [columns.time(event["occurred_at"], display, {}), event["event_type"], event["entity_uuid"]]
    if event["reason"]:
        words.append(event["reason"])
    return "  ".join([*words, f"({detail})"] if detail else words)
