# SPDX-License-Identifier: Apache-2.0
"""The documentation against the code: nothing that users meet is missing from it, and what it shows is so."""

from __future__ import annotations

import configparser
import importlib.util
import re
import subprocess
import sys
from configparser import ConfigParser
from decimal import Decimal
from importlib.metadata import entry_points
from types import SimpleNamespace

import pytest
from oslo_config import cfg

from flocx_common.api.users_file import UsersFile
from flocx_common.api.values import time_from
from flocx_market import bootstrap
from flocx_market.conf import opts as market_opts
from flocx_market.manager.tasks import market_jobs
from flocx_market.offline.run import clear_books
from flocx_provider.conf import opts as provider_opts
from flocx_provider.drivers.inventory_file import InventoryFile, InventoryMapping
from flocx_provider.manager.tasks import Intervals, provider_jobs
from tests.unit import documented
from tests.unit.documented import ROOT, SOURCE, blocks, page, prose

SERVICES = {"market": market_opts, "provider": provider_opts}
EXAMPLES = SOURCE / "examples"


def registered(service):
    """Return the names of all options that a service registers, by group."""
    conf = cfg.ConfigOpts()
    SERVICES[service].register(conf)
    return {group: set(conf[group]) for group in conf._groups}


def literals(text):
    """Return every piece of a page that is written as a literal."""
    return set(re.findall(r"``([^`]+)``", text))


