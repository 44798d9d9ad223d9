# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx contract`` and ``openstack flocx allocation``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from flocx_client.osc.allocation import of_node
from flocx_client.resources import Allocation
from tests.builders import uid


def _now(place, contract):
    return place.market.browser("consumer-a").get(f"/v1/contracts/{contract['uuid']}").json


def _hand_over(place):
    for _ in range(2):
        place.provider.work()


def test_a_contract_is_shown_by_its_uuid_and_by_the_name_of_its_bid(place):
    contract = place.contract(name="web")
    for name in ("web", contract["uuid"], contract["bid_uuid"]):
        assert place.done("consumer-a", f"contract show {name} -f json").json == _now(place, contract)
    shown = place.done("consumer-a", "contract show web").out
    assert "15.00 credits " in shown
    assert "1.50 credits/h " in shown
    assert "n1: created" in shown


def test_contracts_are_listed_to_lessee_and_owner(place):
    contract = place.contract(name="web")
    for user in ("consumer-a", "owner-a"):
        assert place.done(user, "contract list -f value -c uuid").out.split() == [contract["uuid"]]
    assert place.done("consumer-b", "contract list -f json").json == []
    assert place.done("consumer-a", "contract list --status active -f json").json == []
    assert len(place.done("consumer-a", "contract list --bid web --lessee consumer-a -f json").json) == 1
    assert "| consumer-a |" in place.done("consumer-a", "contract list").out
    assert place.done("consumer-a", "contract list -f csv").csv[0]["lessee_project_id"] == "p-consumer-a"


def test_the_provider_tells_how_it_delivers(place):
    contract = place.contract()
    _hand_over(place)
    [listed] = place.done("owner-a", "contract list --delivery --long -f json").json
    assert listed["uuid"] == contract["uuid"]
    assert "bid_uuid" not in listed
    shown = place.done("owner-a", f"contract show {contract['uuid']} --delivery -f json").json
    assert shown["allocations"][0]["market_status"] == "active"
    assert place.run("owner-a", "contract list --delivery --bid web").status == 2


def test_a_contract_is_called_off_before_its_start(place):
    contract = place.contract(name="web", start_time=place.at(5))
    assert place.done("consumer-a", "contract cancel web -f value -c status").out == "cancelled\n"
    assert _now(place, contract)["status"] == "cancelled"


def test_a_running_contract_is_terminated_and_not_cancelled(place):
    contract = place.contract(name="web")
    _hand_over(place)
    refused = place.run("consumer-a", "contract cancel web")
    assert refused.status == 5
    assert refused.out == ""
    assert "flocx." in refused.err
    assert place.done("consumer-a", "contract terminate web -f value -c status").out == "terminated\n"
    assert _now(place, contract)["status"] == "terminated"


def test_an_owner_does_not_end_a_contract(place):
    contract = place.contract()
    assert place.run("owner-a", f"contract terminate {contract['uuid']}").status == 4


def test_one_waits_for_the_nodes_of_a_contract(place):
    place.contract(name="web")
    assert place.run("consumer-a", "contract wait web --timeout 0").status == 7
    _hand_over(place)
    assert place.done("consumer-a", "contract wait web").out == ""
    place.done("consumer-a", "contract terminate web")
    assert place.run("consumer-a", "contract wait web").status == 8


def test_the_nodes_of_contracts_are_listed(place):
    contract = place.contract(name="web")
    [allocation] = contract["allocations"]
    for choice in ("", "--contract web", "--node n1", f"--node {uid(1001)}", "--status created"):
        [listed] = place.done("consumer-a", f"allocation list --long -f json {choice}").json
        assert listed == allocation, choice
    assert place.done("consumer-a", "allocation list --node n2 -f json").json == []
    shown = place.done("consumer-a", f"allocation show {allocation['uuid']} -f json").json
    assert shown == allocation


def test_a_node_is_given_back_by_its_name(place):
    place.contract(name="web", start_time=place.at(5))
    released = place.done("consumer-a", "allocation release --contract web --node n1 -f json").json
    assert released["node_name"] == "n1"
    assert place.run("consumer-a", "allocation release --contract web --node n2").status == 3


class _Contracts:
    """Contracts with some allocations."""

    def __init__(self, *allocations: Allocation) -> None:
        self._allocations = allocations

    def of_contracts(self, contract: str | None) -> Iterator[Allocation]:
        """Yield the allocations."""
        return iter(self._allocations)


def test_of_two_parts_of_a_node_in_a_contract_the_one_that_is_not_over_is_meant():
    failed, active = (Allocation(node_name="n1", node_uuid=uid(1001), status=status) for status in ("failed", "active"))
    asked = Namespace(contract="web", node="n1")
    assert of_node(_Contracts(failed, active), asked) is active
    assert of_node(_Contracts(failed), asked) is failed


def test_an_allocation_is_named_in_one_way(place):
    for words in ("", "--contract web", "--node n1", "x --contract web --node n1"):
        ended = place.run("consumer-a", f"allocation release {words}")
        assert ended.status == 2, words
        assert "either the UUID of an allocation is expected, or --contract and --node" in ended.err


def test_what_is_not_there_is_not_found(place):
    for command in ("contract show", "allocation show", "allocation release"):
        assert place.run("consumer-a", f"{command} {uid(4711)}").status == 3, command
    assert place.run("consumer-a", "contract show web").status == 3
