# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import event, given
from quickstart.demand import demand_for
from quickstart.machines import SAMPLE

from flocx_market.domain.requirements import parse_requirements
from flocx_provider.domain.private_properties import DEFAULT, PrivateProperties
from tests.unit.quickstart.documents import documents
from tests.unit.quickstart.inventories import machines_of


def those_that_meet(triples, found):
    """The documents that meet requirements, as the market sees and judges them."""
    requirements = parse_requirements(triples)
    shown = [PrivateProperties(DEFAULT).without(document) for document in found]
    return [document for document in shown if all(requirement.holds(document) for requirement in requirements)]


@given(documents)
def test_one_bid_no_machine_meets_and_one_some_machine_meets(found):
    try:
        demand = demand_for(found)
    except LookupError:
        event("nothing in common")
        return
    event(f"asks for {demand.possible[-1][0]}")
    assert those_that_meet(demand.impossible, found) == []
    assert those_that_meet(demand.possible, found)


def test_the_sample_plays_the_story_everybody_knows():
    properties = [machine.facts.properties for machine in machines_of(SAMPLE) if machine.facts.properties["cpus"] == 32]
    demand = demand_for(properties[:3])
    assert demand.impossible == [["cpus", "==", 32], ["local_gb", ">", 9000]]
    assert demand.possible == [["cpus", "==", 32], ["local_gb", ">", 512]]


def test_any_part_of_the_sample_can_be_bid_for():
    properties = [machine.facts.properties for machine in machines_of(SAMPLE)]
    for first in range(len(properties) - 2):
        found = properties[first : first + 3]
        demand = demand_for(found)
        assert those_that_meet(demand.impossible, found) == []
        assert those_that_meet(demand.possible, found)


@pytest.mark.parametrize(
    ("found", "path"),
    [
        ([{"cpus": 16, "local_gb": 100}, {"cpus": 16, "local_gb": 200}], "local_gb"),
        ([{"a": {"ram": 1, "slots": 4}}, {"a": {"ram": 2, "slots": 4}}], "a.ram"),
        ([{"ram": 1, "ghz": 2.5}, {"ram": 2}], "ram"),
        ([{"serial": 1, "ram": 7}, {"serial": 2, "ram": 7}], "ram"),
        ([{"größe": 1, "ram": 7}, {"größe": 2, "ram": 7}], "ram"),
        ([{"ready": True, "ram": 7}, {"ready": True, "ram": 7}], "ram"),
    ],
    ids=["not 32 cpus", "nested", "in common", "private", "no word of JMESPath", "no number"],
)
def test_the_number_that_tells_machines_apart_best_is_asked_for(found, path):
    assert demand_for(found).possible[-1][0] == path


@pytest.mark.parametrize(
    "found",
    [[], [{}], [{"model": "x"}], [{"ram": 1}, {"disk": 1}], [{"ram": 0}], [{"sizes": [1, 2]}]],
    ids=["no machines", "no properties", "no numbers", "none in common", "nothing", "only lists"],
)
def test_machines_without_a_number_in_common_are_told(found):
    with pytest.raises(LookupError, match="no number in common"):
        demand_for(found)
