# SPDX-License-Identifier: Apache-2.0
"""Options that several commands have, and what they mean for a request."""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from flocx_client.osc.failure import UsageError
from flocx_client.osc.times import parse_duration, parse_time


def price(text: str) -> str:
    """Return the text of a price, for argparse."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r}: a price such as 1.50 is expected")
    return text.strip()


def number(text: str) -> int:
    """Return a whole number from 1 on, for argparse."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 1 on is expected")
    return int(text)


def seconds(text: str) -> int:
    """Return the seconds of a duration, for argparse."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def instant(text: str, option: str, now: datetime, zone: tzinfo) -> str:
    """Return the timestamp that a text on the command line means.

    :raises UsageError: it means none.
    """
    try:
        return parse_time(text, now, zone).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def add_window(parser: argparse.ArgumentParser, start: str, end: str) -> None:
    """Add ``--start``, ``--end`` and ``--for``."""
    parser.add_argument("--start", metavar="<time>", help=f"{start}: 'tomorrow 08:00', '2026-12-01T08:00+01:00', '+2h'")
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--end", metavar="<time>", help=end)
    ends.add_argument(
        "--for", metavar="<duration>", dest="for_", type=seconds, help="End so long after the start: '3h', '1d12h'"
    )


def window(args: argparse.Namespace, now: datetime, zone: tzinfo) -> dict[str, str]:
    """Return the fields that ``--start``, ``--end`` and ``--for`` mean.

    A start that is left out, or "now", is left to the service, whose clock counts.

    :raises UsageError: one of them means no time, or the end is not after the start.
    """
    fields = {}
    begin = now
    if args.start is not None and args.start.strip().lower() != "now":
        fields["start_time"] = instant(args.start, "--start", now, zone)
        begin = datetime.fromisoformat(fields["start_time"])
    if args.end is not None:
        fields["end_time"] = instant(args.end, "--end", now, zone)
        if datetime.fromisoformat(fields["end_time"]) <= begin:
            raise UsageError(f"--end: {args.end!r} is not after the start")
    elif args.for_ is not None:
        if not args.for_:
            raise UsageError("--for: more than 0 seconds are expected")
        # The service begins with the next whole second.
        end = begin.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=args.for_ + bool(begin.microsecond))
        fields["end_time"] = end.isoformat().replace("+00:00", "Z")
    return fields


def add_requirements(parser: argparse.ArgumentParser) -> None:
    """Add ``--require`` and ``--requirements``."""
    parser.add_argument(
        "--require",
        metavar="<requirement>",
        action="append",
        default=[],
        help="What each node must have, such as 'cpus >= 32', 'gpu.gpu_model ~ A100' or 'not cpu_arch = aarch64'; can "
        "be repeated, and all must hold",
    )
    parser.add_argument(
        "--requirements", metavar="<file>", help="A file with requirements as a JSON list of triples; - for the input"
    )


def requirements(args: argparse.Namespace, given: Any) -> list[Any]:
    """Return the triples that ``--require`` and ``--requirements`` mean.

    :param given: the input of the command.
    :raises UsageError: one means none; shown with a caret under the mistake.
    """
    triples = [] if args.requirements is None else _from_file(args.requirements, given)
    if args.require:
        # It takes time, and most commands have no requirements.
        from flocx_client.osc.requirement_text import RequirementTextError, parse_requirement  # noqa: PLC0415

        for text in args.require:
            try:
                triples.append(parse_requirement(text))
            except RequirementTextError as error:
                raise UsageError(f"--require: this is no requirement:\n{error}") from None
    return triples


def _from_file(name: str, given: Any) -> list[Any]:
    try:
        text = given.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        triples = json.loads(text)
    except OSError as error:
        raise UsageError(f"--requirements: {name}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"--requirements: {name} is no JSON: {error}") from None
    if not isinstance(triples, list):
        raise UsageError(f"--requirements: {name}: a JSON list of triples is expected")
    return triples


def add_sort(parser: argparse.ArgumentParser, default: str) -> None:
    """Add ``--sort`` and ``--filter``, which every list of the services takes."""
    parser.add_argument(
        "--sort",
        metavar="<field>[:<direction>],...",
        help=f"Sort by fields, each asc or desc; by default {default}",
    )
    parser.add_argument(
        "--filter",
        metavar="<field>=<value>",
        action="append",
        default=[],
        dest="filters",
        help="Show those whose field has a value; in:, gt:, gte:, lt: or lte: before the value compares; can be repeated",
    )


def query(args: argparse.Namespace, limit: int | None, **fields: Any) -> dict[str, Any]:
    """Return the query of a list.

    :param limit: so many are wanted; None for all.
    :param fields: what further options filter by; None where they do not.
    :raises UsageError: a filter is given twice, or is none.
    """
    chosen = {name: value for name, value in fields.items() if value is not None}
    for text in args.filters:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"--filter: {text!r}: <field>=<value> is expected")
        if name in chosen:
            raise UsageError(f"--filter: {name} is given twice")
        chosen[name] = value
    return {**chosen, "sort": args.sort, "limit": limit}


def any_of(values: Sequence[str] | None) -> str | None:
    """Return the filter that one of several values passes."""
    return None if not values else values[0] if len(values) == 1 else f"in:{','.join(values)}"


def add_status(parser: argparse.ArgumentParser, statuses: Sequence[str]) -> None:
    """Add ``--status``."""
    parser.add_argument(
        "--status",
        metavar="<status>",
        action="append",
        choices=statuses,
        help=f"Show those in this status: {', '.join(statuses)}; can be repeated",
    )


def at_most(value: str | None) -> str | None:
    """Return the filter for a value that is not exceeded."""
    return None if value is None else f"lte:{value}"


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def nothing_given(fields: Mapping[str, Any], options: str) -> None:
    """Refuse a change of nothing.

    :raises UsageError: there are no fields.
    """
    if not fields:
        raise UsageError(f"nothing is to be changed: {options} is expected")


def node_filter(name_or_uuid: str | None) -> dict[str, str]:
    """Return the filter for a node of a name or UUID."""
    if name_or_uuid is None:
        return {}
    return {"node_uuid" if is_uuid(name_or_uuid) else "node_name": name_or_uuid}


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def page(left: int | None) -> int | None:
    """Return how many entries to ask for when so many are still wanted; None for as many as the service likes."""
    return None if left is None else min(left, 1000)
