# SPDX-License-Identifier: Apache-2.0
"""What the plugin writes into FLOCX's configuration: options that exist, with values that the services take."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest
from keystoneauth1 import loading
from keystonemiddleware.auth_token import AUTH_TOKEN_OPTS
from oslo_config import cfg
from oslo_log import log

from flocx_market import bootstrap as market_bootstrap
from flocx_market.conf import opts as market_opts
from flocx_provider import bootstrap as provider_bootstrap
from flocx_provider.conf import opts as provider_opts
from nova_filters.conf import list_opts as filter_opts
from tests.data import CHECKOUT
from tests.unit.devstack.stack import CLOUD, EVERYTHING, PASSWORD, PROVIDER, STACK

SERVICES = {
    "market": (market_opts, market_bootstrap),
    "provider": (provider_opts, provider_bootstrap),
}
#: Groups whose credentials the chosen auth_type names.
CREDENTIALS = ("market", "ironic", "nova", "keystone_authtoken")


def options(service):
    """Return the names of all options that a service reads, by group."""
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    SERVICES[service][0].register(conf)
    names = {group: set(conf[group]) for group in conf._groups}
    names["DEFAULT"] = {name for name in conf if name not in names}
    names["keystone_authtoken"] = {option.dest for _, group in AUTH_TOKEN_OPTS for option in group}
    password = {option.dest for option in loading.get_auth_plugin_conf_options("password")}
    common = {option.dest for option in loading.get_auth_common_conf_options()}
    for group in CREDENTIALS:
        if group in names:
            names[group] |= password | common
    return names


@pytest.mark.parametrize("driver", ["ironic", "static"])
@pytest.mark.parametrize("extra", [(), ("tls-proxy",)], ids=["plain", "tls"])
def test_every_option_that_is_set_exists_in_the_service_that_reads_it(stack, driver, extra):
    machine = stack(services=(*EVERYTHING, *CLOUD, *extra), variables={"FLOCX_PROVIDER_DRIVER": driver})
    machine.run(*STACK)
    seen = set()
    for service in SERVICES:
        known = options(service)
        for name, file, group, option, *_ in machine.calls("iniset", "iniset_multiline"):
            if file == str(machine.conf_dir / f"flocx-{service}.conf"):
                assert option in known[group], f"{name} {service} [{group}] {option}"
                seen.add((service, group))
    assert {("market", "database"), ("provider", "market"), ("provider", driver)} <= seen


@pytest.mark.parametrize("service", SERVICES)
def test_the_services_read_their_configuration_back_as_it_was_meant(stack, service):
    machine = stack(variables={"FLOCX_PROVIDER_NAME": "hall-a"})
    machine.run(*STACK)
    path = machine.conf_dir / f"flocx-{service}.conf"
    # The journal is systemd's and needs a library of its own, which DevStack installs.
    path.write_text(path.read_text().replace("use_journal = True", ""))
    conf = SERVICES[service][1].configuration(["--config-file", str(path)])
    assert conf.api.auth_strategy == "keystone"
    assert conf.api.public_endpoint == f"http://192.0.2.7/baremetal-{service}"
    assert conf.database.connection == f"mysql+pymysql://root:secret@127.0.0.1/flocx_{service}?charset=utf8"
    assert conf.debug is True
    if service == "provider":
        assert (conf.provider.name, conf.provider.driver) == ("hall-a", "ironic")
        for group, user in (("market", "flocx-provider"), ("ironic", "flocx-provider"), ("nova", "flocx-nova")):
            loading.load_auth_from_conf_options(conf, group)
            values = conf[group]
            assert (values.auth_type, values.username, values.password) == ("password", user, PASSWORD)
            assert (values.project_name, values.user_domain_name) == ("service", "Default")
            assert (values.auth_url, values.region_name) == ("http://192.0.2.7/identity", "RegionOne")


def test_service_tokens_are_taken_from_the_service_role_alone(stack):
    machine = stack()
    machine.run(*STACK)
    for service in SERVICES:
        written = machine.written(machine.conf_dir / f"flocx-{service}.conf")["keystone_authtoken"]
        assert (written["service_token_roles"], written["service_token_roles_required"]) == ("service", "True")
        assert written["username"] == f"flocx-{service}"


def test_the_sample_is_what_the_configuration_is_made_from(stack):
    machine = stack()
    machine.run(*STACK)
    text = (machine.conf_dir / "flocx-provider.conf").read_text()
    assert "# Seconds that each node needs between two contracts" in text
    calls = machine.calls("oslo-config-generator")
    assert [Path(call[2]).parent.name for call in calls] == ["flocx-market", "flocx-provider"]
    assert all(Path(call[2]).exists() for call in calls)


def test_postgresql_is_spoken_to_with_the_driver_that_flocx_comes_with(stack):
    machine = stack(database_url="postgresql://root:secret@127.0.0.1")
    machine.run(*STACK)
    written = machine.written(machine.conf_dir / "flocx-market.conf")["database"]
    assert written["connection"] == "postgresql+psycopg://root:secret@127.0.0.1/flocx_market?charset=utf8"


def test_with_tls_each_login_knows_devstacks_certificate_authority(stack):
    machine = stack(services=(*EVERYTHING, *CLOUD, "tls-proxy"))
    machine.run(*STACK)
    written = machine.written(machine.conf_dir / "flocx-provider.conf")
    for group in ("market", "ironic", "nova"):
        assert written[group]["cafile"] == str(machine.root / "data" / "ca-bundle.pem")


def test_without_ironic_the_provider_serves_the_sample_inventory(stack):
    machine = stack(services=(*EVERYTHING, "key"))
    machine.run(*STACK)
    written = machine.written(machine.conf_dir / "flocx-provider.conf")
    assert written["provider"]["driver"] == "static"
    inventory = Path(written["static"]["inventory_file"])
    assert inventory.read_text() == (CHECKOUT / "etc" / "flocx-provider" / "inventory.yaml").read_text()
    assert not {"auth_type"} & set(written.get("ironic", {}))


def test_an_inventory_of_ones_own_is_left_alone(stack, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("[]\n")
    machine = stack(services=PROVIDER, variables={"FLOCX_INVENTORY_FILE": str(own)})
    machine.run(*STACK)
    assert own.read_text() == "[]\n"


def test_without_nova_no_servers_are_deleted_through_it(stack):
    machine = stack(services=(*EVERYTHING, "key", "ir-api"))
    machine.run(*STACK)
    written = machine.written(machine.conf_dir / "flocx-provider.conf")
    assert "auth_type" in written["ironic"]
    assert "auth_type" not in written.get("nova", {})
    assert ("create_service_user", "flocx-nova", "admin") not in machine.calls()


@pytest.mark.parametrize("service", SERVICES)
def test_uwsgi_serves_the_module_with_its_configuration_and_threads_to_spare(stack, service):
    machine = stack()
    machine.run(*STACK)
    uwsgi = machine.conf_dir / f"flocx-{service}-uwsgi.ini"
    (call,) = [call for call in machine.calls("write_uwsgi_config") if call[1] == str(uwsgi)]
    module, _, application = call[2].partition(":")
    found = importlib.util.find_spec(module)
    assert found is not None
    assigned = [
        name.id
        for statement in ast.walk(ast.parse(Path(found.origin).read_text()))
        if isinstance(statement, ast.Name) and isinstance((name := statement).ctx, ast.Store)
    ]
    assert application in assigned
    assert call[3:] == (f"/baremetal-{service}", "", f"flocx-{service}-api")
    lines = uwsgi.read_text().splitlines()
    assert f"env = FLOCX_{service.upper()}_CONFIG={machine.conf_dir}/flocx-{service}.conf" in lines
    shared = machine.root / "data" / "flocx" / "metrics" / f"flocx-{service}"
    assert f"env = PROMETHEUS_MULTIPROC_DIR={shared}" in lines
    assert shared.is_dir()
    conf = cfg.ConfigOpts()
    SERVICES[service][0].register(conf)
    conf([])
    (threads,) = [line for line in lines if line.startswith("threads = ")]
    assert int(threads.removeprefix("threads = ")) > conf.api.max_long_polls


def test_the_environment_variable_is_the_one_that_the_module_reads():
    for service in SERVICES:
        text = (CHECKOUT / f"flocx_{service}" / "wsgi" / "api.py").read_text()
        assert f'"FLOCX_{service.upper()}_CONFIG"' in text


def test_the_credentials_of_the_filter_are_options_of_the_filter(stack):
    machine = stack()
    machine.nova_conf.write_text("[filter_scheduler]\n")
    machine.run(*STACK)
    ((group, known),) = filter_opts()
    written = machine.written(machine.nova_conf)[group]
    assert set(written) <= {option.dest for option in known}
    assert (written["username"], written["password"]) == ("flocx-provider", PASSWORD)


def test_every_variable_of_the_settings_is_in_the_readme():
    settings = (CHECKOUT / "devstack" / "settings").read_text().splitlines()
    names = {line.partition("=")[0] for line in settings if line.startswith("FLOCX_")}
    assert len(names) > 10
    readme = (CHECKOUT / "devstack" / "README.rst").read_text()
    assert {name for name in names if f"``{name}``" not in readme} == set()


def test_every_variable_of_the_settings_can_be_set_in_local_conf(stack):
    settings = (CHECKOUT / "devstack" / "settings").read_text().splitlines()
    for line in settings:
        name, assigned, value = line.partition("=")
        if assigned and name.startswith("FLOCX_"):
            assert value.startswith(f"${{{name}:-"), line
