# SPDX-License-Identifier: Apache-2.0
"""What the manage commands of both services have in common: ``db sync|version|check`` and output."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alembic.util import CommandError
from oslo_config import cfg
from oslo_db import exception as oslo_db_exception
from sqlalchemy.exc import DBAPIError, OperationalError

from flocx_common.db.migration import Migrations
from flocx_common.domain.errors import Invalid, Unavailable

#: A command: takes the parsed configuration, returns (what to show, exit status).
Command = Callable[[cfg.ConfigOpts], tuple[Mapping[str, Any] | Sequence[Mapping[str, Any]], int]]


def add_command(group: Any, name: str, run: Command, summary: str, description: str = "") -> argparse.ArgumentParser:
    """Add a command to a group of subcommands and return its parser."""
    parser: argparse.ArgumentParser = group.add_parser(name, help=summary, description=description or summary)
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="how to print the result")
    parser.set_defaults(run=run)
    return parser


def add_group(subparsers: Any, name: str, summary: str) -> Any:
    """Add a group of commands ("db", "node") and return what commands are added to."""
    parser = subparsers.add_parser(name, help=summary, description=summary)
    return parser.add_subparsers(dest=f"{name}_command", required=True, metavar="COMMAND")


def add_db_commands(subparsers: Any, migrations: Callable[[cfg.ConfigOpts], Migrations]) -> None:
    """Add ``db sync``, ``db version`` and ``db check``."""

    def sync(conf: cfg.ConfigOpts) -> tuple[Mapping[str, Any], int]:
        schema = migrations(conf)
        before = schema.current()
        schema.upgrade(conf.command.revision)
        return {"before": before, "revision": schema.current()}, 0

    def version(conf: cfg.ConfigOpts) -> tuple[Mapping[str, Any], int]:
        schema = migrations(conf)
        return {"revision": schema.current(), "newest": schema.head}, 0

    def check(conf: cfg.ConfigOpts) -> tuple[Mapping[str, Any], int]:
        schema = migrations(conf)
        current = schema.current()
        ready = current == schema.head
        if not ready:
            sys.stderr.write("the database is not at the newest revision; db sync brings it there\n")
        return {"ready": ready, "revision": current, "newest": schema.head}, 0 if ready else 1

    group = add_group(subparsers, "db", "look after the database schema")
    parser = add_command(group, "sync", sync, "bring the database to the newest revision; again is harmless")
    parser.add_argument("--revision", default="head", help="bring it to this revision instead")
    add_command(group, "version", version, "show the revision the database is at, and the newest")
    add_command(
        group, "check", check, "say whether the database is at the newest revision", "Exit status 1 when it is not."
    )


def run_command(conf: cfg.ConfigOpts) -> int:
    """Run the chosen command, print its result, and return its exit status.

    :raises Invalid: there is no such revision.
    :raises Unavailable: the database does not answer.
    """
    try:
        result, status = conf.command.run(conf)
    except CommandError as error:
        raise Invalid(f"revision: {error}") from None
    except (oslo_db_exception.DBError, DBAPIError) as error:
        inner = getattr(error, "inner_exception", None) or error
        if not isinstance(inner, DBAPIError):
            raise
        reason = str(inner.orig).partition("\n")[0]
        said = "does not answer" if isinstance(inner, OperationalError) else "cannot be used"
        raise Unavailable(f"[database] connection: the database {said}: {reason}") from None
    if conf.command.format == "json":
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    elif isinstance(result, Mapping):
        sys.stdout.write("".join(f"{key}: {_shown(value)}\n" for key, value in result.items()))
    else:
        sys.stdout.write(_table(result))
    return int(status)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    titles = list(rows[0])
    cells = [titles, *([_shown(row[title]) for title in titles] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(titles))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
    return str(value)
