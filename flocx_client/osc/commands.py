# SPDX-License-Identifier: Apache-2.0
"""What all commands have in common: signing in, failing, and showing things."""

from __future__ import annotations

import argparse
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any, ClassVar

from cliff import lister, show
from osc_lib.command import command

from flocx_client.osc import exit_statuses, plugin, streams
from flocx_client.osc.columns import Cell, Column, Display, colourful, flat
from flocx_client.osc.failure import Failure, UsageError
from flocx_client.osc.times import local_zone

# Formats for programs: the API's names and values. All others are for people.
_TYPED = ("json", "yaml")
_FLAT = ("csv", "value", "shell")

#: So many rows are shown of a list where nothing else is asked for.
_FIRST = 50

Thing = Mapping[str, Any]


class FlocxCommand(command.Command):
    """A command that talks to the services.

    It signs in itself, so that a mistake on the command line is told before a
    password is asked for, and so that what goes wrong is told in our words.
    """

    #: For whom it is: "owner", "consumer", "operator", or "" for all of them.
    audience: ClassVar[str] = ""

    auth_required = False
    #: What ``run`` returns where nothing was raised.
    exit_status = exit_statuses.DONE

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser, with what every command takes."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--utc", action="store_true", help="Times without an offset are UTC, and are shown in UTC")
        self.add_arguments(parser)
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command and return its exit status."""
        try:
            self.zone: tzinfo = UTC if parsed_args.utc else local_zone()
            self.check(parsed_args)
            # Now it is: this time the shell signs in.
            self.auth_required = True
            self.app.prepare_to_run_command(self)
            self.clients = plugin.make_client(self.app.client_manager)
            return super().run(parsed_args) or self.exit_status
        except BrokenPipeError:
            raise
        except Exception as error:
            return self.fail(error)

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check what can be before anything is asked of a service.

        :raises UsageError: the command line is wrong.
        """

    def fail(self, error: Exception, about: str = "") -> int:
        """Say what went wrong, and return the exit status for it.

        :param about: what it went wrong with.
        :raises Exception: the error, when nobody foresaw it.
        """
        failure = self.foreseen(error)
        self.say(failure, about)
        return failure.status

    def say(self, failure: Failure, about: str = "") -> None:
        """Say what went wrong, and with what."""
        found_by = f"; in the service's log it is request {failure.request_id}" if failure.request_id else ""
        self.log.error("%s%s%s", f"{about}: " if about else "", failure, found_by)

    def foreseen(self, error: Exception) -> Failure:
        """Return what to say of an error.

        :raises Exception: the error, when nobody foresaw it.
        """
        # It takes time, and most commands do not fail.
        from flocx_client.osc.failure_sentences import failure_of  # noqa: PLC0415

        failure = failure_of(error, self.app)
        if failure is None:
            raise error
        self.log.debug("where it went wrong:", exc_info=error)
        return failure

    def now(self) -> datetime:
        """Return the present."""
        return datetime.now(UTC)

    def display(self) -> Display:
        """Return how this reader wants to see things."""
        return Display(self.zone, lambda: self.clients.price_unit, colour=colourful(self.app.stdout))

    def each(self, names: Sequence[str], act: Callable[[str], object]) -> None:
        """Do something to each of several things, whatever becomes of the others."""
        statuses = []
        for number, name in enumerate(names):
            try:
                act(name)
            except KeyboardInterrupt:
                self.log.error("Interrupted at %s; %d of %d were not tried", name, len(names) - number - 1, len(names))
                raise
            except Exception as error:
                statuses.append(self.fail(error, name if len(names) > 1 else ""))
        if statuses and len(names) > 1:
            self.log.error("%d of %d: not done", len(statuses), len(names))
        self.exit_status = status_of_several(statuses, len(names))


