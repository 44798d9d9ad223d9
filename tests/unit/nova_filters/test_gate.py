# SPDX-License-Identifier: Apache-2.0
"""One request of the scheduler: who is refused what, on how fresh a knowledge, and what the log says."""

import logging
import time

import pytest

from flocx_common.domain.holders import Holders
from nova_filters.gate import Gate
from nova_filters.lookup import LookUpFailed, NodeLookup
from tests.builders import uid


class Cloud:
    """Nodes and a gate before them."""

    def __init__(self, max_age=60):
        self.nodes = {}
        self.reads = 0
        self.down = False
        self.gate = Gate(NodeLookup(self.read, max_age=max_age))

    def read(self):
        self.reads += 1
        if self.down:
            raise LookUpFailed("Ironic is away")
        return dict(self.nodes)

    def refused(self, project, *uuids):
        return self.gate.refusals(uuids, project, server="s-1")


@pytest.fixture
def cloud():
    return Cloud()


def held(owner=None, lessee=None, conflict=None):
    return Holders(owner, lessee, None, conflict)


@pytest.mark.parametrize(
    ("holders", "reason"),
    [
        (held("us"), None),
        (held("them", "us"), None),
        (held(None, "us"), None),
        (held("us", "them"), "handed over to a lessee"),
        (held("them", "others"), "handed over to another project"),
        (held("them"), "neither owns"),
        (held(), "neither owns"),
        (held("us", "us", "owner: two projects"), "contradicts itself"),
        (None, "Ironic does not list"),
    ],
)
def test_a_node_is_refused_to_whom_it_is_not_and_says_why(cloud, holders, reason):
    cloud.nodes = {} if holders is None else {uid(1): holders}
    refused = cloud.refused("us", uid(1))
    assert list(refused) == ([] if reason is None else [uid(1)])
    assert reason is None or reason in refused[uid(1)]


def test_the_case_of_a_uuid_does_not_matter(cloud):
    cloud.nodes = {uid(0xAB): held("us")}
    assert cloud.refused("us", uid(0xAB).upper()) == {}


@pytest.mark.parametrize("project", [None, ""])
def test_a_request_without_a_project_is_refused_without_a_look_up(cloud, project):
    cloud.nodes = {uid(1): held(project)}
    assert cloud.refused(project, uid(1)) == {uid(1): "the request names no project"}
    assert cloud.reads == 0


def test_what_is_granted_costs_no_look_up_while_the_last_one_is_young(cloud):
    cloud.nodes = {uid(1): held("us")}
    for _ in range(3):
        assert cloud.refused("us", uid(1)) == {}
    assert cloud.reads == 1


def test_a_lease_that_has_just_begun_works_at_once(cloud):
    cloud.nodes = {uid(1): held("them")}
    assert cloud.refused("us", uid(1))
    cloud.nodes = {uid(1): held("them", "us")}
    assert cloud.refused("us", uid(1)) == {}
    assert cloud.reads == 2


def test_a_request_looks_up_once_however_many_nodes_are_refused(cloud):
    cloud.nodes = {uid(n): held("them") for n in range(20)}
    for request in range(1, 4):
        assert len(cloud.refused("us", *cloud.nodes)) == 20
        assert cloud.reads == request


def test_a_refusal_decides_on_the_newest_for_all_nodes_of_the_request(cloud):
    cloud.nodes = {uid(1): held("them", "us"), uid(2): held("them")}
    cloud.refused("us", uid(1))
    cloud.nodes = {uid(1): held("them"), uid(2): held("them", "us")}
    assert set(cloud.refused("us", uid(1), uid(2))) == {uid(1)}


def test_without_an_answer_every_node_is_refused(cloud):
    cloud.nodes = {uid(1): held("us")}
    cloud.down = True
    assert cloud.refused("us", uid(1)) == {uid(1): "the nodes cannot be looked up now"}


def test_when_a_second_look_fails_nothing_is_granted_on_the_first(cloud):
    cloud.nodes = {uid(1): held("us"), uid(2): held("them")}
    cloud.refused("us", uid(1))
    cloud.down = True
    assert set(cloud.refused("us", uid(1), uid(2))) == {uid(1), uid(2)}


def test_every_refused_node_is_in_the_log_with_its_reason_and_no_other_project(cloud, caplog):
    cloud.nodes = {uid(n): held("owner-x", "lessee-y") for n in range(120)} | {uid(500): held("owner-x")}
    with caplog.at_level(logging.INFO):
        refused = cloud.refused("us", *cloud.nodes)
    assert len(refused) == 121
    lines = [record.message for record in caplog.records if record.levelname == "INFO"]
    assert len(lines) == 4
    for uuid, reason in refused.items():
        (line,) = [line for line in lines if uuid in line]
        assert line.endswith(reason)
        assert "us" in line
        assert "s-1" in line
    assert "owner-x" not in caplog.text
    assert "lessee-y" not in caplog.text


def test_nothing_is_logged_of_what_is_granted(cloud, caplog):
    cloud.nodes = {uid(1): held("us")}
    with caplog.at_level(logging.DEBUG):
        cloud.refused("us", uid(1))
    assert not caplog.records


def test_ten_thousand_nodes_are_judged_in_the_time_of_a_few(cloud):
    cloud.nodes = {uid(n): held("them") for n in range(10_000)}
    began = time.process_time()
    assert len(cloud.refused("us", *cloud.nodes)) == 10_000
    assert time.process_time() - began < 2
    assert cloud.reads == 1
