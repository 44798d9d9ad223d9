# SPDX-License-Identifier: Apache-2.0
"""One aggregate for each project with the nodes it may use: what is asked, what is changed, what is left alone."""

from __future__ import annotations

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from flocx_common.domain.access import decide_access
from flocx_common.testing.wsgi import WsgiAdapter
from flocx_provider.domain.node import NodeFacts
from flocx_provider.drivers.placement import HttpPlacementAggregates
from flocx_provider.ports.inventory import InventoryUnavailable
from flocx_provider.ports.placement import PlacementRefused, PlacementUnavailable
from flocx_provider.services.placement_aggregates import keep_aggregates, user_of
from tests.builders import uid
from tests.fake_placement import FakeNova, FakePlacement
from tests.fakes import FakeInventory

A, B, C = "owner-a", "owner-b", "consumer"


def machine(n, owner=None, lessee=None, conflict=None):
    return NodeFacts(
        node_uuid=uid(n),
        name=f"node-{n}",
        owner_project_id=owner,
        resource_class=None,
        properties={},
        lessee_project_id=lessee,
        conflict=conflict,
    )


class Cloud:
    """Two nodes of one owner, one of another, one of nobody; Nova and Placement; a hypervisor, too."""

    hypervisor = uid(900)

    def __init__(self):
        self.inventory = FakeInventory([machine(1, A), machine(2, A), machine(3, B), machine(4)])
        self.placement = FakePlacement(uid(1), uid(2), uid(3), uid(4), self.hypervisor)
        self.nova = FakeNova()
        self.wires = {}
        self.aggregates = self.connected()

    def connected(self):
        def connect(app, service_type):
            self.wires[service_type] = WsgiAdapter(app)
            http = requests.Session()
            http.mount("http://", self.wires[service_type])
            session = Session(auth=Token(f"http://{service_type}.test", "secret-token"), session=http)
            return Adapter(session, service_type=service_type)

        placement, compute = connect(self.placement, "placement"), connect(self.nova, "compute")
        return HttpPlacementAggregates(lambda: placement, lambda: compute)

    def keep(self):
        """Run a round, and return the calls that it made."""
        self.placement.calls.clear()
        self.nova.calls.clear()
        keep_aggregates(inventory=self.inventory, placement=self.aggregates)
        return self.nova.calls + self.placement.calls

    def candidates(self, project):
        """What Nova would ask Placement for: the nodes of the project's aggregates, None where it is held to none."""
        held = {one["uuid"] for one in self.nova.aggregates.values() if project in _tenants(one)}
        if not held:
            return None
        return {number_of(one) for one, members in self.placement.aggregates.items() if members & held}


def _tenants(aggregate):
    return [value for key, value in aggregate["metadata"].items() if key.startswith("filter_tenant_id")]


def number_of(uuid):
    return int(uuid.replace("-", "")[-12:], 16)


@pytest.fixture
def cloud():
    return Cloud()


anybody = st.none() | st.sampled_from([A, B, C])


@given(anybody, anybody, st.booleans())
def test_a_node_is_in_the_aggregate_of_whom_the_filter_would_let_through(owner, lessee, contested):
    allowed = {
        project
        for project in (A, B, C)
        if decide_access(
            project_id=project, owner_project_id=owner, lessee_project_id=lessee, contested=contested
        ).allowed
    }
    user = user_of(machine(1, owner, lessee, "two owners" if contested else None))
    assert allowed == {user} - {None}


def test_each_project_is_held_to_the_nodes_it_may_use(cloud):
    cloud.inventory.change(uid(2), lessee_project_id=C)
    cloud.keep()
    assert cloud.candidates(A) == {1}
    assert cloud.candidates(B) == {3}
    assert cloud.candidates(C) == {2}
    assert {one["name"] for one in cloud.nova.aggregates.values()} == {f"flocx-{one}" for one in (A, B, C)}
    assert all(one["hosts"] == [] for one in cloud.nova.aggregates.values())
    assert cloud.placement.aggregates[uid(4)] == set()


def test_a_lease_moves_a_node_and_its_end_moves_it_back(cloud):
    cloud.keep()
    cloud.inventory.change(uid(1), lessee_project_id=C)
    cloud.keep()
    assert (cloud.candidates(A), cloud.candidates(C)) == ({2}, {1})
    cloud.inventory.change(uid(1), lessee_project_id=None)
    cloud.keep()
    assert (cloud.candidates(A), cloud.candidates(C)) == ({1, 2}, None)
    assert cloud.nova.named(f"flocx-{C}") is None


def test_a_node_that_contradicts_itself_is_nobodys_candidate(cloud):
    cloud.keep()
    cloud.inventory.change(uid(1), conflict="two owners")
    cloud.keep()
    assert cloud.candidates(A) == {2}