class _Shown(FlocxCommand):
    """A command that shows fields of things."""

    #: What it shows, by default; and what more there is.
    columns: ClassVar[Sequence[Column]] = ()
    more_columns: ClassVar[Sequence[Column]] = ()

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check that the columns that are asked for exist."""
        super().check(parsed_args)
        known = {_key(name) for one in self.all_columns(parsed_args) for name in (one.field, one.title)}
        for name in parsed_args.columns:
            if _key(name) not in known:
                names = ", ".join(one.field for one in self.all_columns(parsed_args))
                raise UsageError(f"-c: there is no column {name!r}; there are {names}")

    def all_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return every column that can be asked for."""
        return (*self.columns, *self.more_columns)

    def default_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns that are shown when none is asked for."""
        return self.columns

    def chosen(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns to be shown."""
        if not parsed_args.columns:
            return self.default_columns(parsed_args)
        wanted = {_key(name) for name in parsed_args.columns}
        return [one for one in self.all_columns(parsed_args) if wanted & {_key(one.field), _key(one.title)}]

    def names(self, columns: Sequence[Column], parsed_args: argparse.Namespace) -> list[str]:
        """Return what columns are called in the format."""
        machine = parsed_args.formatter in _TYPED + _FLAT
        return [one.field if machine else one.title for one in columns]

    def values(
        self, thing: Thing, columns: Sequence[Column], display: Display, parsed_args: argparse.Namespace
    ) -> list[Any]:
        """Return the fields of a thing as the format has them."""
        if parsed_args.formatter in _TYPED:
            return [thing.get(one.field) for one in columns]
        if parsed_args.formatter in _FLAT:
            return [flat(thing.get(one.field)) for one in columns]
        return [Cell(one, thing, display) for one in columns]

    def _generate_columns_and_selector(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str]
    ) -> tuple[list[str], None]:
        """Return all columns: only those that were asked for are there."""
        return list(column_names), None


class ListCommand(_Shown, lister.Lister):
    """A command that shows many things, one a row."""

    #: Whether the list is read page by page, as long as it may be.
    paged: ClassVar[bool] = True

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser, with what every list takes."""
        parser = super().get_parser(prog_name)
        if self.more_columns:
            parser.add_argument("--long", action="store_true", help="Show more columns")
        if not self.paged:
            return parser
        parser.add_argument(
            "--limit",
            metavar="<number>",
            type=_at_least_0,
            help=f"Show at most so many, 0 for all; by default {_FIRST} in a table, and all in formats for programs",
        )
        parser.add_argument(
            "--all",
            action="store_const",
            const=0,
            dest="limit",
            help="Show all, part by part as they are read; the same as --limit 0",
        )
        return parser

    def default_columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        """Return the columns that are shown when none is asked for."""
        long = getattr(parsed_args, "long", False)
        return self.all_columns(parsed_args) if long else super().default_columns(parsed_args)

    @abstractmethod
    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Return the things, one after the other as they are read.

        :param limit: so many are wanted; None for all.
        """

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """Return names of columns, and rows as they are read."""
        limit = getattr(parsed_args, "limit", 0)
        if limit is None:
            limit = 0 if parsed_args.formatter in _TYPED + _FLAT else _FIRST
        things = self.rows(parsed_args, limit + 1 if limit else None)
        columns, display = self.chosen(parsed_args), self.display()
        shown = self._first(things, limit) if limit else things
        values = (self.values(thing, columns, display, parsed_args) for thing in shown)
        return self.names(columns, parsed_args), values

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Write the rows as they come in, in every format that can be written so."""
        out = self.app.stdout
        if parsed_args.sort_columns or parsed_args.formatter not in ("json", "yaml", "csv", "value", "table"):
            return super().produce_output(parsed_args, column_names, data)
        rows = streams.flushed(data, out)
        if parsed_args.formatter == "json":
            streams.write_json(column_names, rows, out, None if parsed_args.noindent else 2)
        elif parsed_args.formatter == "yaml":
            streams.write_yaml(column_names, rows, out)
        elif parsed_args.formatter == "table":
            streams.write_table(self.formatter.emit_list, column_names, data, out, parsed_args)
        else:
            self.formatter.emit_list(column_names, rows, out, parsed_args)
        return 0

    def _first(self, things: Iterable[Thing], limit: int) -> Iterator[Thing]:
        left = iter(things)
        last = None
        for last in islice(left, limit):
            yield last
        if last is not None and next(left, None) is not None:
            self.say_there_is_more(limit, last)

    def say_there_is_more(self, limit: int, last: Thing) -> None:
        """Say how to see what follows the last thing that is shown."""
        self.log.warning("The first %d are shown, and there are more: --limit <number> or --all shows them", limit)


class ShowCommand(_Shown, show.ShowOne):
    """A command that shows one thing, one field a row."""

    @abstractmethod
    def one(self, parsed_args: argparse.Namespace) -> Thing:
        """Return the thing."""

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Any]]:
        """Return names of fields, and their values."""
        thing = self.one(parsed_args)
        columns = self.chosen(parsed_args)
        return self.names(columns, parsed_args), self.values(thing, columns, self.display(), parsed_args)


def status_of_several(statuses: Sequence[int], asked: int) -> int:
    """Return the exit status for several things, from the statuses of those that failed."""
    if not statuses:
        return exit_statuses.DONE
    return statuses[0] if len(statuses) == asked and len(set(statuses)) == 1 else exit_statuses.PARTLY


def _key(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _at_least_0(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 0 on is expected")
    return int(text)
