# SPDX-License-Identifier: Apache-2.0
"""Pieces of reStructuredText."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def heading(text: str, underline: str) -> str:
    """Return a section heading."""
    return f"{text}\n{underline * len(text)}\n"


def literal(text: object) -> str:
    """Return text as it is typed; an empty one cannot be shown so."""
    return f"``{text}``" if str(text) else "(empty)"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    """Return a table; cells are paragraphs of reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in [titles, *rows]:
        for position, cell in enumerate(row):
            lines.append(f"   {'*' if position == 0 else ' '} - {cell}".rstrip())
    return "\n".join([*lines, ""])


def definition(term: str, paragraphs: Iterable[str]) -> str:
    """Return one entry of a definition list."""
    body = "\n\n".join(f"    {paragraph}" for paragraph in paragraphs if paragraph)
    return f"{term}\n{body}\n"


def escaped(text: str) -> str:
    """Return running text in which nothing is markup."""
    for character in "\\*`_|":
        text = text.replace(character, "\\" + character)
    return text
