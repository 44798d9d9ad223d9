# SPDX-License-Identifier: Apache-2.0
"""The Ironic driver on an Ironic in memory, and on each kind of database for its claims."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest

from flocx_common.domain.holders import NodeAttributes
from flocx_common.testing.clock import FrozenClock
from flocx_market.domain.requirements import parse_requirements
from flocx_provider.db.inspections import SqlInspections
from flocx_provider.db.node_claims import SqlNodeClaims
from flocx_provider.drivers.ironic import IronicInventory
from flocx_provider.drivers.ironic_client import IronicClient
from flocx_provider.drivers.nova_servers import NovaServers
from flocx_provider.ports.inventory import InventoryUnavailable, NodeClaimed, NodeRefused, NodeTaken
from tests.builders import NOW, at, uid
from tests.contract.inventory_promises import FOREIGN, MINE, NODE, OTHER_NODE, InventoryPromises
from tests.data import published
from tests.fake_ironic_api import FakeIronicApi

SERVER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
FOUND = {"cpu": {"count": 32, "flags": ["vmx"]}, "disks": []}


class Servers:
    """Servers of a Nova: those that are there can be deleted, which takes its time."""

    def __init__(self, *there):
        self.there, self.deleted = set(there), []

    def delete(self, server_uuid):
        self.deleted.append(server_uuid)
        return server_uuid in self.there


@pytest.fixture
def ironic():
    """Two nodes as the suite of promises wants them."""
    fake = FakeIronicApi()
    fake.put(NODE, name="n1", owner="owner-a", properties={"cpus": "32", "cpu_arch": "x86_64"})
    fake.put(OTHER_NODE, name="n2", properties={"cpus": 64, "project_owner_id": "owner-b"})
    return fake


def driver(ironic, database, *, attributes=None, servers=None, clock=None):
    return IronicInventory(
        IronicClient(ironic.connect, max_retries=2, retry_interval=0),
        attributes=attributes or NodeAttributes(),
        claims=SqlNodeClaims(database),
        inspections=SqlInspections(database),
        servers=servers,
        claim_timeout=timedelta(seconds=60),
        clock=clock or FrozenClock(NOW),
    )


@pytest.fixture
def inventory(ironic, sqlite_provider):
    return driver(ironic, sqlite_provider.renew())


class TestIronicInventory(InventoryPromises):
    @pytest.fixture
    def inventory(self, ironic, migrated_provider):
        return driver(ironic, migrated_provider.renew())

    @pytest.fixture
    def silent_inventory(self, ironic, inventory):
        ironic.adapter.down = True
        return inventory

    def test_of_contracts_that_race_for_a_node_exactly_one_gets_it(self, inventory):
        # Whoever finds the node claimed is not told that it lost, and asks again.
        def patient(node_uuid, **given):
            while True:
                try:
                    return inventory_assign(node_uuid, **given)
                except NodeClaimed:
                    continue

        inventory_assign, inventory.assign = inventory.assign, patient
        super().test_of_contracts_that_race_for_a_node_exactly_one_gets_it(inventory)


class TestMirroredInventory(TestIronicInventory):
    @pytest.fixture
    def inventory(self, ironic, sqlite_provider):
        return driver(ironic, sqlite_provider.renew(), attributes=NodeAttributes(mirror_lessee=True))


class TestInventoryOfFields(TestIronicInventory):
    @pytest.fixture
    def inventory(self, ironic, sqlite_provider):
        ironic.nodes[OTHER_NODE]["owner"] = "owner-b"
        return driver(ironic, sqlite_provider.renew(), attributes=NodeAttributes(owner="owner", lessee="lessee"))


def assign(inventory, node=NODE, contract=MINE, lessee="consumer-a"):
    inventory.assign(node, lessee_project_id=lessee, contract_uuid=contract)


class TestWhatIsWritten:
    @pytest.mark.parametrize(
        ("attributes", "lessee", "properties"),
        [
            (NodeAttributes(), None, {"project_id": "consumer-a"}),
            (NodeAttributes(lessee="properties/tenant"), None, {"tenant": "consumer-a"}),
            (NodeAttributes(mirror_lessee=True), "consumer-a", {"project_id": "consumer-a"}),
            (NodeAttributes(owner="owner", lessee="lessee"), "consumer-a", {}),
        ],
        ids=["default", "property", "mirrored", "field"],
    )
    def test_the_lessee_is_written_exactly_where_the_operator_says(
        self, ironic, sqlite_provider, attributes, lessee, properties
    ):
        before = json.loads(json.dumps(ironic.nodes[NODE]))
        inventory = driver(ironic, sqlite_provider.renew(), attributes=attributes)
        assign(inventory)
        assert ironic.nodes[NODE]["lessee"] == lessee
        assert ironic.nodes[NODE]["properties"] == before["properties"] | properties | {"flocx_contract_uuid": MINE}
        inventory.remove_lessee(NODE, contract_uuid=MINE)
        inventory.remove_mark(NODE, contract_uuid=MINE)
        assert ironic.nodes[NODE] == before

    def test_a_write_that_is_there_already_is_as_good(self, ironic, inventory):
        assign(inventory)
        assign(inventory)
        assert inventory.node(NODE).lessee_project_id == "consumer-a"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"lessee": "somebody"}, "a lessee that FLOCX did not set"),
            ({"properties": {"project_id": "somebody"}}, "a lessee that FLOCX did not set"),
            ({"properties": {"project_owner_id": "owner-b"}}, "different projects"),
            ({"provision_state": "active", "instance_uuid": SERVER}, "an instance is on it"),
            ({"instance_uuid": SERVER}, "an instance is on it"),
        ],
    )
    def test_what_somebody_else_has_is_left_alone(self, ironic, inventory, change, words):
        ironic.nodes[NODE] |= change
        before = json.loads(json.dumps(ironic.nodes[NODE]))
        with pytest.raises(NodeTaken, match=words):
            assign(inventory)
        assert ironic.nodes[NODE] == before

    def test_a_lessee_that_ironic_notes_of_the_owners_own_deployment_is_none(self, ironic, inventory):
        ironic.nodes[NODE]["lessee"] = "owner-a"
        assert inventory.node(NODE).lessee_project_id is None

    def test_an_instance_that_appears_between_look_and_write_sends_the_node_back(self, ironic, inventory):
        def appear(method, path):
            if method == "PATCH":
                ironic.nodes[NODE] |= {"instance_uuid": SERVER, "provision_state": "deploying"}
                ironic.before = lambda method, path: None

        ironic.before = appear
        with pytest.raises(NodeTaken, match="an instance"):
            assign(inventory)
        assert inventory.node(NODE).contract_uuid is None
        assert inventory.node(NODE).lessee_project_id is None
        assert ironic.nodes[NODE]["instance_uuid"] == SERVER

    def test_the_other_properties_of_a_node_stay(self, ironic, inventory):
        assign(inventory)
        assert ironic.nodes[NODE]["properties"]["cpus"] == "32"

    def test_a_node_that_ironic_has_locked_for_a_moment_is_tried_again(self, ironic, inventory):
        ironic.locked[NODE] = 2
        assign(inventory)
        assert inventory.node(NODE).contract_uuid == MINE

    def test_a_node_that_stays_locked_is_refused_in_words_that_stay_the_same(self, ironic, inventory):
        ironic.locked[NODE] = 100
        words = set()
        for _ in range(2):
            with pytest.raises(NodeRefused) as refused:
                assign(inventory)
            words.add(refused.value.detail)
        assert len(words) == 1
        assert "is locked by host" in words.pop()
        ironic.locked.clear()
        assign(inventory)


class TestClaims:
    def test_of_two_managers_the_later_leaves_the_node_alone(self, ironic, sqlite_provider):
        database = sqlite_provider.renew()
        first, second = driver(ironic, database), driver(ironic, database)
        refused = []

        def meddle(method, path):
            if method == "PATCH":
                ironic.before = lambda method, path: None
                with pytest.raises(NodeClaimed) as error:
                    assign(second, contract=FOREIGN, lessee="consumer-b")
                refused.append(error.value)

        ironic.before = meddle
        assign(first)
        assert refused
        assert first.node(NODE).contract_uuid == MINE

    @pytest.mark.parametrize(("seconds", "free"), [(59, False), (60, True)])
    def test_the_claim_of_one_who_died_runs_out(self, ironic, migrated_provider, seconds, free):
        database = migrated_provider.renew()
        claims = SqlNodeClaims(database)
        assert claims.claim(NODE, "the dead", NOW, NOW + timedelta(seconds=60))
        clock = FrozenClock(NOW + timedelta(seconds=seconds))
        inventory = driver(ironic, database, clock=clock)
        if free:
            assign(inventory)
        else:
            with pytest.raises(NodeClaimed):
                assign(inventory)
        assert (inventory.node(NODE).contract_uuid == MINE) is free

    def test_one_who_was_asleep_for_longer_than_its_claim_does_not_write(self, ironic, sqlite_provider):
        database, clock = sqlite_provider.renew(), FrozenClock(NOW)
        slow = driver(ironic, database, clock=clock)

        def sleep(method, path):
            ironic.before = lambda method, path: None
            clock.advance(61)
            assert SqlNodeClaims(database).claim(NODE, "another", clock.now(), at(1))

        ironic.before = sleep
        with pytest.raises(NodeClaimed):
            assign(slow)
        assert "PATCH" not in [method for method, _ in ironic.calls]

    def test_a_claim_is_given_back_also_when_the_work_fails(self, ironic, sqlite_provider):
        database = sqlite_provider.renew()
        ironic.locked[NODE] = 3
        with pytest.raises(NodeRefused):
            assign(driver(ironic, database))
        assign(driver(ironic, database))

    def test_a_claim_that_another_took_over_is_not_given_back_by_the_first(self, migrated_provider):
        claims = SqlNodeClaims(migrated_provider.renew())
        assert claims.claim(NODE, "slow", NOW, at(1))
        assert not claims.claim(NODE, "quick", NOW, at(1))
        assert claims.claim(NODE, "quick", at(1), at(2))
        claims.release(NODE, "slow")
        assert not claims.claim(NODE, "third", at(1), at(2))
        claims.release(NODE, "quick")
        assert claims.claim(NODE, "third", at(1), at(2))


class TestTakingBack:
    @pytest.fixture
    def held(self, ironic, sqlite_provider):
        """A function that returns an inventory with a server deployed on a node that it has handed over."""

        def make(*servers):
            nova = Servers(*servers)
            inventory = driver(ironic, sqlite_provider.renew(), servers=nova)
            assign(inventory)
            ironic.nodes[NODE] |= {"provision_state": "active", "instance_uuid": SERVER, "lessee": "consumer-a"}
            return inventory, nova

        return make

    def test_a_server_of_novas_is_deleted_through_nova(self, ironic, held):
        inventory, nova = held(SERVER)
        inventory.undeploy(NODE, contract_uuid=MINE)
        assert nova.deleted == [SERVER]
        assert ironic.nodes[NODE]["provision_state"] == "active"

    def test_what_nova_does_not_know_is_undeployed_in_ironic(self, ironic, held):
        inventory, nova = held()
        inventory.undeploy(NODE, contract_uuid=MINE)
        assert nova.deleted == [SERVER]
        assert ironic.nodes[NODE]["provision_state"] == "deleting"

    def test_after_its_time_nova_is_not_asked(self, ironic, held):
        inventory, nova = held(SERVER)
        inventory.undeploy(NODE, contract_uuid=MINE, directly=True)
        assert nova.deleted == []
        assert ironic.nodes[NODE]["provision_state"] == "deleting"

    def test_without_nova_it_is_undeployed_in_ironic(self, ironic, inventory):
        assign(inventory)
        ironic.nodes[NODE] |= {"provision_state": "active"}
        inventory.undeploy(NODE, contract_uuid=MINE)
        assert ironic.nodes[NODE]["provision_state"] == "deleting"

    @pytest.mark.parametrize("mark", [None, FOREIGN])
    def test_an_instance_on_a_node_without_our_mark_is_never_touched(self, ironic, held, mark):
        inventory, nova = held(SERVER)
        ironic.nodes[NODE]["properties"]["flocx_contract_uuid"] = mark
        inventory.undeploy(NODE, contract_uuid=MINE)
        inventory.undeploy(NODE, contract_uuid=MINE, directly=True)
        assert nova.deleted == []
        assert ironic.nodes[NODE]["provision_state"] == "active"

    def test_once_the_lessee_is_removed_what_ironic_noted_of_its_deployment_is_none(self, ironic, held):
        inventory, _ = held()
        inventory.remove_lessee(NODE, contract_uuid=MINE)
        assert inventory.node(NODE).lessee_project_id is None
        assert inventory.node(NODE).contract_uuid == MINE

    def test_a_node_that_was_only_reserved_is_given_up(self, ironic, inventory):
        assign(inventory)
        ironic.nodes[NODE]["instance_uuid"] = SERVER
        inventory.undeploy(NODE, contract_uuid=MINE)
        assert not inventory.node(NODE).deployed

    @pytest.mark.parametrize("answer", [202, 204, 404, 409])
    def test_nova_says_whether_there_is_such_a_server(self, answer):
        class Adapter:
            def delete(self, path, **_):
                assert path == f"/servers/{SERVER}"
                return type("Answer", (), {"status_code": answer})

        assert NovaServers(Adapter).delete(SERVER) is (answer != 404)

    def test_a_nova_that_refuses_is_no_answer(self):
        class Adapter:
            def delete(self, path, **_):
                return type("Answer", (), {"status_code": 403})

        with pytest.raises(InventoryUnavailable, match="HTTP 403"):
            NovaServers(Adapter).delete(SERVER)

    def test_an_instance_that_is_no_uuid_is_no_server_of_novas(self):
        assert not NovaServers(lambda: pytest.fail("Nova was asked")).delete("../flavors/1")


class TestReading:
    def test_ten_thousand_nodes_cost_ten_calls(self, sqlite_provider):
        ironic = FakeIronicApi()
        for number in range(10_000):
            ironic.put(uid(number), name=f"n{number}")
        inventory = driver(ironic, sqlite_provider.renew())
        assert len(inventory.nodes()) == 10_000
        assert [method for method, _ in ironic.calls] == ["GET"] * 10

    @pytest.mark.parametrize(
        "name", ["detail", "..", "../ports", "n1?fields=uuid", "n1/states", "", "n 1", "n1%2f", "é"]
    )
    def test_what_is_no_name_of_a_node_is_never_asked_for(self, ironic, inventory, name):
        assert inventory.node(name) is None
        assert ironic.calls == []

    def test_the_hardware_document_says_nothing_about_holders(self, ironic, inventory):
        assign(inventory)
        assert inventory.node(NODE).properties == {
            "cpus": 32,
            "cpu_arch": "x86_64",
            "resource_class": "baremetal",
            "traits": [],
        }

    def test_an_inspection_is_read_when_a_node_is_offered_and_kept(self, ironic, inventory, sqlite_provider):
        ironic.nodes[NODE]["inspection_finished_at"] = "2026-11-01T00:00:00+00:00"
        ironic.inventories[NODE] = FOUND
        assert "inventory" not in inventory.node(NODE).properties
        assert inventory.node(NODE, inspected=True).properties["inventory"] == FOUND
        ironic.calls.clear()
        # From now on also in lists, in other processes, and without another call.
        for one in (inventory, driver(ironic, sqlite_provider.database)):
            listed = {node.node_uuid: node for node in one.nodes()}
            assert listed[NODE].properties["inventory"] == FOUND
            assert "inventory" not in listed[OTHER_NODE].properties
        assert [path for _, path in ironic.calls if "inventory" in path.partition("?")[0]] == []

    def test_it_is_read_again_when_the_node_was_inspected_again(self, ironic, inventory):
        ironic.nodes[NODE]["inspection_finished_at"] = "2026-11-01T00:00:00+00:00"
        ironic.inventories[NODE] = FOUND
        inventory.node(NODE, inspected=True)
        ironic.inventories[NODE] = {"cpu": {"count": 64}}
        ironic.nodes[NODE]["inspection_finished_at"] = "2026-11-02T00:00:00+00:00"
        ironic.calls.clear()
        for _ in range(2):
            assert {node.node_uuid: node for node in inventory.nodes()}[NODE].properties["inventory"] == {
                "cpu": {"count": 64}
            }
        assert len([path for _, path in ironic.calls if path.endswith("/inventory")]) == 1

    def test_an_inspection_that_cannot_be_read_leaves_what_was_known(self, ironic, inventory, caplog):
        ironic.nodes[NODE]["inspection_finished_at"] = "2026-11-01T00:00:00+00:00"
        ironic.inventories[NODE] = FOUND
        inventory.node(NODE, inspected=True)
        ironic.nodes[NODE]["inspection_finished_at"] = "2026-11-02T00:00:00+00:00"

        def fail(method, path):
            ironic.status = 500 if path.endswith("/inventory") else None

        ironic.before = fail
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                assert {node.node_uuid: node for node in inventory.nodes()}[NODE].properties["inventory"] == FOUND
        assert len([one for one in caplog.messages if "inspection cannot be read" in one]) == 1

    @pytest.mark.parametrize(
        "triple",
        [
            ["cpu_arch", "eq", "x86_64"],
            ["memory_mb", ">=", 48000],
            ["inventory.cpu.count", ">=", 16],
            ["inventory.cpu.flags", "contains", "vmx"],
            ["length(inventory.disks[?rotational==`true`])", ">=", 2],
            ["inventory.disks[?rotational==`true`]", None, None],
            ["inventory.system_vendor.manufacturer", "matches", "Dell"],
            ["inventory.system_vendor.product_name", "matches", "PowerEdge M620"],
        ],
        ids=lambda triple: triple[0],
    )
    def test_the_published_examples_of_requirements_hold(self, ironic, inventory, triple):
        sample = json.loads(published("ironic-introspection-sample.txt").read_text())
        ironic.nodes[NODE]["properties"] = {
            "cpu_arch": sample["cpu_arch"],
            "memory_mb": str(sample["memory_mb"]),
            "cpus": str(sample["cpus"]),
        }
        ironic.nodes[NODE]["inspection_finished_at"] = "2026-11-01T00:00:00+00:00"
        ironic.inventories[NODE] = sample["inventory"]
        document = inventory.node(NODE, inspected=True).properties
        [requirement] = parse_requirements([triple])
        assert requirement.holds(document)


class TestTrouble:
    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (401, "does not accept the credentials"),
            (403, "rbac_service_role_elevated_access"),
            (500, "does not answer"),
            (503, "does not answer"),
        ],
    )
    def test_a_failing_ironic_is_told_in_the_same_words_each_time(self, ironic, inventory, status, words):
        ironic.status = status
        told = set()
        for _ in range(2):
            with pytest.raises(InventoryUnavailable, match=words) as error:
                inventory.nodes()
            told.add(error.value.detail)
        assert len(told) == 1

    def test_something_else_that_answers_is_not_taken_for_ironic(self, inventory, ironic):
        ironic.nodes = {NODE: {"uuid": NODE}}
        with pytest.raises(InventoryUnavailable):
            inventory.nodes()

    def test_an_ironic_that_shows_nothing_is_told_once(self, sqlite_provider, caplog):
        inventory = driver(FakeIronicApi(), sqlite_provider.renew())
        with caplog.at_level(logging.WARNING):
            inventory.check()
            inventory.check()
        assert len([one for one in caplog.messages if "shows no node" in one]) == 1

    def test_nothing_is_connected_before_the_first_call(self, sqlite_provider):
        def connect():
            raise InventoryUnavailable("inventory: the catalog has no endpoint")

        client = IronicClient(connect, max_retries=0, retry_interval=1)
        inventory = IronicInventory(
            client,
            attributes=NodeAttributes(),
            claims=SqlNodeClaims(sqlite_provider.renew()),
            inspections=None,
            servers=None,
            claim_timeout=timedelta(seconds=60),
            clock=FrozenClock(NOW),
        )
        with pytest.raises(InventoryUnavailable, match="no endpoint"):
            inventory.check()
