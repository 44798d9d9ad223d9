# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 - it is run to be read
"""Ask, bid, wait for the contract: the quickstart's market from Python."""

from openstack.config import loader

from flocx_client.errors import Conflict
from flocx_client.market import MarketClient

cloud = loader.OpenStackConfig(config_files=["clouds.yaml"]).get_one(cloud="consumer-a")
market = MarketClient(cloud.get_session(), endpoint_override=cloud.get_endpoint("baremetal-market"))

dry = market.dry_run_bid(requirements=[["cpus", ">=", 32]], limit_price="1.40")
print(dry["sentence"], dry["nearest"])

bid = market.create_bid(requirements=[["cpus", ">=", 32]], limit_price="1.60", duration=3600)
events, cursor = market.events(since="latest")
while market.get_bid(bid)["status"] == "open":
    events, cursor = market.events(since=cursor, wait=30)
for contract in market.contracts(bid_uuid=bid["uuid"]):
    print(contract["status"], contract["amount"], [one["node_name"] for one in contract["allocations"]])
try:
    market.delete_bid(bid["uuid"])
except Conflict as error:
    print(error.code)
