# SPDX-License-Identifier: Apache-2.0
"""Manual pages of the console scripts, from the parsers with which they read their command lines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import distribution
from typing import Any, NoReturn

from flocx_docs import parser_text
from flocx_docs.rst import escaped, heading


class _Found(Exception):
    """The parser that a script was about to show the help of."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def scripts() -> Sequence[str]:
    """Return the names of the console scripts."""
    points = distribution("flocx").entry_points
    return sorted(one.name for one in points if one.group == "console_scripts")


@dataclass(frozen=True)
class _Command:
    """A command of a script: what the list of commands says of it, and what more its own help says."""

    name: str
    summary: str
    more: str
    parser: argparse.ArgumentParser


_STATUSES = """\
0 when it has done what was asked; 1 when it could not, or when the answer of a check is no; 2 when the command
line cannot be used. What was wrong is on standard error.
"""


@cache
def parser_of(script: str) -> argparse.ArgumentParser:
    """Return the parser of a script: that which shows its help."""
    [point] = [one for one in distribution("flocx").entry_points if one.name == script]
    with _help_asked_of(script):
        try:
            point.load()()
        except _Found as found:
            return found.parser
    raise LookupError(f"{script}: --help shows no help")


def page(script: str) -> str:
    """Return what the manual page of a script says beyond what it is for."""
    parser = parser_of(script)
    actions = parser_text.described(parser._actions)  # noqa: SLF001 - argparse tells it nowhere else
    positional = [one for one in actions if not one.option_strings]
    options = [one for one in actions if one.option_strings]
    parts = [heading("Synopsis", "-"), _synopsis(script, actions, has_commands=bool(list(_subparsers(parser))))]
    if parser.description:
        parts += [heading("Description", "-"), escaped(parser.description.strip()) + "\n"]
    commands = list(_leaves(parser))
    if commands:
        parts.append(heading("Commands", "-"))
    for command in commands:
        own = parser_text.described(command.parser._actions)  # noqa: SLF001
        said = " ".join(parser_text.sentence(text) for text in dict.fromkeys((command.summary, command.more)) if text)
        parts += [heading(command.name, "~"), f"{escaped(said)}\n"]
        parts += [parser_text.synopsis(command.parser, own), parser_text.arguments(own)]
    parts += [heading("Options", "-"), parser_text.arguments([*positional, *options])]
    parts += [heading("Exit status", "-"), _STATUSES]
    return "\n".join(parts)


def _synopsis(script: str, actions: Sequence[argparse.Action], *, has_commands: bool) -> str:
    required = [one for one in actions if one.required]
    words = [script, *(parser_text.term(one) for one in required), "[OPTION...]"]
    if has_commands:
        words.append("COMMAND [ARGUMENT...]")
    return f".. code-block:: text\n\n   {' '.join(words)}\n"


def _leaves(parser: argparse.ArgumentParser, before: str = "") -> Iterator[_Command]:
    """Yield every subcommand that has none of its own, by its name in full."""
    for one in _subparsers(parser):
        full = f"{before} {one.name}".strip()
        deeper = list(_leaves(one.parser, full))
        yield from deeper or [replace(one, name=full)]


def _subparsers(parser: argparse.ArgumentParser) -> Iterator[_Command]:
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
            for name, sub in action.choices.items():
                yield _Command(name, summaries.get(name, ""), sub.description or "", sub)


@contextmanager
def _help_asked_of(script: str) -> Iterator[None]:
    """Make this process one that was started as a script with --help, which hands over its parser instead."""

    def hand_over(parser: argparse.ArgumentParser, file: Any = None) -> NoReturn:
        raise _Found(parser)

    kept, sys.argv = sys.argv, [script, "--help"]
    shown = argparse.ArgumentParser.print_help
    argparse.ArgumentParser.print_help = hand_over  # type: ignore[method-assign]
    try:
        yield
    finally:
        argparse.ArgumentParser.print_help = shown  # type: ignore[method-assign]
        sys.argv = kept
