# SPDX-License-Identifier: Apache-2.0
"""The documentation and what makes it: paths, and the generators, which are installed nowhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "doc" / "source"
PAGES = sorted(SOURCE.glob("*.rst"))

sys.path.insert(0, str(ROOT / "doc" / "ext"))

from flocx_docs import (  # noqa: E402 - found through the line above
    drawing,
    error_table,
    generate,
    metric_table,
    option_lists,
    policy_tables,
    requirement_tables,
    route_pages,
    state_pages,
)

__all__ = [
    "drawing",
    "error_table",
    "generate",
    "metric_table",
    "option_lists",
    "policy_tables",
    "requirement_tables",
    "route_pages",
    "state_pages",
]


def prose() -> str:
    """Return the text of all pages, without what is generated."""
    return "\n".join(path.read_text() for path in PAGES)


def page(name: str) -> str:
    """Return the text of a page as it is written."""
    return (SOURCE / f"{name}.rst").read_text()


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    found = re.findall(rf"\.\. code-block:: {language}\n\n((?:(?: +.*)?\n)+)", text)
    return ["\n".join(line.strip() for line in block.splitlines()) for block in found]


def indented_blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language to which indentation matters."""
    found = re.findall(rf"\.\. code-block:: {language}\n\n((?:(?: +.*)?\n)+)", text)
    return [dedent(block) for block in found]