@pytest.mark.skipif(importlib.util.find_spec("sphinx") is None, reason="sphinx is not installed")
def test_the_pages_build_without_a_warning_and_every_link_leads_somewhere(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q", "-E"]
    built = subprocess.run(
        [*command, "-b", "dummy", "-d", tmp_path / "doctrees", SOURCE, tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr


def test_every_generated_file_is_included_or_shown_by_a_page():
    text = prose() + "".join(t for name, t in documented.generate.files().items() if name.endswith(".txt"))
    for name in documented.generate.files():
        assert f"_generated/{name}" in text, f"{name} is made and shown nowhere"


def test_every_error_code_of_the_code_has_a_row():
    sources = [
        path
        for package in ("flocx_common", "flocx_market", "flocx_provider")
        for path in (ROOT / package).rglob("*.py")
    ]
    written = {code for path in sources for code in re.findall(r'"(flocx\.[a-z]+\.[a-z_]+)"', path.read_text())}
    assert len(written) > 40
    # In a fresh interpreter: a class is in the table because the generator looks for it, not because a test has.
    made = subprocess.run(
        [sys.executable, "-c", "from flocx_docs import error_table; print(error_table.page())"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "doc" / "ext",
    )
    table = made.stdout
    missing = {code for code in written if f"``{code}``" not in table}
    assert not missing


def test_error_codes_in_the_prose_are_those_of_the_code():
    named = set(re.findall(r"flocx\.[a-z]+\.[a-z_]+", prose()))
    assert named - documented.error_table.codes() == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_with_its_parameters_and_fields_is_in_the_reference(service):
    text = documented.route_pages.page(service)
    sections = dict(re.findall(r"^([A-Z]+ /\S*)\n~+\n(.*?)(?=^[A-Z]+ /\S*\n~|\Z)", text, re.MULTILINE | re.DOTALL))
    routes = list(documented.route_pages.routes(service))
    assert len(routes) > 10
    for method, path, operation in routes:
        section = sections[f"{method} {path}"]
        told = literals(section)
        for parameter in operation.get("parameters", ()):
            assert parameter["in"] == "path" or parameter["name"] in told
        if "x-policy-rule" in operation:
            assert operation["x-policy-rule"] in told
        if "requestBody" in operation:
            fields = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
            assert set(fields) <= told
        for status in operation["responses"]:
            assert status in section


@pytest.mark.parametrize("service", SERVICES)
def test_every_registered_option_is_listed_under_its_group(service):
    text = documented.option_lists.page(service)
    sections = dict(re.findall(r"^\[(\w+)\]\n-+\n(.*?)(?=^\[\w+\]\n-|\Z)", text, re.MULTILINE | re.DOTALL))
    for group, names in registered(service).items():
        listed = literals(sections[group])
        # Of credentials those are shown that the common auth type has; the prose says so.
        assert names <= listed, f"[{group}] {names - listed}"


def test_every_policy_rule_is_listed_with_its_default():
    for service, rules in documented.policy_tables.SERVICES.items():
        text = documented.policy_tables.page(service)
        for rule in rules():
            assert f"``{rule.name}``" in text
            assert f"``{rule.check_str}``" in text


def test_every_metric_has_a_row():
    text = documented.metric_table.page()
    names = {sample.name for one in documented.metric_table.collectors() for sample in one.describe()}
    assert {"flocx_api_requests", "flocx_job_runs"} <= names
    assert all(name in text for name in names)


def test_every_job_of_the_managers_is_explained():
    intervals = Intervals(publish=1, resync=1, pull=1, reconcile=1, report=1, health=1, heartbeat=1, wait=1)
    jobs = [
        *market_jobs(None, None, clearing_interval=1, liveness_interval=1, gather=0),
        *provider_jobs(None, None, None, SimpleNamespace(fulfillment=None, private=None), intervals),
    ]
    assert {job.name for job in jobs} <= literals(page("operations"))


def test_every_entry_point_that_can_be_configured_is_explained():
    groups = {
        "flocx_market.rankings": "market-rules",
        "flocx_market.clearing_engines": "market-rules",
        "flocx_market.pricing_rules": "market-rules",
        "flocx_provider.node_drivers": "inventory",
    }
    known = configparser.ConfigParser()
    known.read(ROOT / "setup.cfg")
    declared = {
        line.strip().rstrip(" =")
        for line in known["options.entry_points"]
        if line.startswith(("flocx_market.", "flocx_provider."))
    }
    assert declared == set(groups)
    for group, name in groups.items():
        points = {point.name for point in entry_points(group=group)}
        assert points, group
        assert points <= literals(page(name)), group
        assert group in page("contributing")


def test_every_command_is_mentioned():
    commands = {point.name for point in entry_points(group="console_scripts") if point.name.startswith("flocx-")}
    assert len(commands) == 7
    assert {command for command in commands if command not in prose()} == set()


def test_configuration_examples_name_only_options_that_exist():
    options = {service: registered(service) for service in SERVICES}
    text = page("configuration") + page("inventory")
    known = 0
    for block in blocks(text, "ini"):
        parsed = ConfigParser(interpolation=None)
        parsed.read_string(block)
        fitting = []
        for groups in options.values():
            unknown = {
                (group, name)
                for group in parsed.sections()
                for name in parsed[group]
                if name not in groups.get(group, ()) and name not in ("auth_type", "username", "password")
            }
            fitting.append(unknown)
        assert set() in fitting, fitting
        known += 1
    assert known >= 4


def test_the_books_of_the_clearing_page_come_to_what_it_shows(tmp_path):
    rules = bootstrap.rules(engine="greedy", ranking="value", pricing="critical", k=Decimal("0.5"))
    now = time_from("2026-12-01T08:00:00Z", "now")
    summary = clear_books(EXAMPLES / "offers.jsonl", EXAMPLES / "bids.jsonl", now, rules, tmp_path, lambda *_: None)
    text = page("clear")
    shown = dict(re.findall(r"^   (\w+) {2,}(\S+)$", text, re.MULTILINE))
    made = summary.as_json({})
    for name in (*summary.counts, "surplus", "amount"):
        assert shown[name] == str(made[name])
    written = (tmp_path / "explanations.jsonl").read_text() + (tmp_path / "contracts.jsonl").read_text()
    for quoted in re.findall(r'"(?:sentence|amount|clearing_price)": "[^"]+"', text):
        assert quoted in written


def test_the_foreign_inventory_is_read_as_its_page_shows():
    (block,) = [one for one in blocks(page("inventory"), "ini") if "uuid_expression" in one]
    parsed = ConfigParser(interpolation=None)
    parsed.read_string(block)
    options = dict(parsed["static"])
    options.pop("inventory_file")
    options["owner_map"] = dict(pair.split(":") for pair in options["owner_map"].split(","))
    nodes = InventoryFile(str(EXAMPLES / "machines.jsonl"), InventoryMapping(owner=None, **options)).read()
    assert len(nodes) == 2
    for node in nodes:
        assert re.search(
            rf"{node.node_uuid} +{node.name} +{node.owner_project_id} +{node.resource_class} ", page("inventory")
        )
        assert "rack" in node.properties
        assert not {"serial", "hostname"} & set(node.properties)


def test_the_sample_inventory_is_read_with_the_default_expressions():
    conf = cfg.ConfigOpts()
    provider_opts.register(conf)
    conf([])
    names = (
        "uuid_expression",
        "name_expression",
        "owner_expression",
        "resource_class_expression",
        "properties_expression",
    )
    mapping = InventoryMapping(owner=None, owner_map={}, **{name: conf.static[name] for name in names})
    nodes = InventoryFile(str(ROOT / "etc" / "flocx-provider" / "inventory.yaml"), mapping).read()
    assert [(node.name, node.owner_project_id) for node in nodes] == [("compute-1", "owner-a"), ("gpu-1", "owner-b")]


def test_the_sample_users_are_read():
    users = UsersFile(str(ROOT / "etc" / "users.yaml"))
    assert users.user("alice").roles == {"manager", "member", "reader"}
    assert users.user("provider-1").roles == {"service"}


def test_examples_of_requirements_tell_machines_apart():
    # Each row is evaluated on the sample machines when it is made, and refuses to hold for all or none.
    assert documented.requirement_tables.examples().count("   * - ") > 10
