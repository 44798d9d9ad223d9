# SPDX-License-Identifier: Apache-2.0
"""The commands of ``openstack flocx``, as their parsers declare them."""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from types import SimpleNamespace

from flocx_docs import parser_text
from flocx_docs.rst import definition, escaped, heading, literal

with warnings.catch_warnings():
    # What the libraries of the OpenStack client warn of is theirs.
    warnings.simplefilter("ignore")
    from cliff import lister, show

    from flocx_client.osc import overview, plugin
    from flocx_client.osc.commands import FlocxCommand

GROUP = "openstack.flocx.v1"

#: Parts of the reference, by whom the commands are for.
AUDIENCES = {"owner": "owner", "consumer": "consumer", "both": "", "operator": "operator"}

#: What all commands of a kind have is told once.
KINDS = {"commands-lists": lister.Lister, "commands-shows": show.ShowOne}
_LINKS = {
    "the options of all lists <commands-lists>": lister.Lister,
    "the options of all that show one thing <commands-shows>": show.ShowOne,
}
_SHARED = ("--utc",)


@cache
def commands() -> Mapping[str, type[FlocxCommand]]:
    """Return the class of every command by its name, without that of the overview."""
    found = {one.name.replace("_", " "): one.load() for one in entry_points(group=GROUP)}
    return {name: found[name] for name in sorted(found) if issubclass(found[name], FlocxCommand)}


@cache
def parser_of(name: str) -> argparse.ArgumentParser:
    """Return the parser of a command."""
    # All that a parser needs of the shell.
    shell = SimpleNamespace(NAME="openstack", command_manager=None)
    made: argparse.ArgumentParser = commands()[name](shell, None).get_parser(f"openstack {name}")
    return made


def own_arguments(name: str) -> Sequence[argparse.Action]:
    """Return the arguments of a command that not every command of its kind has."""
    return [
        action
        for action in parser_text.described(parser_text.own(parser_of(name)))
        if not set(action.option_strings) & set(_SHARED)
    ]


def page(audience: str) -> str:
    """Return the commands for somebody."""
    return "\n".join(_section(name) for name, kind in commands().items() if kind.audience == AUDIENCES[audience])


def shared_arguments(kind: str) -> str:
    """Return the arguments that all commands of a kind have."""
    parser = next(parser_of(name) for name, one in commands().items() if issubclass(one, KINDS[kind]))
    actions = [action for _, group in parser_text.titled(parser) for action in group]
    shared = [one for one in parser_text.own(parser) if set(one.option_strings) & set(_SHARED)]
    return parser_text.arguments([*shared, *actions])


def global_arguments() -> str:
    """Return the options that the plugin adds to ``openstack`` itself."""
    return parser_text.arguments(parser_text.described(plugin_parser()._actions))  # noqa: SLF001


def plugin_parser() -> argparse.ArgumentParser:
    """Return a parser with the plugin's global options."""
    return plugin.build_option_parser(argparse.ArgumentParser(add_help=False))


def listing() -> str:
    """Return a list of all commands, grouped by those they are for, with what each does."""
    parts = []
    for audience, title in overview._GROUPS:  # noqa: SLF001 - its titles are for the help
        parts.append(f"**{title.removeprefix('Commands for ').capitalize()}**\n")
        of_group = {name: kind for name, kind in commands().items() if kind.audience == audience}
        parts += [definition(literal(name), [f"{escaped(_summary(kind))}."]) for name, kind in of_group.items()]
    return "\n".join(parts)


def statuses() -> Mapping[int, str]:
    """Return what each exit status means."""
    lines = re.findall(r"^  (\d+)  (.+)$", overview._STATUSES, re.MULTILINE)  # noqa: SLF001 - its text is for the help
    return {int(status): meaning for status, meaning in lines}


def status_list() -> str:
    """Return a list of the exit statuses."""
    told = {status: f"{meaning[0].upper()}{escaped(meaning[1:])}." for status, meaning in statuses().items()}
    return "\n".join(definition(literal(status), [meaning]) for status, meaning in told.items())


def _section(name: str) -> str:
    kind, actions = commands()[name], own_arguments(name)
    more = next((link for link, one in _LINKS.items() if issubclass(kind, one)), "")
    return "\n".join(
        [
            heading(name, "~"),
            f"{escaped(_summary(kind))}.{f' Takes also :ref:`{more}`.' if more else ''}\n",
            parser_text.synopsis(parser_of(name), actions),
            parser_text.arguments(actions),
        ]
    )


def _summary(kind: type[FlocxCommand]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0].rstrip(".")
