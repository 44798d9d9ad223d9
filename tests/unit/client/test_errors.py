# SPDX-License-Identifier: Apache-2.0
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from flocx_client import errors

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["errors", "code", "detail", "field", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)


def told(status, **more):
    return {"errors": [{"status": status, "code": "flocx.bid.not_found", "title": "t", "detail": "bid: none", **more}]}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (412, errors.PreconditionFailed),
        (413, errors.BadRequest),
        (418, errors.RequestRefused),
        (500, errors.ServiceFailed),
        (503, errors.ServiceFailed),
    ],
)
def test_the_kind_of_an_error_with_an_unknown_code_follows_its_status(service, market, status, kind):
    service.say({"errors": [{"status": status, "code": "flocx.thing.new", "detail": "thing: new"}]}, status)
    with pytest.raises(errors.RequestRefused) as refused:
        market.get_bid("b")
    assert type(refused.value) is kind
    assert refused.value.status == status


def test_an_error_carries_code_detail_field_and_request_and_says_them(service, market):
    service.say(told(400, field="limit_price", request_id="req-1"), 400)
    with pytest.raises(errors.BadRequest) as refused:
        market.create_bid(limit_price="x")
    error = refused.value
    assert (error.code, error.detail, error.field, error.request_id) == (
        "flocx.bid.not_found",
        "bid: none",
        "limit_price",
        "req-1",
    )
    assert str(error) == "bid: none (HTTP 400, flocx.bid.not_found, request req-1)"


def test_all_that_is_wrong_is_told(service, market):
    both = told(400)["errors"] + [{"code": "flocx.price.invalid", "detail": "limit_price: bad", "field": "limit_price"}]
    service.say({"errors": both}, 400)
    with pytest.raises(errors.BadRequest) as refused:
        market.create_bid()
    assert refused.value.detail == "bid: none; limit_price: bad"
    assert refused.value.code == "flocx.bid.not_found"


def test_the_request_is_known_from_the_header_where_the_body_does_not_say(service, market):
    service.say(told(404), 404, X_OpenStack_Request_Id="req-2")
    with pytest.raises(errors.NotFound) as refused:
        market.get_bid("b")
    assert refused.value.request_id == "req-2"


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b"\xff", b"[]"])
def test_a_proxy_that_answers_instead_is_a_failure_without_a_code(service, market, body):
    service.say(body, 502)
    with pytest.raises(errors.ServiceFailed) as refused:
        market.get_bid("b")
    assert (refused.value.status, refused.value.code, refused.value.field) == (502, None, None)
    assert str(refused.value) == "the answer says nothing more (HTTP 502, no code, request unknown)"


@given(st.integers(400, 599), json_values, st.none() | st.just("req-1"))
def test_whatever_a_refusal_holds_it_becomes_an_error_that_can_be_shown(status, body, request_id):
    error = errors.refusal(status, body, request_id)
    assert error.status == status
    assert isinstance(str(error), str)
    assert error.detail


@pytest.mark.parametrize(
    "problem",
    [
        requests.ConnectionError("refused"),
        requests.ConnectTimeout("too slow"),
        requests.ReadTimeout("too slow"),
        requests.exceptions.SSLError("wrong certificate"),
        requests.exceptions.ChunkedEncodingError("cut off"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_a_service_that_does_not_answer_is_unreachable_and_named(service, market, problem):
    service.fail(problem)
    with pytest.raises(errors.ServiceUnreachable, match=r"^http://service\.test: "):
        market.get_bid("b")


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"\xff", b"{"])
@pytest.mark.parametrize(
    "call",
    [lambda market: market.get_bid("b"), lambda market: list(market.bids()), lambda market: market.events()],
    ids=["one", "list", "changes"],
)
def test_an_answer_that_is_no_json_is_not_the_service_s(service, market, body, call):
    service.say(body)
    with pytest.raises(errors.ServiceUnreachable, match="something else than the service answered"):
        call(market)


@pytest.mark.parametrize("body", [[], {}, 5, {"versions": []}])
def test_a_list_without_what_it_lists_is_not_the_service_s(service, market, body):
    service.say(body)
    with pytest.raises(errors.ServiceUnreachable, match="an answer without bids"):
        list(market.bids())
    with pytest.raises(errors.ServiceUnreachable, match="an answer without allocations"):
        market.allocation_changes()


@pytest.mark.parametrize("kind", [errors.RequestRefused, errors.ServiceUnreachable])
def test_one_word_catches_everything_that_can_go_wrong(kind):
    assert issubclass(kind, errors.ClientError)
