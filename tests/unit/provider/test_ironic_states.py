# SPDX-License-Identifier: Apache-2.0
import pytest

from flocx_provider.drivers.ironic_hardware import hardware_document
from flocx_provider.drivers.ironic_states import busy_with, deployed, problem_of

SERVER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def node(**fields):
    """A node that is fit for use and idle."""
    idle = {"provision_state": "available", "power_state": "power off", "maintenance": False, "fault": None}
    return {**idle, "instance_uuid": None, **fields}


@pytest.mark.parametrize("power", ["power on", "power off", "rebooting"])
def test_a_node_is_fit_for_use_whether_it_is_powered_or_not(power):
    assert problem_of(node(power_state=power)) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"maintenance": True}, "maintenance"),
        ({"fault": "power failure"}, "fault: power failure"),
        ({"power_state": None}, "power state is not known"),
        ({"power_state": "error"}, "power state is error"),
        ({"provision_state": "manageable"}, "provision state is manageable"),
        ({"provision_state": "enroll"}, "provision state is enroll"),
        ({"provision_state": "clean failed"}, "provision state is clean failed"),
        ({"provision_state": "inspecting"}, "provision state is inspecting"),
        ({"provision_state": "adopt failed"}, "provision state is adopt failed"),
        ({"provision_state": "error"}, "provision state is error"),
        ({"provision_state": "a state of the future"}, "provision state is a state of the future"),
    ],
)
def test_a_node_that_is_not_fit_for_use_says_why(fields, words):
    assert words in problem_of(node(**fields))


def test_what_is_told_to_the_market_names_no_address():
    told = problem_of(node(maintenance=True, maintenance_reason="BMC 10.0.0.7 is gone", last_error="10.0.0.7"))
    assert "10.0.0.7" not in told


@pytest.mark.parametrize("state", ["active", "deploying", "wait call-back", "deploy failed", "rescue", "error"])
def test_a_node_with_something_on_it_is_deployed(state):
    assert deployed(node(provision_state=state))
    assert busy_with(node(provision_state=state)) is None


@pytest.mark.parametrize("state", ["active", "deploying", "cleaning", "deleting", "clean wait"])
def test_a_node_in_the_middle_of_a_contract_or_of_its_return_is_no_trouble(state):
    assert problem_of(node(provision_state=state)) is None


def test_a_node_that_is_reserved_for_an_instance_is_deployed():
    assert deployed(node(instance_uuid=SERVER))
    assert not deployed(node())


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("deleting", "undeployed"),
        ("cleaning", "cleaned"),
        ("clean wait", "cleaned"),
        ("clean failed", "cleaning has failed"),
    ],
)
def test_a_node_on_its_way_back_is_busy_and_not_deployed_any_more(state, words):
    returning = node(provision_state=state, instance_uuid=SERVER)
    assert words in busy_with(returning)
    assert not deployed(returning)


def test_the_hardware_document_has_numbers_one_spelling_capabilities_and_traits():
    given = {
        "properties": {
            "cpus": "32",
            "memory_mb": "65536",
            "local_gb": 512,
            "cpu_arch": "amd64",
            "capabilities": "boot_mode:uefi, raid:1,plain",
            "serial": "123",
            "project_id": "p",
        },
        "traits": ["CUSTOM_B", "CUSTOM_A"],
        "resource_class": "gold",
    }
    assert hardware_document(given, {"inventory": {"cpu": {"count": 32}}}, {"project_id"}) == {
        "cpus": 32,
        "memory_mb": 65536,
        "local_gb": 512,
        "cpu_arch": "x86_64",
        "capabilities": {"boot_mode": "uefi", "raid": "1", "plain": ""},
        "serial": "123",
        "resource_class": "gold",
        "traits": ["CUSTOM_A", "CUSTOM_B"],
        "inventory": {"cpu": {"count": 32}},
    }


@pytest.mark.parametrize("properties", [None, [], "text", {}])
def test_a_node_with_odd_properties_has_a_document_all_the_same(properties):
    document = hardware_document({"properties": properties, "traits": None}, None, set())
    assert document == {"resource_class": None, "traits": []}


@pytest.mark.parametrize("odd", ["1e9999", "٣٢", "-1", "", "9" * 30, True, None, [1]])
def test_a_number_that_is_none_stays_as_it_is(odd):
    assert hardware_document({"properties": {"cpus": odd}}, None, set())["cpus"] == odd
