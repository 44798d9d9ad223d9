# SPDX-License-Identifier: Apache-2.0
"""What the plugin changes in Nova's and Ironic's configuration, and gives back."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from tests.unit.devstack.stack import CLEAN, CLOUD, EVERYTHING, MARKET, STACK, UNSTACK

FILTER = "nova_filters.contract_filter.FlocxContractFilter"
DEFAULT_FILTERS = (
    "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,"
    "ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter"
)
IRONIC = "[ironic]\nauth_type = password\n"


def values(path, option):
    """Return the values of an option in [filter_scheduler], a line each."""
    lines = path.read_text().splitlines()
    return [line.removeprefix(f"{option} = ") for line in lines if line.startswith(f"{option} = ")]


def test_the_filter_is_a_class_of_that_module():
    module, _, name = FILTER.rpartition(".")
    found = importlib.util.find_spec(module)
    assert found is not None
    tree = ast.parse(Path(found.origin).read_text())
    assert name in [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def test_the_filter_joins_those_that_are_enabled(stack):
    machine = stack()
    machine.nova_conf.write_text(f"[filter_scheduler]\nenabled_filters = ComputeFilter,SameHostFilter\n{IRONIC}")
    machine.run(*STACK, *STACK)
    assert values(machine.nova_conf, "enabled_filters") == ["ComputeFilter,SameHostFilter,FlocxContractFilter"]
    assert values(machine.nova_conf, "available_filters") == ["nova.scheduler.filters.all_filters", FILTER]


def test_where_nova_says_nothing_the_filter_joins_novas_defaults(stack):
    machine = stack()
    machine.run(*STACK)
    assert values(machine.nova_conf, "enabled_filters") == [f"{DEFAULT_FILTERS},FlocxContractFilter"]


@pytest.mark.parametrize(
    "before",
    [
        "[filter_scheduler]\nenabled_filters = ComputeFilter,SameHostFilter\n",
        "[filter_scheduler]\nenabled_filters = SameHostFilter\navailable_filters = my.own.Filter\n",
        "[filter_scheduler]\navailable_filters = nova.scheduler.filters.all_filters\navailable_filters = my.own.Filter\n",
    ],
    ids=["enabled", "both", "available"],
)
@pytest.mark.parametrize("ironic", [IRONIC, "[flocx_filter]\n"], ids=["with [ironic]", "without"])
def test_clean_gives_novas_filters_back(stack, before, ironic):
    machine = stack()
    machine.nova_conf.write_text(before + ironic)
    machine.run(*STACK, *STACK)
    assert "FlocxContractFilter" in machine.nova_conf.read_text()
    machine.run(*UNSTACK, *CLEAN)
    for option in ("enabled_filters", "available_filters"):
        wanted = [line.partition(" = ")[2] for line in before.splitlines() if line.startswith(option)]
        assert values(machine.nova_conf, option) == wanted
    assert "flocx-provider" not in machine.nova_conf.read_text()


def test_filters_that_others_have_added_since_stay_at_clean(stack):
    machine = stack()
    machine.nova_conf.write_text(f"[filter_scheduler]\nenabled_filters = ComputeFilter\n{IRONIC}")
    machine.run(*STACK)
    text = machine.nova_conf.read_text()
    machine.nova_conf.write_text(text.replace(",FlocxContractFilter", ",FlocxContractFilter,LaterFilter"))
    machine.run(*UNSTACK, *CLEAN)
    assert values(machine.nova_conf, "enabled_filters") == ["ComputeFilter,LaterFilter"]


def test_novas_own_way_to_ironic_is_used_where_there_is_one(stack):
    machine = stack()
    machine.run(*STACK)
    assert "flocx_filter" not in machine.written(machine.nova_conf)


def test_credentials_of_the_filter_that_are_not_ours_stay_at_clean(stack):
    machine = stack()
    machine.nova_conf.write_text(f"[filter_scheduler]\n[flocx_filter]\nauth_type = password\nusername = mine\n{IRONIC}")
    machine.run(*STACK, *UNSTACK, *CLEAN)
    assert machine.written(machine.nova_conf)["flocx_filter"] == {"auth_type": "password", "username": "mine"}


@pytest.mark.parametrize(
    ("services", "variables", "wanted"),
    [
        ((*EVERYTHING, *CLOUD), {}, True),
        ((*EVERYTHING, *CLOUD), {"FLOCX_NOVA_FILTER": "False"}, False),
        ((*EVERYTHING, "key", "n-sch"), {}, False),
        ((*EVERYTHING, "key", "ir-api"), {}, False),
        ((*MARKET, *CLOUD), {}, False),
        # The provider runs on another machine than the scheduler.
        ((*MARKET, *CLOUD), {"FLOCX_NOVA_FILTER": "True"}, True),
        ((*EVERYTHING, *CLOUD), {"FLOCX_PROVIDER_DRIVER": "static"}, False),
    ],
)
def test_the_filter_is_enabled_where_the_scheduler_is_and_the_nodes_come_from_ironic(
    stack, services, variables, wanted
):
    machine = stack(services=services, variables=variables)
    machine.run(*STACK)
    assert ("FlocxContractFilter" in machine.nova_conf.read_text()) == wanted


def test_ironic_shows_its_nodes_to_the_service_role(stack):
    machine = stack()
    machine.run(*STACK)
    assert machine.written(machine.ironic_conf)["DEFAULT"]["rbac_service_role_elevated_access"] == "True"


@pytest.mark.parametrize("before", ["", "rbac_service_role_elevated_access = False\n"], ids=["unset", "False"])
def test_clean_gives_ironic_its_access_rule_back_however_often_was_stacked(stack, before):
    machine = stack()
    machine.ironic_conf.write_text(f"[DEFAULT]\n{before}debug = True\n")
    written = machine.written(machine.ironic_conf)
    machine.run(*STACK, *STACK, *UNSTACK, *CLEAN)
    assert machine.written(machine.ironic_conf) == written


def test_a_plugin_that_comes_before_ironics_says_so(stack):
    machine = stack()
    machine.ironic_conf.unlink()
    printed = machine.run("stack install", "stack post-config", fails=True)
    assert "enable_plugin ironic comes before enable_plugin flocx" in printed


def test_an_ironic_elsewhere_is_not_configured_here(stack):
    machine = stack(services=(*EVERYTHING, "key"), variables={"FLOCX_PROVIDER_DRIVER": "ironic"})
    machine.ironic_conf.unlink()
    machine.run(*STACK)
    assert not machine.ironic_conf.exists()
