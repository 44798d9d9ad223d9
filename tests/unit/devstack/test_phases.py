# SPDX-License-Identifier: Apache-2.0
"""What the plugin does in each phase, in order, with every choice of services."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

from flocx_provider.cmd.identity_plan import SERVICES
from tests.data import CHECKOUT
from tests.unit.devstack.stack import (
    CLEAN,
    CLOUD,
    EVERYTHING,
    MARKET,
    PASSWORD,
    PLUGIN,
    PROVIDER,
    STACK,
    STAND_INS,
    UNSTACK,
)

SUBSETS = [subset for size in range(len(EVERYTHING) + 1) for subset in itertools.combinations(EVERYTHING, size)]


def named(call):
    """Return a call without what only says where files are."""
    return " ".join(call[:2])


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_scripts_are_clean_by_shellcheck():
    scripts = [PLUGIN / "plugin.sh", PLUGIN / "settings", *sorted((PLUGIN / "lib").iterdir()), STAND_INS]
    checked = subprocess.run(
        ["shellcheck", "--external-sources", *scripts], capture_output=True, text=True, check=False, cwd=CHECKOUT
    )
    assert checked.returncode == 0, checked.stdout


def test_install_puts_the_checkout_with_what_both_services_need_under_devstacks_constraints(stack):
    machine = stack()
    machine.run("stack install")
    (call,) = machine.calls("pip_install")
    target = f"{machine.root}/dest/flocx"
    assert call == ("pip_install", "-e", f"{target}[mysql,postgresql,openstack,cli,market,provider]")


@pytest.mark.parametrize(("services", "missing"), [(MARKET, "provider"), (PROVIDER, "market")])
def test_install_leaves_out_the_service_that_does_not_run_here(stack, services, missing):
    machine = stack(services=(*services, *CLOUD))
    machine.run("stack install")
    (call,) = machine.calls("pip_install")
    assert missing not in call[2].partition("[")[2]


def test_stack_does_everything_in_the_order_that_devstack_needs(stack):
    machine = stack()
    machine.run(*STACK)
    shown = {
        phase: [named(call) for call in calls if call[0] not in ("iniset", "iniset_multiline", "echo_summary")]
        for phase, calls in machine.phases()
    }
    conf = machine.conf_dir
    assert shown["stack install"] == ["pip_install -e"]
    assert shown["stack post-config"] == [
        "database_connection_url flocx_market",
        "oslo-config-generator --config-file",
        f"setup_logging {conf}/flocx-market.conf",
        f"configure_keystone_authtoken_middleware {conf}/flocx-market.conf",
        f"write_uwsgi_config {conf}/flocx-market-uwsgi.ini",
        "database_connection_url flocx_provider",
        "oslo-config-generator --config-file",
        f"setup_logging {conf}/flocx-provider.conf",
        f"configure_keystone_authtoken_middleware {conf}/flocx-provider.conf",
        f"write_uwsgi_config {conf}/flocx-provider-uwsgi.ini",
        "get_or_create_role reader",
        "get_or_create_role member",
        "get_or_create_role manager",
        "get_or_create_role service",
        "create_service_user flocx-market",
        "get_or_add_user_system_role reader",
        "get_or_create_service flocx-market",
        "get_or_create_endpoint baremetal-market",
        "create_service_user flocx-provider",
        "get_or_add_user_system_role reader",
        "get_or_create_service flocx-provider",
        "get_or_create_endpoint baremetal-provider",
        "create_service_user flocx-nova",
    ]
    assert shown["stack extra"] == [
        "recreate_database flocx_market",
        "flocx-market-manage --config-file",
        "recreate_database flocx_provider",
        "flocx-provider-manage --config-file",
        "run_process flocx-market-api",
        "run_process flocx-market-manager",
        "run_process flocx-provider-api",
        "run_process flocx-provider-manager",
    ]
    assert shown["stack test-config"] == ["wait_for_service 60", "wait_for_service 60"]


def test_services_run_with_absolute_paths_and_their_own_configuration(stack):
    machine = stack()
    machine.run(*STACK)
    commands = {call[1]: call[2] for call in machine.calls("run_process")}
    programs, conf = machine.root / "bin", machine.conf_dir
    assert commands == {
        "flocx-market-api": f"{programs}/uwsgi --procname-prefix flocx-market-api --ini {conf}/flocx-market-uwsgi.ini",
        "flocx-market-manager": f"{programs}/flocx-market-manager --config-file {conf}/flocx-market.conf",
        "flocx-provider-api": f"{programs}/uwsgi --procname-prefix flocx-provider-api "
        f"--ini {conf}/flocx-provider-uwsgi.ini",
        "flocx-provider-manager": f"{programs}/flocx-provider-manager --config-file {conf}/flocx-provider.conf",
    }
    synced = machine.calls("flocx-market-manage", "flocx-provider-manage")
    assert [call[1:] for call in synced] == [
        ("--config-file", f"{conf}/flocx-{service}.conf", "db", "sync") for service in ("market", "provider")
    ]


def test_the_catalog_has_both_services_with_public_and_internal_endpoints(stack):
    machine = stack()
    machine.run(*STACK)
    assert {call[1]: call[2] for call in machine.calls("get_or_create_service")} == SERVICES
    assert machine.calls("get_or_create_endpoint") == [
        _endpoint("baremetal-market"),
        _endpoint("baremetal-provider"),
    ]


def test_the_services_see_the_names_of_projects(stack):
    machine = stack()
    machine.run(*STACK)
    assert machine.calls("get_or_add_user_system_role") == [
        ("get_or_add_user_system_role", "reader", user, "all", "Default") for user in ("flocx-market", "flocx-provider")
    ]


def _endpoint(service_type):
    url = f"http://192.0.2.7/{service_type}"
    return ("get_or_create_endpoint", service_type, "RegionOne", url, "", url)


def test_only_the_user_that_deletes_servers_in_nova_is_an_admin(stack):
    machine = stack()
    machine.run(*STACK)
    assert machine.calls("create_service_user") == [
        ("create_service_user", "flocx-market"),
        ("create_service_user", "flocx-provider"),
        ("create_service_user", "flocx-nova", "admin"),
    ]


def test_a_machine_without_keystone_makes_no_accounts(stack):
    machine = stack(services=(*EVERYTHING, "ir-api"))
    machine.run(*STACK)
    assert not machine.calls("create_service_user", "get_or_create_service", "get_or_create_role")


def test_unstack_stops_managers_before_apis_and_leaves_every_file(stack):
    machine = stack()
    machine.run(*STACK)
    before = machine.files()
    machine.run(*UNSTACK)
    assert machine.files() == before
    assert [call[1] for call in machine.calls("stop_process")] == [
        "flocx-provider-manager",
        "flocx-market-manager",
        "flocx-provider-api",
        "flocx-market-api",
    ]


@pytest.mark.parametrize("services", SUBSETS, ids=lambda subset: "+".join(subset) or "none")
def test_every_choice_of_services_sets_up_what_it_needs_and_clean_takes_all_of_it_away(stack, services):
    machine = stack(services=(*services, *CLOUD))
    before = machine.files()
    machine.run(*STACK)
    apis = [name for name in services if name.endswith("-api")]
    sides = {name.split("-")[1] for name in services}
    assert {path.name for path in machine.conf_dir.glob("*.conf")} == {f"flocx-{side}.conf" for side in sides}
    assert {path.name for path in machine.conf_dir.glob("*.ini")} == {
        f"{name.removesuffix('-api')}-uwsgi.ini" for name in apis
    }
    assert {call[1] for call in machine.calls("recreate_database")} == {
        name.removesuffix("-api").replace("-", "_") for name in apis
    }
    assert {call[1] for call in machine.calls("get_or_create_service")} == {f"flocx-{side}" for side in sides}
    assert len(machine.calls("wait_for_service")) == len(apis)
    assert ("FlocxContractFilter" in machine.nova_conf.read_text()) == ("provider" in sides)
    assert ("rbac_service_role_elevated_access" in machine.ironic_conf.read_text()) == ("provider" in sides)
    if not services:
        assert not [call for call in machine.calls() if call[0] not in ("phase", "define_plugin", "enable_service")]
    machine.run(*UNSTACK, *CLEAN)
    assert machine.files() == before
    assert not (machine.root / "data" / "flocx").exists()


def test_stack_again_asks_for_the_same_and_changes_no_file(stack):
    machine = stack()
    machine.run(*STACK)
    once, files = machine.calls(), machine.files()
    machine.run(*STACK)
    # What neighbours have already is not set again; all else is the same.
    kept = [call for call in once if not {"enabled_filters", "available_filters"} & set(call)]
    assert machine.calls()[len(once) :] == kept
    assert machine.files() == files


def test_clean_again_does_no_harm(stack):
    machine = stack()
    before = machine.files()
    machine.run(*STACK, *UNSTACK, *CLEAN, *UNSTACK, *CLEAN)
    assert machine.files() == before


def test_an_api_that_does_not_become_ready_ends_stack_with_its_url(stack):
    machine = stack()
    machine.variables["NOT_READY"] = "1"
    printed = machine.run(*STACK, fails=True)
    assert "flocx-market-api is not ready: http://192.0.2.7/baremetal-market/readyz says why" in printed


def test_no_password_is_on_a_command_line_or_printed(stack):
    machine = stack()
    printed = machine.run(*STACK, *UNSTACK)
    assert PASSWORD not in printed
    assert not [call for call in machine.calls() if PASSWORD in " ".join(call) and call[0] != "iniset"]


def test_configuration_is_for_its_owner_alone(stack):
    machine = stack()
    machine.run(*STACK)
    for name in ("flocx-market.conf", "flocx-provider.conf"):
        assert (machine.conf_dir / name).stat().st_mode & 0o777 == 0o600
