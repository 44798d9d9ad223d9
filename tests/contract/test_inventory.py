# SPDX-License-Identifier: Apache-2.0
"""The promises of inventories, kept by the fake and by the static driver on every kind of database."""

import json

import pytest

from flocx_common.domain.errors import Unavailable
from flocx_provider.db.static_nodes import SqlNodeStates
from flocx_provider.drivers.inventory_file import InventoryFile, InventoryMapping
from flocx_provider.drivers.static import StaticInventory
from flocx_provider.ports.inventory import InventoryUnavailable
from tests.contract.inventory_promises import InventoryPromises
from tests.fakes import FakeInventory, FakeNodeStates
from tests.unit.provider.builders import ready_node

MACHINES = [ready_node(1), ready_node(2, owner_project_id="owner-b")]

MAPPING = InventoryMapping(
    uuid_expression="uuid",
    name_expression="name",
    owner_expression="owner",
    owner=None,
    owner_map={},
    resource_class_expression="resource_class",
    properties_expression="@",
)


@pytest.fixture
def file(tmp_path):
    """An inventory file with the machines of the suite."""
    path = tmp_path / "machines.jsonl"
    path.write_text(
        "".join(
            json.dumps({"uuid": one.node_uuid, "name": one.name, "owner": one.owner_project_id, **one.properties})
            + "\n"
            for one in MACHINES
        )
    )
    return path


def static(file, states):
    return StaticInventory(InventoryFile(str(file), MAPPING), states, lambda name: name)


class TestFakeInventory(InventoryPromises):
    @pytest.fixture
    def inventory(self):
        return FakeInventory(MACHINES)

    @pytest.fixture
    def silent_inventory(self, inventory):
        inventory.silent = True
        return inventory

    def test_a_check_of_a_silent_inventory_says_so(self, silent_inventory):
        with pytest.raises(InventoryUnavailable):
            silent_inventory.check()


class TestStaticInventory(InventoryPromises):
    @pytest.fixture
    def inventory(self, file, migrated_provider):
        return static(file, SqlNodeStates(migrated_provider.renew()))

    @pytest.fixture
    def silent_inventory(self, file, silent_database):
        return static(file, SqlNodeStates(silent_database))

    def test_a_check_of_a_file_that_cannot_be_read_says_so(self, inventory, file):
        file.unlink()
        with pytest.raises(InventoryUnavailable, match=r"machines\.jsonl"):
            inventory.check()


def test_a_static_inventory_waits_for_who_can_tell_the_owners_and_does_not_keep_a_service_from_starting(file):
    silent = True

    def resolve(name):
        if silent:
            raise Unavailable("the directory does not answer")
        return name

    inventory = StaticInventory(InventoryFile(str(file), MAPPING), FakeNodeStates(), resolve)
    for ask in (inventory.check, inventory.nodes):
        with pytest.raises(InventoryUnavailable, match="the directory does not answer"):
            ask()
    silent = False
    assert len(inventory.nodes()) == 2


class TestStaticInventoryOnFakeStates(InventoryPromises):
    """The fake states are good enough for tests of what is built on the driver."""

    @pytest.fixture
    def states(self):
        return FakeNodeStates()

    @pytest.fixture
    def inventory(self, file, states):
        return static(file, states)

    @pytest.fixture
    def silent_inventory(self, inventory, states):
        states.silent = True
        return inventory
