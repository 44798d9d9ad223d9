# SPDX-License-Identifier: Apache-2.0
"""Tables of user x call x expected status, as the YAML files beside have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from flocx_common.api.context import Caller
from flocx_common.api.operation import Controller, Operation, operations
from flocx_common.api.policy import Policy
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


def check_rules(root: type[Controller[Any]], rules: Sequence[Any]) -> None:
    """Check that every route has a rule, and every rule a description, a scope and only routes that are there."""
    known = {rule.name: {(o["method"], o["path"]) for o in rule.operations} for rule in rules}
    routes = {(operation.method, operation.path): operation for operation in served(root)}
    for route, operation in routes.items():
        if operation.path in ("/", "/v1/", "/v1/openapi.json"):
            assert operation.policy is None
        else:
            assert operation.policy in known, f"{route} has no rule"
            assert route in known[operation.policy]
    for rule in rules:
        assert rule.description
        assert rule.scope_types == ["project"]
        assert known[rule.name] <= set(routes)


def check_closed(conf: Any, rules: Sequence[Any]) -> None:
    """Check that no rule lets somebody in who has a project but no role in it."""
    nobody = Caller("u", "p", None, frozenset(), {"user_id": "u", "project_id": "p", "roles": []})
    target = {"project_id": "p", "lessee_project_id": "p", "owner_project_id": "p", "service_user_id": "u"}
    policy = Policy(conf, rules)
    assert not any(policy.allows(rule.name, nobody, target) for rule in rules)
