# SPDX-License-Identifier: Apache-2.0
"""Tables of user x call x expected status, as the YAML files beside have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from flocx_common.api.operation import Controller, Operation, operations
from tests.harness import USERS

_ABOUT = ("call", "body", "others")


def cases(service: str) -> Iterator[Any]:
    """Yield one test case for each user and call of a service's table."""
    rows = yaml.safe_load((Path(__file__).parent / "rbac" / f"{service}.yaml").read_text())
    for number, row in enumerate(rows):
        unknown = set(row) - set(USERS) - {*_ABOUT, "nobody"}
        assert not unknown, f"{row['call']}: who is {unknown}?"
        for user in (*USERS, "nobody"):
            expected = row.get(user, row["others"])
            yield pytest.param(row["call"], row.get("body"), user, expected, id=f"{number}-{row['call']}-{user}")


def calls(service: str) -> set[tuple[str, str]]:
    """Return the (method, path) of every call in a service's table, without query."""
    rows = yaml.safe_load((Path(__file__).parent / "rbac" / f"{service}.yaml").read_text())
    return {(row["call"].split()[0], row["call"].split()[1].partition("?")[0]) for row in rows}


def served(root: type[Controller[Any]]) -> list[Operation]:
    """Return every operation at or below a root controller; what it works with makes no difference."""
    return list(operations(root(SimpleNamespace(settings=None, page_limits=None))))


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """Return a value with {names} filled in."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value
