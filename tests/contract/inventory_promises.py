# SPDX-License-Identifier: Apache-2.0
"""What every inventory promises, however its machines are kept."""

from __future__ import annotations

import threading

import pytest

from flocx_common.domain.errors import Unavailable
from flocx_provider.ports.inventory import InventoryUnavailable, NodeTaken
from tests.builders import uid

NODE, OTHER_NODE, NO_NODE = uid(1001), uid(1002), uid(1099)
MINE, FOREIGN = uid(6001), uid(6002)

#: What can be done to a node in the name of a contract.
ACTS = {
    "assign": lambda inventory, node, mark: inventory.assign(node, lessee_project_id="consumer-a", contract_uuid=mark),
    "remove_lessee": lambda inventory, node, mark: inventory.remove_lessee(node, contract_uuid=mark),
    "undeploy": lambda inventory, node, mark: inventory.undeploy(node, contract_uuid=mark),
    "remove_mark": lambda inventory, node, mark: inventory.remove_mark(node, contract_uuid=mark),
}
TAKING = ["remove_lessee", "undeploy", "remove_mark"]

#: What can be asked of it.
QUESTIONS = {
    "nodes": lambda inventory: inventory.nodes(),
    "node": lambda inventory: inventory.node("n1"),
}


def held(inventory, node=NODE):
    """Return (mark, lessee) of a node."""
    facts = inventory.node(node)
    return facts.contract_uuid, facts.lessee_project_id