def test_a_round_that_changes_nothing_asks_once_for_all_and_once_for_each_aggregate(cloud):
    cloud.keep()
    assert cloud.keep() == [("GET", "/os-aggregates"), *[("GET", "/resource_providers")] * 2]


def test_a_change_costs_calls_for_what_changed_and_no_more(cloud):
    for n in range(100, 400):
        cloud.inventory.put(machine(n, A))
        cloud.placement.set(uid(n))
    cloud.keep()
    cloud.inventory.change(uid(200), lessee_project_id=B)
    calls = cloud.keep()
    assert calls.count(("GET", "/resource_providers")) == 3
    assert [call for call in calls if call[1] not in ("/os-aggregates", "/resource_providers")] == [
        ("GET", f"/resource_providers/{uid(200)}/aggregates"),
        ("PUT", f"/resource_providers/{uid(200)}/aggregates"),
    ]


def test_a_node_that_placement_does_not_know_costs_no_call_of_its_own(cloud):
    cloud.inventory.put(machine(7, A))
    cloud.keep()
    assert not [path for _, path in cloud.keep() if uid(7) in path]
    cloud.placement.set(uid(7))
    cloud.keep()
    assert cloud.candidates(A) == {1, 2, 7}


def test_a_project_is_held_to_its_aggregate_only_once_its_nodes_are_in_it(cloud):
    seen = []

    def look(method, path):
        if method == "PUT":
            seen.append(cloud.candidates(A))

    cloud.placement.meanwhile = look
    cloud.keep()
    assert set(map(str, seen)) == {"None"}
    assert cloud.candidates(A) == {1, 2}


@pytest.mark.parametrize("others", [("a", "b")])
def test_other_aggregates_of_a_node_stay(cloud, others):
    cloud.placement.set(uid(1), *others)
    cloud.keep()
    cloud.inventory.change(uid(1), lessee_project_id=C)
    cloud.keep()
    assert set(others) < cloud.placement.aggregates[uid(1)]


def test_aggregates_of_others_are_not_touched_whatever_they_are_called(cloud):
    theirs = [
        cloud.nova.add("racks"),
        cloud.nova.add("flocx-racks"),
        cloud.nova.add("flocx-copy", flocx_project_id="other", filter_tenant_id="other"),
        cloud.nova.add("own", filter_tenant_id=C),
    ]
    before = [dict(one, metadata=dict(one["metadata"])) for one in theirs]
    cloud.placement.set(uid(1), theirs[0]["uuid"], theirs[1]["uuid"])
    cloud.keep()
    cloud.keep()
    assert theirs == before
    assert all(one in cloud.nova.aggregates.values() for one in theirs)
    assert {theirs[0]["uuid"], theirs[1]["uuid"]} < cloud.placement.aggregates[uid(1)]


def test_what_is_no_node_of_ours_stays_in_an_aggregate_and_the_aggregate_with_its_hosts(cloud):
    cloud.inventory.change(uid(1), lessee_project_id=C)
    cloud.keep()
    ours = cloud.nova.named(f"flocx-{C}")
    ours["hosts"].append("compute-1")
    cloud.placement.set(cloud.hypervisor, ours["uuid"])
    cloud.keep()
    assert cloud.candidates(C) == {1, 900}
    cloud.inventory.change(uid(1), lessee_project_id=None)
    cloud.keep()
    # No longer held to it, the project has its hypervisors as it had them before.
    assert cloud.candidates(C) is None
    assert cloud.nova.named(f"flocx-{C}")["hosts"] == ["compute-1"]
    assert cloud.placement.aggregates[uid(1)] == {cloud.nova.named(f"flocx-{A}")["uuid"]}


def test_a_name_that_is_somebody_elses_holds_up_that_project_alone(cloud):
    cloud.nova.add(f"flocx-{A}", hosts=["compute-1"])
    with pytest.raises(PlacementRefused, match=f"flocx-{A} is somebody else's"):
        cloud.keep()
    assert cloud.candidates(A) is None
    assert cloud.candidates(B) == {3}


def test_a_concurrent_change_of_a_node_is_neither_lost_nor_in_the_way(cloud):
    def interfere(method, path):
        if method == "PUT" and uid(1) in path and len(cloud.placement.aggregates[uid(1)]) < 3:
            cloud.placement.set(uid(1), *cloud.placement.aggregates[uid(1)], f"x{len(cloud.placement.calls)}")

    cloud.placement.meanwhile = interfere
    cloud.keep()
    assert cloud.candidates(A) == {1, 2}
    assert len(cloud.placement.aggregates[uid(1)]) == 4


