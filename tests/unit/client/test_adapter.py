# SPDX-License-Identifier: Apache-2.0
from contextlib import suppress
from itertools import islice

import pytest
import requests
from keystoneauth1 import plugin as ksa_plugin
from keystoneauth1 import session as ksa_session

from flocx_client import errors
from flocx_client.market import MarketClient
from tests.unit.client.services import URL


def page(uuids, following=None):
    links = [{"rel": "self", "href": f"{URL}/v1/bids"}]
    links += [] if following is None else [{"rel": "next", "href": following}]
    return {"bids": [{"uuid": uuid} for uuid in uuids], "links": links}


def test_a_list_goes_on_over_the_pages_with_the_query_of_the_next_link(service, market):
    service.say(page(["a", "b"], f"{URL}/v1/bids?status=in%3Aopen%2Cmatched&limit=2&marker=b"))
    service.say(page(["c"]))
    assert [bid["uuid"] for bid in market.bids(status="in:open,matched", limit=2)] == ["a", "b", "c"]
    assert service.queries() == [
        {"status": "in:open,matched", "limit": "2"},
        {"status": "in:open,matched", "limit": "2", "marker": "b"},
    ]


def test_an_empty_filter_is_still_there_on_the_next_page(service, market):
    service.say(page(["a"], f"{URL}/v1/bids?name=&marker=a"))
    service.say(page([]))
    list(market.bids(name=""))
    assert service.queries() == [{"name": ""}, {"name": "", "marker": "a"}]


def test_the_next_page_is_asked_for_where_the_first_was_whatever_the_link_calls_it(service, market):
    service.say(page(["a"], "https://inside.example/other/v1/bids?marker=a"))
    service.say(page(["b"]))
    assert len(list(market.bids())) == 2
    assert [request.url.partition("?")[0] for request in service.requests] == [f"{URL}/v1/bids"] * 2


def test_a_page_is_asked_for_only_when_somebody_wants_it(service, market):
    service.say(page(["a", "b"], f"{URL}/v1/bids?marker=b"))
    found = market.bids()
    assert service.requests == []
    assert [bid["uuid"] for bid in islice(found, 2)] == ["a", "b"]
    assert len(service.requests) == 1


def test_an_empty_page_that_has_a_next_one_is_not_the_end(service, market):
    service.say(page([], f"{URL}/v1/bids?marker=x"))
    service.say(page(["a"]))
    assert [bid["uuid"] for bid in market.bids()] == ["a"]


def test_a_list_without_links_is_one_page(service, market):
    service.say({"bids": [{"uuid": "a"}]})
    assert len(list(market.bids())) == 1


def test_what_is_not_asked_for_is_not_in_the_query(service, market):
    service.say(page([]))
    list(market.bids(status=None, limit=5, sort="created_at:desc"))
    assert service.queries() == [{"limit": "5", "sort": "created_at:desc"}]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("n1", "/v1/nodes/n1"),
        ("a/b", "/v1/nodes/a%2Fb"),
        ("a b", "/v1/nodes/a%20b"),
        ("?x=1", "/v1/nodes/%3Fx%3D1"),
        ("#x", "/v1/nodes/%23x"),
        ("100%", "/v1/nodes/100%25"),
        ("../offers/x", "/v1/nodes/..%2Foffers%2Fx"),
        ("knöten", "/v1/nodes/kn%C3%B6ten"),
    ],
)
def test_a_name_is_one_segment_of_the_path_whatever_it_holds(service, provider, name, path):
    service.say({})
    provider.get_node(name)
    assert service.asked() == ("GET", path)
    assert service.queries() == [{}]


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_what_a_path_cannot_hold_is_refused_before_it_is_sent(service, provider, name):
    with pytest.raises(ValueError, match="neither a name nor a UUID"):
        provider.get_node(name)
    assert service.requests == []


def test_every_request_speaks_of_the_version_the_client_knows(service, market, provider):
    service.say({})
    market.get_bid("b")
    provider.get_node("n")
    assert [request.headers["OpenStack-API-Version"] for request in service.requests] == [
        "baremetal-market 1.0",
        "baremetal-provider 1.0",
    ]


