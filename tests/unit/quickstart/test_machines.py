# SPDX-License-Identifier: Apache-2.0
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quickstart.machines import OWNERS, SAMPLE, Machine, shared_out, write_inventory

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_provider.domain.node import NodeFacts
from flocx_provider.drivers.inventory_file import InventoryFile
from tests.builders import uid
from tests.unit.quickstart.inventories import document, machines_of, mapping, written


def enough(**over):
    return [document(number, OWNERS[number % 2], **over) for number in range(8)]


def owners(machines):
    return [machine.facts.owner_project_id for machine in machines]


def test_the_sample_has_machines_of_both_owners():
    found = owners(machines_of(SAMPLE))
    assert set(found) == set(OWNERS)
    assert min(found.count(owner) for owner in OWNERS) >= 4


@pytest.mark.parametrize("few", OWNERS)
def test_too_few_machines_of_an_owner_are_told_with_what_would_help(tmp_path, few):
    found = [one for one in enough() if one["owner"] != few] + [document(100, few)]
    path = written(tmp_path / "nodes.json", found)
    with pytest.raises(ConfigurationInvalid) as refused:
        machines_of(path)
    assert (
        refused.value.detail == f"{path}: 1 machines of {few}, at least 4 are needed; --owner-map says whose they are"
    )


def test_an_owner_map_says_whose_the_machines_are(tmp_path):
    found = [document(number, ["east", "west"][number % 2]) for number in range(8)]
    path = written(tmp_path / "nodes.json", found)
    machines = machines_of(path, owner_map={"east": "owner-a", "west": "owner-b"})
    assert owners(machines) == ["owner-a", "owner-b"] * 4


def test_a_file_with_a_mistake_is_refused_as_the_driver_would(tmp_path):
    path = written(tmp_path / "nodes.json", [*enough(), document(3, "owner-a")])
    with pytest.raises(ConfigurationInvalid, match=r"item 9: .* is there already, at item 4"):
        machines_of(path)


def test_a_machine_keeps_its_document_as_the_file_has_it(tmp_path):
    found = enough(extra={"deep": [1, {"ä": None}]})
    machines = machines_of(written(tmp_path / "nodes.json", found), properties_expression="extra")
    assert [machine.document for machine in machines] == found
    assert machines[0].facts.properties == {"deep": [1, {"ä": None}]}


def machine(number, owner):
    facts = NodeFacts(node_uuid=uid(number), name=None, owner_project_id=owner, resource_class=None, properties={})
    return Machine(facts, {"uuid": uid(number)})


machines = st.lists(st.sampled_from([*OWNERS, None]), max_size=20).map(
    lambda found: [machine(number, owner) for number, owner in enumerate(found)]
)


@given(machines)
def test_every_machine_goes_to_one_provider_and_owner_b_s_are_halved(found):
    first, second = shared_out(found)
    numbers = {machine.facts.node_uuid: number for number, machine in enumerate(found)}
    assert sorted([*first, *second], key=lambda machine: numbers[machine.facts.node_uuid]) == found
    assert set(owners(second)) <= {"owner-b"}
    assert owners(first).count("owner-b") - owners(second).count("owner-b") in (0, 1)
    for part in (first, second):
        places = [numbers[machine.facts.node_uuid] for machine in part]
        assert places == sorted(places)


def test_the_sample_gives_both_providers_machines():
    first, second = shared_out(machines_of(SAMPLE))
    assert set(owners(first)) == set(OWNERS)
    assert len(second) >= 2


def test_what_is_written_is_read_back_as_it_was(tmp_path):
    found = machines_of(SAMPLE)
    write_inventory(tmp_path / "out.jsonl", found)
    file = InventoryFile(str(tmp_path / "out.jsonl"), mapping())
    assert [document for _, document in file.documents()] == [machine.document for machine in found]
    assert file.read() == [machine.facts for machine in found]


def test_an_inventory_that_is_the_same_is_not_touched_and_another_is_replaced(tmp_path):
    path = tmp_path / "out.jsonl"
    found = machines_of(SAMPLE)
    write_inventory(path, found)
    os.utime(path, (1, 1))
    write_inventory(path, found)
    assert path.stat().st_mtime == 1
    write_inventory(path, found[1:])
    assert path.stat().st_mtime > 1
    assert len(path.read_text().splitlines()) == len(found) - 1
