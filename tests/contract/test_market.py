# SPDX-License-Identifier: Apache-2.0
"""The promises of the way to the market, kept by the fake and over HTTP by the market itself."""

import threading
from pathlib import Path

import pytest
import yaml

from flocx_common.domain.paging import cursor_text
from flocx_common.testing.clock import FrozenClock
from flocx_common.testing.wsgi import WsgiAdapter
from flocx_provider.drivers.market_http import HttpMarketGateway
from flocx_provider.ports.market import MarketUnavailable
from tests.builders import NOW
from tests.contract.market_promises import CALLS, MarketPromises
from tests.fakes import FakeMarket
from tests.harness import MarketHarness

PAGE = 2


@pytest.fixture
def harness(tmp_path, sqlite_market):
    yield MarketHarness(
        tmp_path, sqlite_market.renew(), sqlite_market.url, FrozenClock(NOW), api={"default_limit": PAGE}
    )
    # Who watched for changes looks once more; not while the next test renews the database.
    for thread in threading.enumerate():
        if thread.name == "change-watcher":
            thread.join(timeout=60)


class FakePlace:
    """A market in memory."""

    consumer = "consumer-a"

    def __init__(self):
        self.clock = FrozenClock(NOW)
        self.market = FakeMarket(self.clock, page=PAGE)
        self.take_name = self.market.take_name
        self.forget_provider = self.market.forget_provider
        self.sell = self.market.sell
        self.call_off = self.market.call_off

    def silence(self):
        self.market.silent = True

    def cursor_of_the_future(self):
        return "place-1000000"


class HttpPlace:
    """The market itself, in this process."""

    consumer = "p-consumer-a"

    def __init__(self, harness):
        self.harness, self.clock = harness, harness.clock
        self.market = HttpMarketGateway(lambda: harness.client("provider-1"))

    def take_name(self, name):
        self.harness.client("provider-2").create_provider(name=name)

    def forget_provider(self):
        [known] = self.harness.client("provider-1").providers()
        self.harness.client("admin").delete_provider(known["uuid"])

    def sell(self, offer_uuid, start, end):
        consumer = self.harness.client("consumer-a")
        bid = consumer.create_bid(
            limit_price="2", offer_uuids=[offer_uuid], start_time=start.isoformat(), end_time=end.isoformat()
        )
        self.harness.round()
        [contract] = consumer.contracts(bid_uuid=bid["uuid"])
        return contract["allocations"][0]["uuid"]

    def call_off(self, allocation_uuid):
        consumer = self.harness.client("consumer-a")
        [contract] = [
            one
            for one in consumer.contracts()
            if allocation_uuid in [allocation["uuid"] for allocation in one["allocations"]]
        ]
        consumer.cancel_contract(contract["uuid"])

    def silence(self):
        self.harness.adapter.down = True

    def cursor_of_the_future(self):
        return cursor_text(1_000_000)


class TestFakeMarket(MarketPromises):
    @pytest.fixture
    def place(self):
        return FakePlace()


class TestHttpMarket(MarketPromises):
    @pytest.fixture
    def place(self, harness):
        return HttpPlace(harness)

    def test_a_provider_whose_user_sees_all_providers_registers_as_itself(self, place):
        place.take_name("somebody else's")
        theirs = place.harness.client("provider-2").heartbeat
        [before] = place.harness.client("provider-2").providers()
        users = Path(place.harness.conf.http_basic.users_file)
        known = yaml.safe_load(users.read_text())
        known["users"]["admin"]["roles"].append("service")
        users.write_text(yaml.safe_dump(known))
        powerful = HttpMarketGateway(lambda: place.harness.client("admin"))
        uuid = powerful.register(name="provider-1", turnaround=600)
        assert uuid != before["uuid"]
        assert powerful.register(name="renamed", turnaround=600) == uuid
        assert powerful.heartbeat(uuid)
        assert theirs(before["uuid"])["name"] == "somebody else's"


class Elsewhere:
    """Something on the network that is no market; it answers every request alike."""

    def __init__(self, status, content_type, body):
        self._status, self._body = status, body
        self._headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]

    def __call__(self, environ, start_response):
        start_response(self._status, self._headers)
        return [self._body]


_OTHERS = {
    "a captive portal": ("200 OK", "text/html", b"<html>please log in</html>"),
    "another JSON": ("200 OK", "application/json", b"{}"),
    "a JSON list": ("200 OK", "application/json", b'["market"]'),
    "a bad request": ("400 Bad Request", "text/html", b"<html>bad</html>"),
    "other users": ("401 Unauthorized", "application/json", b'{"errors": []}'),
    "a firewall": ("403 Forbidden", "text/html", b"<html>not from here</html>"),
    "a proxy without the route": ("404 Not Found", "text/html", b"<html>no such page</html>"),
    "a conflict": ("409 Conflict", "text/plain", b"no"),
    "a rate limit": ("429 Too Many Requests", "text/plain", b"slow down"),
    "a defect": ("500 Internal Server Error", "text/html", b"<html>oops</html>"),
    "a gateway": ("502 Bad Gateway", "text/html", b"<html>no upstream</html>"),
    "a market without its database": (
        "503 Service Unavailable",
        "application/json",
        b'{"errors": [{"code": "flocx.service.unavailable", "detail": "the database does not answer"}]}',
    ),
}


#: Success in withdrawing has no body that could be told from another.
_PAIRS = [
    (call, answer)
    for call in CALLS
    for answer, (status, _, _) in _OTHERS.items()
    if (call, status) != ("withdraw_offer", "200 OK")
]


@pytest.mark.parametrize(("call", "answer"), _PAIRS)
def test_what_does_not_answer_as_a_market_would_is_tried_again(harness, call, answer):
    harness.adapter = WsgiAdapter(Elsewhere(*_OTHERS[answer]))
    gateway = HttpMarketGateway(lambda: harness.client("provider-1"))
    with pytest.raises(MarketUnavailable):
        CALLS[call](gateway)
