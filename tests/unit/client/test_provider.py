# SPDX-License-Identifier: Apache-2.0
import uuid

import pytest

FIELDS = {"reserve_price": "1.5"}

CALLS = {
    "get_node": (("n1",), {}, "GET", "/v1/nodes/n1"),
    "get_node_access": (("n1",), {}, "GET", "/v1/nodes/n1/access"),
    "get_offer": (("u",), {}, "GET", "/v1/offers/u"),
    "create_offer": ((), FIELDS, "POST", "/v1/offers"),
    "update_offer": (("u",), FIELDS, "PATCH", "/v1/offers/u"),
    "delete_offer": (("u",), {}, "DELETE", "/v1/offers/u"),
    "get_contract": (("u",), {}, "GET", "/v1/contracts/u"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_one_request_of_the_documented_route(service, provider, name):
    arguments, fields, method, path = CALLS[name]
    service.say({"uuid": "u"})
    answer = getattr(provider, name)(*arguments, **fields)
    assert service.asked() == (method, path)
    sent = service.body()
    if name.startswith("create_"):
        # Under a UUID of the client's choice, so that it can be repeated.
        assert uuid.UUID(sent.pop("uuid"))
    assert sent == (fields or None)
    assert answer == (None if method == "DELETE" else {"uuid": "u"})


@pytest.mark.parametrize("name", ["nodes", "offers", "contracts"])
def test_a_list_is_asked_for_by_its_name_and_filtered_by_what_is_given(service, provider, name):
    service.say({name: [{"uuid": "u"}], "links": []})
    assert list(getattr(provider, name)(limit=1)) == [{"uuid": "u"}]
    assert service.asked() == ("GET", f"/v1/{name}")
    assert service.queries() == [{"limit": "1"}]
