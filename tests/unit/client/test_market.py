# SPDX-License-Identifier: Apache-2.0
import uuid

import pytest

FIELDS = {"name": "x", "quantity": 2}

CALLS = {
    "get_bid": (("u",), "GET", "/v1/bids/u"),
    "create_bid": ((), "POST", "/v1/bids"),
    "update_bid": (("u",), "PATCH", "/v1/bids/u"),
    "delete_bid": (("u",), "DELETE", "/v1/bids/u"),
    "explain_bid": (("u",), "GET", "/v1/bids/u/explanation"),
    "dry_run_bid": ((), "POST", "/v1/bids/explain"),
    "capacity": ((), "POST", "/v1/capacity"),
    "get_offer": (("u",), "GET", "/v1/offers/u"),
    "put_offer": (("u",), "PUT", "/v1/offers/u"),
    "delete_offer": (("u",), "DELETE", "/v1/offers/u"),
    "get_contract": (("u",), "GET", "/v1/contracts/u"),
    "cancel_contract": (("u",), "POST", "/v1/contracts/u/cancel"),
    "terminate_contract": (("u",), "POST", "/v1/contracts/u/terminate"),
    "release_allocation": (("u",), "POST", "/v1/allocations/u/release"),
    "report_allocation": (("u",), "PATCH", "/v1/allocations/u"),
    "get_provider": (("u",), "GET", "/v1/providers/u"),
    "create_provider": ((), "POST", "/v1/providers"),
    "update_provider": (("u",), "PATCH", "/v1/providers/u"),
    "delete_provider": (("u",), "DELETE", "/v1/providers/u"),
    "heartbeat": (("u",), "PUT", "/v1/providers/u/heartbeat"),
}
WITH_FIELDS = {
    "create_bid",
    "update_bid",
    "dry_run_bid",
    "capacity",
    "put_offer",
    "report_allocation",
    "create_provider",
    "update_provider",
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_one_request_of_the_documented_route(service, market, name):
    arguments, method, path = CALLS[name]
    service.say({"uuid": "u"})
    fields = FIELDS if name in WITH_FIELDS else {}
    answer = getattr(market, name)(*arguments, **fields)
    assert service.asked() == (method, path)
    sent = service.body()
    if name.startswith("create_"):
        # Under a UUID of the client's choice, so that it can be repeated.
        assert uuid.UUID(sent.pop("uuid"))
    assert sent == (fields or None)
    assert answer == (None if method == "DELETE" else {"uuid": "u"})


@pytest.mark.parametrize("name", ["bids", "offers", "contracts", "providers"])
def test_a_list_is_asked_for_by_its_name_and_filtered_by_what_is_given(service, market, name):
    service.say({name: [{"uuid": "u"}], "links": []})
    assert list(getattr(market, name)(status="open", sort="uuid")) == [{"uuid": "u"}]
    assert service.asked() == ("GET", f"/v1/{name}")
    assert service.queries() == [{"status": "open", "sort": "uuid"}]


def test_allocation_changes_are_asked_for_by_cursor(service, market):
    service.say({"allocations": [{"uuid": "a"}], "next_since": "d"})
    assert market.allocation_changes(since="c", limit=5) == ([{"uuid": "a"}], "d")
    assert service.asked() == ("GET", "/v1/allocations")
    assert service.queries() == [{"since": "c", "limit": "5"}]


def test_only_what_is_newer_is_asked_for_in_a_newer_version(service, market):
    service.say({"uuid": "u"})
    market.capacity(quantity=2)
    market.get_bid("u")
    asked = [one.headers["OpenStack-API-Version"] for one in service.requests]
    assert asked == ["baremetal-market 1.1", "baremetal-market 1.0"]