def test_one_node_that_others_keep_changing_holds_up_its_project_and_no_other(cloud):
    def interfere(method, path):
        if method == "PUT" and uid(1) in path:
            cloud.placement.generations[uid(1)] += 1

    cloud.placement.meanwhile = interfere
    with pytest.raises(PlacementRefused, match=uid(1)):
        cloud.keep()
    assert (cloud.candidates(A), cloud.candidates(B)) == (None, {3})
    cloud.placement.meanwhile = lambda method, path: None
    cloud.keep()
    assert cloud.candidates(A) == {1, 2}


@pytest.mark.parametrize("status", [400, 500])
def test_one_node_that_is_refused_stops_no_other(cloud, status):
    path = f"/resource_providers/{uid(1)}/aggregates"
    cloud.placement.statuses["PUT", path] = status
    with pytest.raises(PlacementRefused, match=f"{path} is answered with HTTP {status}"):
        cloud.keep()
    assert cloud.candidates(B) == {3}
    assert cloud.placement.aggregates[uid(2)]


def test_a_node_whose_provider_goes_meanwhile_is_no_trouble(cloud):
    cloud.placement.statuses["GET", f"/resource_providers/{uid(1)}/aggregates"] = 404
    cloud.keep()
    assert cloud.candidates(A) == {2}


@pytest.mark.parametrize("service", ["placement", "compute"])
def test_nothing_there_ends_the_round_in_one_line_without_a_secret(cloud, service):
    cloud.wires[service].down = True
    with pytest.raises(PlacementUnavailable, match="does not answer") as failed:
        cloud.keep()
    assert "secret" not in failed.value.detail
    with pytest.raises(PlacementUnavailable):
        cloud.aggregates.check()
    cloud.wires[service].down = False
    cloud.aggregates.check()
    cloud.keep()
    assert cloud.candidates(A) == {1, 2}


@pytest.mark.parametrize("status", [401, 403, 503])
def test_where_nothing_can_be_changed_not_everything_is_tried(cloud, status):
    for n in (1, 2, 3):
        cloud.placement.statuses["PUT", f"/resource_providers/{uid(n)}/aggregates"] = status
    with pytest.raises(PlacementUnavailable, match=f"HTTP {status}"):
        cloud.keep()
    assert len([method for method, _ in cloud.placement.calls if method == "PUT"]) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"aggregates": [{}]}', b'{"resource_providers": [1]}'])
@pytest.mark.parametrize("service", ["placement", "nova"])
def test_what_answers_in_another_language_is_no_answer(cloud, service, body):
    getattr(cloud, service).page = body
    with pytest.raises(PlacementUnavailable, match=service):
        cloud.keep()


def test_an_inventory_that_does_not_answer_changes_nothing(cloud):
    cloud.keep()
    cloud.inventory.silent = True
    with pytest.raises(InventoryUnavailable):
        cloud.keep()
    assert cloud.candidates(A) == {1, 2}


class Killed(BaseException):
    """The process ends here."""


def test_a_round_that_is_killed_at_any_call_is_finished_by_the_next(cloud):
    def story(cloud):
        """What changes, round by round: a lease begins, another takes an owner's last node, both end."""
        yield
        cloud.inventory.change(uid(1), lessee_project_id=C)
        yield
        cloud.inventory.change(uid(3), lessee_project_id=C)
        yield
        cloud.inventory.change(uid(1), lessee_project_id=None)
        cloud.inventory.change(uid(3), lessee_project_id=None)
        yield

    def state(cloud):
        names = {one["uuid"]: one["name"] for one in cloud.nova.aggregates.values()}
        metadata = sorted((one["name"], sorted(one["metadata"].items())) for one in cloud.nova.aggregates.values())
        return metadata, {
            provider: sorted(names.get(one, one) for one in members)
            for provider, members in cloud.placement.aggregates.items()
        }

    undisturbed = Cloud()
    expected = []
    for _ in story(undisturbed):
        undisturbed.keep()
        expected.append(state(undisturbed))

    for killed_at in range(1, 40):
        cloud, calls = Cloud(), 0

        def count(method, path, killed_at=killed_at):
            nonlocal calls
            calls += 1
            if calls == killed_at:
                raise Killed

        cloud.nova.meanwhile = cloud.placement.meanwhile = count
        for _, wanted in zip(story(cloud), expected, strict=True):
            try:
                cloud.keep()
            except Killed:
                cloud.keep()
            assert state(cloud) == wanted, killed_at
    assert calls >= 39


def test_two_managers_at_once_come_to_the_same(cloud):
    other = cloud.connected()
    raced = []

    def race(method, path):
        if method == "POST" and not raced:
            raced.append(path)
            keep_aggregates(inventory=cloud.inventory, placement=other)

    cloud.nova.meanwhile = race
    cloud.keep()
    assert raced
    assert (cloud.candidates(A), cloud.candidates(B)) == ({1, 2}, {3})
    assert len(cloud.nova.aggregates) == 2
