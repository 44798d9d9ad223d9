# SPDX-License-Identifier: Apache-2.0
"""Who may do what on the market: every user, every route."""

import re

import pytest

from flocx_market.api.controllers.root import RootController
from flocx_market.policies.rules import list_rules
from tests.builders import at, uid
from tests.functional import rbac_tables


@pytest.fixture
def names(trade):
    """The things of the table's fixture, by their names there."""
    trade.register(2)
    trade.offer(1, owner_project_id="p-owner-a")
    trade.offer(2, owner_project_id="p-owner-a", lessee_project_ids=["consumer-a"])
    contract = trade.contract(start_time=at(1).isoformat(), offer_uuids=[uid(1)])
    bid = trade.bid(limit_price="0.1")
    return {
        "offer": uid(1),
        "restricted": uid(2),
        "node": uid(1001),
        "bid": bid["uuid"],
        "contract": contract["uuid"],
        "allocation": contract["allocations"][0]["uuid"],
        "provider": uid(9001),
    }


@pytest.mark.parametrize(("call", "body", "user", "expected"), list(rbac_tables.cases("market")))
def test_every_user_may_do_exactly_what_the_table_says(trade, names, call, body, user, expected):
    method, path = rbac_tables.filled(call, names).split()
    browser = trade.market.browser(None if user == "nobody" else user)
    # The table has every route, those of the newest microversion among them.
    newest = {"OpenStack-API-Version": "baremetal-market latest"}
    response = browser(method, path, rbac_tables.filled(body, names), status="*", headers=newest)
    assert response.status_int == expected, response.text
    if expected >= 400:
        assert response.json["errors"][0]["status"] == expected


def test_every_route_has_a_policy_rule_that_exists_or_is_public_on_purpose():
    rbac_tables.check_rules(RootController, list_rules())


def test_every_route_is_in_the_table():
    variables = {"{bid_uuid}": "{bid}", "{offer_uuid}": "{offer}", "{contract_uuid}": "{contract}",
                 "{allocation_uuid}": "{allocation}", "{provider_uuid}": "{provider}"}  # fmt: skip
    for operation in rbac_tables.served(RootController):
        path = re.sub(r"\{\w+\}", lambda match: variables[match.group()], operation.path)
        assert (operation.method, path) in rbac_tables.calls("market"), (operation.method, operation.path)


def test_no_rule_is_open_to_somebody_without_a_role(market):
    rbac_tables.check_closed(market.conf, list_rules())
