# SPDX-License-Identifier: Apache-2.0
"""A connection of openstacksdk with the market and the provider as services of it, against the real ones."""

from __future__ import annotations

from decimal import Decimal

import pytest
import yaml
from openstack.config import loader
from openstack.connection import Connection

from flocx_client import errors
from flocx_client.openstack_services import register
from flocx_client.resources import Bid, MarketOffer, Node, Offer
from tests.builders import at
from tests.harness import MARKET_URL

PROVIDER_URL = "http://provider.test"

# openstacksdk warns of its own parameter, which it gives itself with each request.
pytestmark = pytest.mark.filterwarnings("ignore:The 'service_type' parameter is unnecesary:PendingDeprecationWarning")


@pytest.fixture
def connect(room, tmp_path):
    """Return a user's connection, as their clouds.yaml says."""
    made = []

    def connected(user, **more):
        entry = {
            "auth_type": "http_basic",
            "auth": {"username": user, "password": user, "endpoint": MARKET_URL},
            "baremetal_market_endpoint_override": MARKET_URL,
            "baremetal_provider_endpoint_override": PROVIDER_URL,
            "vendor_hook": "flocx_client.openstack_services:register",
        } | more
        path = tmp_path / f"clouds-{user}.yaml"
        path.write_text(yaml.safe_dump({"clouds": {"mine": entry}}))
        region = loader.OpenStackConfig(
            config_files=[str(path)], secure_files=[], vendor_files=[], load_envvars=False
        ).get_one("mine")
        connection = Connection(config=region)
        connection.session.session.mount(MARKET_URL, room.market.adapter)
        connection.session.session.mount(PROVIDER_URL, room.provider.adapter)
        made.append(connection)
        return connection

    yield connected
    for connection in made:
        connection.close()


def test_owners_and_consumers_do_their_business_over_one_connection(room, connect):
    owner, consumer = connect("owner-a"), connect("consumer-a")

    offer = owner.baremetal_provider.create_offer(
        name="spare", node_uuid="n1", start_time=at(0).isoformat(), end_time=at(100).isoformat(), reserve_price="1.5"
    )
    assert isinstance(offer, Offer)
    assert offer.reserve_price == Decimal("1.5")
    room.work()

    [seen] = consumer.baremetal_market.offers(status="available")
    assert isinstance(seen, MarketOffer)
    assert seen.id == offer.id
    bid = consumer.baremetal_market.create_bid(
        name="mine", limit_price="2", start_time=at(0).isoformat(), end_time=at(10).isoformat()
    )
    room.work()

    [placed] = consumer.baremetal_market.bids(status="matched")
    assert isinstance(placed, Bid)
    assert placed.id == bid.id
    contract = consumer.baremetal_market.wait_for_active(consumer.baremetal_market.find_contract("mine"), timeout=0)
    assert contract.allocations[0].offer_uuid == offer.id
    node = owner.baremetal_provider.get_node("n1")
    assert isinstance(node, Node)
    assert node.lessee_project_id == contract.lessee_project_id
    assert consumer.baremetal_provider.get_node_access("n1").allowed


def test_a_refusal_is_the_error_of_its_code_over_a_connection_too(connect):
    with pytest.raises(errors.BidNotFound) as refused:
        connect("consumer-a").baremetal_market.get_bid("d8b3a4a6-1d1c-4c3f-9d3d-000000000000")
    assert refused.value.request_id.startswith("req-")


def test_a_list_is_asked_for_page_by_page(room, connect):
    for number in range(5):
        room.bid(name=f"bid-{number}")
    bids = connect("consumer-a").baremetal_market.bids(limit=2, sort="name")
    assert [bid.name for bid in bids] == [f"bid-{number}" for number in range(5)]


def test_the_two_services_are_there_for_every_connection_that_is_given_them(room, connect):
    connection = connect("consumer-a", vendor_hook=None)
    register(connection)
    first = connection.baremetal_market
    register(connection)
    assert connection.baremetal_market is first
    assert connection.baremetal_market.get_api_version().price_unit == "credits"
    assert connection.baremetal_provider.is_alive()


def test_a_change_of_what_somebody_else_has_changed_meanwhile_is_refused_where_that_matters(connect):
    market = connect("consumer-a").baremetal_market
    bid = market.create_bid(limit_price="1", end_time=at(10).isoformat())
    changed = market.update_bid(bid, limit_price="2", if_match=bid.etag)
    assert changed.etag not in (None, bid.etag)
    with pytest.raises(errors.PreconditionFailed):
        market.update_bid(bid, limit_price="3", if_match=bid.etag)
    assert market.get_bid(bid).limit_price == 2
    assert market.update_bid(bid, limit_price="3").limit_price == 3
