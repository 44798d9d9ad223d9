# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx``: all commands, grouped by those who need them.

The command is called ``flocx-help``, and is what ``flocx`` alone means: it is
the only command of one word that begins so. One that was called ``flocx``
would break the shell completion of all that are called ``flocx something``.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from osc_lib.command import command

from flocx_client.osc import exit_statuses

_GROUPS = (
    ("owner", "Commands for owners of nodes"),
    ("consumer", "Commands for consumers of nodes"),
    ("", "Commands for owners and consumers"),
    ("operator", "Commands for operators of the market"),
)


class Overview(command.Command):
    """Show the FLOCX commands, grouped by those who need them."""

    auth_required = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser whose help is the overview."""
        parser = super().get_parser(prog_name)
        parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.usage = f"{prog_name} <thing> <verb> [<argument> ...]"
        parser.epilog = "\n".join(
            [
                *_listing(self._commands()),
                "",
                f"'{prog_name} <thing> <verb> --help' tells more of a command.",
                "",
                _STATUSES,
            ]
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Show the overview, or what may have been meant."""
        if not parsed_args.words:
            self.get_parser(f"{self.app.NAME} {self.cmd_name}").print_help(self.app.stdout)
            return exit_statuses.DONE
        words = " ".join(parsed_args.words)
        commands = self._commands()
        of_thing = [name for name in commands if name.split()[1] == parsed_args.words[0]]
        near = difflib.get_close_matches(f"flocx {words}", commands) or of_thing or sorted(commands)
        self.log.error("There is no command 'flocx %s'; did you mean one of these?", words)
        for name in near:
            self.log.error("  %s %s", self.app.NAME, name)
        return exit_statuses.USAGE

    def _commands(self) -> Mapping[str, Any]:
        """Return the classes of our commands by name."""
        return {
            name: entry_point.load()
            for name, entry_point in sorted(self.app.command_manager)
            if name.startswith("flocx ")
        }


_STATUSES = """\
Exit statuses:
  0  everything that was asked for has come about
  1  something else than what follows
  2  the command line is wrong, or a value on it is not taken
  3  nothing has the name or UUID, or several things have the name
  4  the credentials are not accepted, or do not allow this
  5  it contradicts the current state; nothing was changed
  6  a service does not answer, or cannot answer now
  7  what was waited for has not come about in time; it may still
  8  what was waited for can no longer come about
  9  of several things that were asked for, some have come about and some not"""


def _listing(commands: Mapping[str, Any]) -> Sequence[str]:
    width = max(map(len, commands))
    lines: list[str] = []
    for audience, title in _GROUPS:
        of_group = {name: kind for name, kind in commands.items() if kind.audience == audience}
        lines += ["", f"{title}:"] if lines else [f"{title}:"]
        lines += [
            f"  {name:<{width}}  {(kind.__doc__ or '').splitlines()[0].rstrip('.')}" for name, kind in of_group.items()
        ]
    return lines
