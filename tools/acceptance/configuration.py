# SPDX-License-Identifier: Apache-2.0
"""Files of a run: configuration in the form that oslo.config reads, secrets for our eyes only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

Section = Mapping[str, object]


def write_secret(path: Path, text: str) -> Path:
    """Write a file that only we can read, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def write_configuration(path: Path, sections: Mapping[str, Section]) -> Path:
    """Write sections of options; an option whose value is a list is written once for each item."""
    lines = []
    for section, options in sections.items():
        lines.append(f"[{section}]")
        for name, value in options.items():
            values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            lines += [f"{name} = {_written(item)}" for item in values]
    return write_secret(path, "\n".join([*lines, ""]))


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # oslo.config substitutes $names.
    return str(value).replace("$", "$$")
