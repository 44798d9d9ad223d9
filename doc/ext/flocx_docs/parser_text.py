# SPDX-License-Identifier: Apache-2.0
"""What an argparse parser says of a command, as reStructuredText."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from flocx_docs.rst import definition, escaped, literal

_WIDTH = 92


def synopsis(parser: argparse.ArgumentParser, actions: Sequence[argparse.Action]) -> str:
    """Return a block with the usage of a command, as far as these of its arguments go."""
    formatter = argparse.HelpFormatter(parser.prog, width=_WIDTH)
    groups = parser._mutually_exclusive_groups  # noqa: SLF001 - argparse tells it nowhere else
    formatter.add_usage(None, actions, [group for group in groups if group._group_actions], prefix="")  # noqa: SLF001
    lines = formatter.format_help().rstrip().splitlines()
    return "\n".join([".. code-block:: text", "", *(f"   {line}" for line in lines), ""])


def arguments(actions: Sequence[argparse.Action]) -> str:
    """Return a list of arguments with their help."""
    return "\n".join(definition(literal(term(action)), _meaning(action)) for action in actions)


def described(actions: Sequence[argparse.Action]) -> Sequence[argparse.Action]:
    """Return the arguments that are to be described: all but the help itself, what is hidden, and subcommands."""
    left_out = (argparse._HelpAction, argparse._SubParsersAction)  # noqa: SLF001
    return [one for one in actions if not isinstance(one, left_out) and one.help is not argparse.SUPPRESS]


def own(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Return the arguments of a parser that are in no group with a title of its own."""
    plain = {id(action) for group in parser._action_groups[:2] for action in group._group_actions}  # noqa: SLF001
    return [action for action in parser._actions if id(action) in plain]  # noqa: SLF001


def titled(parser: argparse.ArgumentParser) -> Iterator[tuple[str, Sequence[argparse.Action]]]:
    """Yield the groups of arguments that have a title of their own."""
    for group in parser._action_groups[2:]:  # noqa: SLF001
        if group._group_actions:  # noqa: SLF001
            yield str(group.title), group._group_actions  # noqa: SLF001


def term(action: argparse.Action) -> str:
    """Return how an argument is written."""
    if not action.option_strings:
        return _value(action)
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {_value(action)}"


def _value(action: argparse.Action) -> str:
    if action.metavar is not None:
        return action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper() if action.option_strings else action.dest


def _meaning(action: argparse.Action) -> Sequence[str]:
    known = {name: value for name, value in vars(action).items() if value is not argparse.SUPPRESS}
    text = " ".join(((action.help or "") % known).split()) if action.help else ""
    required = "Required." if action.option_strings and action.required else ""
    return [escaped(sentence(text)), required]


def sentence(text: str) -> str:
    """Return a text with the beginning and the end of a sentence; an empty one stays empty."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
