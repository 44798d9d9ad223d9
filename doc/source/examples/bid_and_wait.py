# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 - it is run to be read
import openstack

market = openstack.connect(cloud="mine").baremetal_market
bid = market.create_bid(requirements=[["cpus", ">=", 32]], limit_price="2.00", duration=3600)
contract = market.wait_for_contract(bid, timeout=300)
contract = market.wait_for_active(
    contract, timeout=300, progress=lambda seen: print(f"{seen.entity.status} for {seen.seconds:.0f} s")
)
for one in contract.allocations:
    print(f"{one.node_name} is ours until {one.end_time:%H:%M} UTC, at {one.clearing_price} an hour")