def test_an_answer_without_a_body_is_nothing(service, market):
    service.say(None, 204)
    assert market.delete_bid("b") is None


#: What does the same however often it arrives; a bid is placed under a UUID that the client chose.
REPEATABLE = [
    pytest.param(lambda market: market.get_bid("b"), id="GET"),
    pytest.param(lambda market: market.create_bid(), id="POST with a UUID"),
    pytest.param(lambda market: market.put_offer("o"), id="PUT"),
    pytest.param(lambda market: market.delete_bid("b"), id="DELETE"),
]
ONCE = [
    pytest.param(lambda market: market.update_bid("b"), id="PATCH"),
    pytest.param(lambda market: market.cancel_contract("c"), id="POST"),
]


@pytest.mark.parametrize("call", [*REPEATABLE, *ONCE])
@pytest.mark.parametrize("status", [400, 404, 409, 429, 500])
def test_what_was_refused_is_not_sent_again(service, market, call, status):
    service.say({"errors": [{"code": "flocx.test"}]}, status, Retry_After="0")
    with suppress(errors.RequestRefused):
        call(market)
    assert len(service.requests) == 1


@pytest.mark.parametrize("call", REPEATABLE)
@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_is_harmless_to_repeat_is_sent_again_when_the_service_is_away(service, market, call, status):
    service.say({}, status)
    service.say({"uuid": "u"})
    call(market)
    assert len(service.requests) == 2


@pytest.mark.parametrize("call", REPEATABLE)
def test_what_is_harmless_to_repeat_is_sent_again_when_the_connection_breaks_and_then_given_up(service, market, call):
    service.fail(requests.ConnectionError("reset"))
    with pytest.raises(errors.ServiceUnreachable):
        call(market)
    assert len(service.requests) == 3
    assert len({request.body for request in service.requests}) == 1, "the same request each time"


@pytest.mark.parametrize("call", ONCE)
def test_what_may_have_arrived_and_is_not_harmless_to_repeat_is_not_sent_again(service, market, call):
    service.fail(requests.ConnectionError("reset"))
    with pytest.raises(errors.ServiceUnreachable):
        call(market)
    assert len(service.requests) == 1


@pytest.mark.parametrize("call", ONCE)
def test_what_is_not_harmless_to_repeat_is_not_sent_to_a_service_that_is_away_again(service, market, call):
    service.say({}, 503)
    with pytest.raises(errors.ServiceFailed):
        call(market)
    assert len(service.requests) == 1


class Tokens(ksa_plugin.BaseAuthPlugin):
    """Gives out a new token each time the last one was no good."""

    def __init__(self):
        super().__init__()
        self.number = 1

    def get_token(self, session, **kwargs):
        return f"token-{self.number}"

    def get_endpoint(self, session, **kwargs):
        return URL

    def invalidate(self):
        self.number += 1
        return True


def test_a_token_that_ran_out_is_renewed_once_and_the_request_repeated(service):
    http = requests.Session()
    http.mount(URL, service)
    market = MarketClient(ksa_session.Session(auth=Tokens(), session=http), endpoint_override=URL)
    service.say({}, 401)
    service.say({"uuid": "b"}, 201)
    assert market.create_bid(name="x") == {"uuid": "b"}
    assert [request.headers["X-Auth-Token"] for request in service.requests] == ["token-1", "token-2"]
    assert service.body()["name"] == "x"
    assert service.requests[0].body == service.requests[1].body


@pytest.mark.parametrize("wait", [0, 30])
def test_a_long_poll_has_time_to_be_answered(service, market, wait):
    service.say({"allocations": [], "next_since": "c"})
    market.allocation_changes(since="b", wait=wait)
    assert service.timeouts[0] > wait
    assert service.queries() == [{"since": "b"} | ({"wait": "30"} if wait else {})]


def test_changes_come_with_the_cursor_to_go_on_from(service, market, provider):
    service.say({"events": [{"uuid": "e"}], "next_since": "c"})
    assert market.events(limit=1) == ([{"uuid": "e"}], "c")
    assert provider.events(since="latest") == ([{"uuid": "e"}], "c")
    assert service.queries() == [{"limit": "1"}, {"since": "latest"}]
