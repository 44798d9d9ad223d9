# SPDX-License-Identifier: Apache-2.0
"""The policy file for Ironic in etc/ironic: it closes Ironic's own API to owners and lessees."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.data import CHECKOUT

PATH = CHECKOUT / "etc" / "ironic" / "policy.yaml"
RULES = yaml.safe_load(PATH.read_text())

_SYSTEM = r"\(role:(?:admin|member|reader|service) and system_scope:all\)"
_CLOSED = re.compile(rf"!|{_SYSTEM}(?: or {_SYSTEM})* or rule:service_role")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_lets_in_the_system_and_services_and_nobody_else(name):
    assert _CLOSED.fullmatch(RULES[name]), RULES[name]


def test_a_rule_is_there_once():
    names = re.findall(r'^"([^"]+)":', PATH.read_text(), re.MULTILINE)
    assert len(names) == len(set(names)) == len(RULES)


def test_ironic_knows_every_rule_and_has_no_other_that_is_open_to_projects():
    policy = pytest.importorskip("ironic.common.policy")
    known = {rule.name: rule.check_str for rule in policy.list_policies() if getattr(rule, "operations", None)}
    assert set(known) >= set(RULES)
    for name, check in known.items():
        of_projects = re.sub(_SYSTEM, "", check.replace("role:admin and system_scope:all", ""))
        assert name in RULES or not re.search(r"role:\w|%\(", of_projects), name
