# SPDX-License-Identifier: Apache-2.0
"""The page on Ironic's API against the rules: what it says that goes through is what does."""

from __future__ import annotations

import re

import pytest

from flocx_provider.domain.baremetal_bodies import LESSEE_TARGETS
from flocx_provider.domain.baremetal_routes import HELD_FIELDS, NODE_FIELDS, ROUTES, Action
from flocx_provider.domain.baremetal_views import DEPLOYMENT_INFORMATION, LESSEE_FIELDS, LESSEE_PROPERTIES
from flocx_provider.policies.baremetal import RULES
from tests.unit import documented
from tests.unit.documented import page

TEXT = page("baremetal-api")


def entry(term):
    """Return the literals of an entry of the page's list."""
    (text,) = re.findall(rf"^{re.escape(term)}\n((?:    .*\n|\n)+)", TEXT, re.MULTILINE)
    return set(re.findall(r"``([^`]+)``", text))


def test_the_fields_that_an_owner_changes_are_told():
    told = entry("The owner changes of a node")
    assert told - {"owner", "lessee", "[ironic]"} == NODE_FIELDS
    assert {"description", "retired", "retired_reason"} == HELD_FIELDS


def test_what_a_lessee_sees_and_does_is_told():
    told = entry("The lessee sees of a node")
    assert told - {"properties", "[provider] private_properties"} == LESSEE_PROPERTIES
    assert entry("The lessee provisions") == {*LESSEE_TARGETS, "configdrive"}
    assert all(f"``{name}``" in TEXT for name in DEPLOYMENT_INFORMATION)


def test_the_generated_parts_have_every_route_and_field():
    made = documented.generate.files()
    rows = re.findall(r"\* - ``([A-Z]+ /\S*)``\n", made["baremetal-routes.txt"])
    assert rows == [f"{route.method} {route.path}" for route in ROUTES]
    assert set(re.findall(r"``([^`]+)``", made["baremetal-lessee-fields.txt"])) == LESSEE_FIELDS


@pytest.mark.parametrize("action", [Action.CREATE, Action.DELETE])
def test_what_is_said_to_be_closed_is_closed(action):
    (rule,) = [one for one in RULES if one.name.endswith(f":{action}")]
    assert rule.check_str == "!"
