# SPDX-License-Identifier: Apache-2.0
"""Who may do what at a provider: every user, every route."""

import re

import pytest

from flocx_provider.api.controllers.root import RootController
from flocx_provider.policies import baremetal
from flocx_provider.policies.rules import list_rules
from tests.builders import uid
from tests.functional import rbac_tables


@pytest.fixture
def names(room):
    """The things of the table's fixture, by their names there."""
    offer = room.offer()
    room.offer("owner-b", node_uuid="n2")
    room.work()
    room.bid(offer_uuids=[offer["uuid"]])
    room.work()
    contract = room.contract()
    assert contract["status"] == "active"
    return {"offer": offer["uuid"], "node": uid(1001), "contract": contract["uuid"]}


@pytest.mark.parametrize(("call", "body", "user", "expected"), list(rbac_tables.cases("provider")))
def test_every_user_may_do_exactly_what_the_table_says(room, names, call, body, user, expected):
    method, path = rbac_tables.filled(call, names).split()
    browser = room.provider.browser(None if user == "nobody" else user)
    response = browser(method, path, rbac_tables.filled(body, names), status="*")
    assert response.status_int == expected, response.text
    if expected >= 400:
        assert response.json["errors"][0]["status"] == expected


def test_every_route_has_a_policy_rule_that_exists_or_is_public_on_purpose():
    # The routes of Ironic's API are a table of their own, and its rules are held against that.
    rbac_tables.check_rules(RootController, [rule for rule in list_rules() if rule not in baremetal.RULES])


def test_every_route_is_in_the_table():
    variables = {"{node}": "{node}", "{offer_uuid}": "{offer}", "{contract_uuid}": "{contract}"}
    for operation in rbac_tables.served(RootController):
        path = re.sub(r"\{\w+\}", lambda match: variables[match.group()], operation.path)
        assert (operation.method, path) in rbac_tables.calls("provider"), (operation.method, operation.path)


def test_no_rule_is_open_to_somebody_without_a_role(room):
    rbac_tables.check_closed(room.provider.conf, list_rules())


def test_no_rule_is_open_to_a_project_that_is_neither_side(room):
    offer = room.offer()
    room.work()
    room.bid()
    room.work()
    contract = room.contract()
    for user in ("owner-b", "consumer-b"):
        browser = room.provider.browser(user)
        assert browser.get("/v1/offers").json["offers"] == []
        assert browser.get("/v1/contracts").json["contracts"] == []
        assert browser.get("/v1/events").json["events"] == []
        assert offer["uuid"] not in browser.get("/v1/nodes").text
        assert browser.get(f"/v1/contracts/{contract['uuid']}", status=404)