class InventoryPromises:
    """The suite. A subclass has fixtures:

    ``inventory``: two machines, n1 of owner-a and n2 of owner-b, held by nobody;
    ``silent_inventory``: the same, and nothing answers.
    """

    def test_all_machines_are_listed_with_their_owner_and_hardware(self, inventory):
        first, second = sorted(inventory.nodes(), key=lambda node: node.node_uuid)
        assert (first.node_uuid, first.name, first.owner_project_id) == (NODE, "n1", "owner-a")
        assert (second.node_uuid, second.name, second.owner_project_id) == (OTHER_NODE, "n2", "owner-b")
        assert first.properties["cpus"] == 32
        assert [(one.contract_uuid, one.lessee_project_id, one.problem) for one in (first, second)] == [
            (None, None, None),
            (None, None, None),
        ]

    def test_a_machine_is_found_by_name_and_by_uuid_and_is_the_listed_one(self, inventory):
        listed = {node.name: node for node in inventory.nodes()}
        assert inventory.node("n1") == inventory.node(NODE) == inventory.node(NODE.upper()) == listed["n1"]

    def test_a_machine_that_is_not_there_is_none(self, inventory):
        assert inventory.node("n9") is None
        assert inventory.node(NO_NODE) is None

    def test_assigning_gives_mark_and_lessee_to_that_node_alone(self, inventory):
        ACTS["assign"](inventory, NODE, MINE)
        assert held(inventory) == (MINE, "consumer-a")
        assert held(inventory, OTHER_NODE) == (None, None)
        assert {node.name: node.contract_uuid for node in inventory.nodes()} == {"n1": MINE, "n2": None}

    def test_assigning_again_changes_nothing(self, inventory):
        for _ in range(2):
            ACTS["assign"](inventory, NODE, MINE)
        assert held(inventory) == (MINE, "consumer-a")

    def test_assigning_a_node_with_our_mark_and_no_lessee_goes_on_from_there(self, inventory):
        ACTS["assign"](inventory, NODE, MINE)
        ACTS["remove_lessee"](inventory, NODE, MINE)
        ACTS["assign"](inventory, NODE, MINE)
        assert held(inventory) == (MINE, "consumer-a")

    @pytest.mark.parametrize("with_lessee", [True, False], ids=["held", "marked"])
    def test_a_node_with_another_mark_is_refused_and_left_alone(self, inventory, with_lessee):
        inventory.assign(NODE, lessee_project_id="consumer-b", contract_uuid=FOREIGN)
        if not with_lessee:
            inventory.remove_lessee(NODE, contract_uuid=FOREIGN)
        before = held(inventory)
        with pytest.raises(NodeTaken, match=NODE):
            ACTS["assign"](inventory, NODE, MINE)
        assert held(inventory) == before

    def test_the_lessee_goes_first_and_the_mark_stays(self, inventory):
        ACTS["assign"](inventory, NODE, MINE)
        ACTS["remove_lessee"](inventory, NODE, MINE)
        assert held(inventory) == (MINE, None)

    def test_nothing_is_left_on_a_node_without_its_mark(self, inventory):
        ACTS["assign"](inventory, NODE, MINE)
        ACTS["remove_mark"](inventory, NODE, MINE)
        assert held(inventory) == (None, None)

    def test_undeploying_leaves_mark_and_lessee(self, inventory):
        ACTS["assign"](inventory, NODE, MINE)
        ACTS["undeploy"](inventory, NODE, MINE)
        assert held(inventory) == (MINE, "consumer-a")

    @pytest.mark.parametrize("act", TAKING)
    def test_taking_twice_is_as_good_as_once(self, inventory, act):
        ACTS["assign"](inventory, NODE, MINE)
        ACTS[act](inventory, NODE, MINE)
        once = inventory.node(NODE)
        ACTS[act](inventory, NODE, MINE)
        assert inventory.node(NODE) == once

    @pytest.mark.parametrize("act", TAKING)
    def test_nothing_is_taken_from_a_node_that_carries_another_mark(self, inventory, act):
        inventory.assign(NODE, lessee_project_id="consumer-b", contract_uuid=FOREIGN)
        ACTS[act](inventory, NODE, MINE)
        assert held(inventory) == (FOREIGN, "consumer-b")

    @pytest.mark.parametrize("act", TAKING)
    @pytest.mark.parametrize("node", [NODE, NO_NODE], ids=["unmarked", "gone"])
    def test_taking_from_a_node_that_carries_nothing_is_harmless(self, inventory, act, node):
        before = inventory.nodes()
        ACTS[act](inventory, node, MINE)
        assert inventory.nodes() == before

    def test_a_node_taken_back_can_be_given_to_the_next_contract(self, inventory):
        for mark in (MINE, FOREIGN):
            for act in ("assign", *TAKING):
                ACTS[act](inventory, NODE, mark)
        ACTS["assign"](inventory, NODE, MINE)
        assert held(inventory) == (MINE, "consumer-a")

    def test_of_contracts_that_race_for_a_node_exactly_one_gets_it(self, inventory):
        rivals, barrier, won, lost = range(1, 5), threading.Barrier(4), [], []

        def race(number):
            barrier.wait()
            try:
                inventory.assign(NODE, lessee_project_id=f"consumer-{number}", contract_uuid=uid(6000 + number))
                won.append(number)
            except NodeTaken:
                lost.append(number)

        threads = [threading.Thread(target=race, args=(number,)) for number in rivals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert (len(won), len(lost)) == (1, 3)
        assert held(inventory) == (uid(6000 + won[0]), f"consumer-{won[0]}")

    def test_an_inventory_that_answers_has_nothing_to_say_when_checked(self, inventory):
        inventory.check()

    def test_the_default_turnaround_is_a_number_of_seconds(self, inventory):
        assert isinstance(inventory.turnaround, int)
        assert inventory.turnaround >= 0

    @pytest.mark.parametrize("question", QUESTIONS)
    def test_silence_is_said_in_the_ports_words_when_asked(self, silent_inventory, question):
        with pytest.raises(InventoryUnavailable) as caught:
            QUESTIONS[question](silent_inventory)
        assert isinstance(caught.value, Unavailable)

    @pytest.mark.parametrize("act", ["assign", "remove_lessee", "remove_mark"])
    def test_silence_is_said_in_the_ports_words_when_told(self, silent_inventory, act):
        with pytest.raises(InventoryUnavailable):
            ACTS[act](silent_inventory, NODE, MINE)
