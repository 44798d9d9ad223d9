# SPDX-License-Identifier: Apache-2.0
import re
from collections import Counter
from importlib.metadata import entry_points

import pytest
from oslo_config import cfg

from flocx_common.conf.connections import connection_opts
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_market import bootstrap as market_bootstrap
from flocx_market.conf import opts as market_opts
from flocx_provider import bootstrap as provider_bootstrap
from flocx_provider.conf import opts as provider_opts
from tests.harness import write_conf

SERVICES = {"market": market_opts, "provider": provider_opts}
# Those of keystoneauth are keystoneauth's to explain.
FOREIGN = {
    (group, option.dest) for module in SERVICES.values() for group in module.CONNECTIONS for option in connection_opts()
}


def own_options():
    """Every option that FLOCX itself defines."""
    for service, module in SERVICES.items():
        for group, options in module.list_opts():
            for option in options:
                if group not in module.CONNECTIONS or (group, option.dest) not in FOREIGN:
                    yield pytest.param(option, id=f"{service}-{group}-{option.name}")


OWN = list(own_options())
NUMBERS = [param for param in OWN if isinstance(param.values[0].type, cfg.types.Number)]


@pytest.mark.parametrize("option", OWN)
def test_every_option_says_in_sentences_what_it_does(option):
    assert option.help
    assert re.fullmatch(r"[A-Zh].*\.", option.help), option.help
    assert len(option.help.split()) >= 3


# What a number counts where it counts no time.
UNITS = {
    "port": "Port",
    "threads": "Requests",
    "default_limit": "Entities",
    "max_limit": "Entities",
    "max_body_size": "bytes",
    "max_long_polls": "Requests",
    "workers": "processes",
    "max_retries": "repetitions",
    "max_quantity": "nodes",
    "k": "share",
    "work_limit": "Steps",
    "pricing_budget": "Placements",
}


@pytest.mark.parametrize("option", NUMBERS)
def test_every_number_says_its_unit_and_has_a_lower_bound(option):
    assert UNITS.get(option.name, "econds") in option.help
    assert option.type.min is not None


@pytest.mark.parametrize("option", OWN)
def test_every_default_is_a_value_the_option_takes(option):
    if option.default is not None and not isinstance(option.default, list | dict):
        option.type(str(option.default))


@pytest.mark.parametrize("module", SERVICES.values(), ids=SERVICES)
def test_every_option_is_listed_once_and_listed_ones_are_registered(module):
    listed = [(group, option.dest) for group, options in module.list_opts() for option in options]
    assert [name for name, count in Counter(listed).items() if count > 1] == []
    conf = cfg.ConfigOpts()
    module.register(conf)
    conf([])
    # Credentials are registered when their kind is known.
    assert [name for name in listed if name not in FOREIGN and name[1] not in conf[name[0]]] == []


@pytest.mark.parametrize("module", SERVICES.values(), ids=SERVICES)
def test_every_registered_option_is_in_the_sample(module):
    conf = cfg.ConfigOpts()
    module.register(conf)
    conf([])
    listed = {(group, option.dest) for group, options in module.list_opts() for option in options}
    # The database's are in the sample of oslo.db.
    groups = [name for name in conf if isinstance(conf[name], cfg.ConfigOpts.GroupAttr) and name != "database"]
    assert [(group, name) for group in groups for name in conf[group] if (group, name) not in listed] == []


@pytest.mark.parametrize(("service", "module"), SERVICES.items())
def test_the_generator_of_samples_finds_the_options(service, module):
    (entry,) = entry_points(group="oslo.config.opts", name=f"flocx.{service}")
    assert entry.load() is module.list_opts


def configured(directory, sections, name="market.conf"):
    path = write_conf(directory, name, sections)
    return market_bootstrap.configuration(["--config-file", str(path)], command="flocx-market-api")


@pytest.mark.parametrize(
    ("section", "option", "value", "told"),
    [
        ("api", "threads", "many", "invalid literal for int() with base 10: 'many'"),
        ("api", "threads", "1", "Should be greater than or equal to 2"),
        ("api", "port", "70000", "Should be less than or equal to 65535"),
        ("api", "auth_strategy", "magic", "Valid values are [keystone, http_basic, noauth], but found 'magic'"),
        ("api", "check_answers", "perhaps", "Unexpected boolean value 'perhaps'"),
        ("clearing", "k", "1.5", "Should be less than or equal to 1"),
        ("manager", "wake_interval", "-1", "Should be greater than or equal to 0"),
        ("database", "max_pool_size", "lots", "invalid literal for int() with base 10: 'lots'"),
    ],
)
def test_a_value_an_option_does_not_take_is_told_at_once_with_file_group_and_option(
    tmp_path, section, option, value, told
):
    with pytest.raises(ConfigurationInvalid) as refused:
        configured(tmp_path, {section: {option: value}})
    assert refused.value.detail == f"configuration: {tmp_path}/market.conf: [{section}] {option}: {told}"


def test_all_mistakes_are_told_together(tmp_path):
    with pytest.raises(ConfigurationInvalid) as refused:
        configured(tmp_path, {"api": {"threads": "x", "max_limit": 0}, "market": {"notice": "y"}})
    for name in ("[api] threads", "[api] max_limit", "[market] notice"):
        assert f"{name}: " in refused.value.detail
    assert "\n" not in refused.value.detail


def test_a_value_of_the_environment_is_told_by_its_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("OS_API__THREADS", "many")
    with pytest.raises(ConfigurationInvalid, match=r"^configuration: OS_API__THREADS: \[api\] threads: "):
        configured(tmp_path, {})


def test_a_file_that_is_none_is_told_with_its_line(tmp_path):
    path = tmp_path / "market.conf"
    path.write_text("[api]\nthreads 5\n")
    with pytest.raises(ConfigurationInvalid, match=rf"Failed to parse {path}: at {path}:2"):
        market_bootstrap.configuration(["--config-file", str(path)])


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigurationInvalid, match=r"Failed to find some config files: .*/none\.conf"):
        market_bootstrap.configuration(["--config-file", str(tmp_path / "none.conf")])


def test_two_configurations_in_one_process_know_nothing_of_each_other(tmp_path):
    first = configured(tmp_path, {"api": {"port": 1001}}, "first.conf")
    second = configured(tmp_path, {"api": {"port": 1002}, "market": {"notice": 5}}, "second.conf")
    third = provider_bootstrap.configuration(["--config-file", str(write_conf(tmp_path, "third.conf", {}))])
    assert (first.api.port, second.api.port, third.api.port) == (1001, 1002, 7777)
    assert (first.market.notice, second.market.notice) == (3600, 5)
    assert "wait" not in first.market
    assert third.market.wait == 30


def test_a_configuration_is_read_once(tmp_path):
    conf = configured(tmp_path, {"market": {"notice": 5}})
    write_conf(tmp_path, "market.conf", {"market": {"notice": 6}})
    assert conf.market.notice == 5
    (tmp_path / "market.conf").unlink()
    assert market_bootstrap.settings(conf).timeouts.notice.total_seconds() == 5


def test_a_shortest_contract_longer_than_the_longest_is_refused(tmp_path):
    conf = configured(tmp_path, {"market": {"shortest_contract": 100, "longest_contract": 99}})
    with pytest.raises(ConfigurationInvalid, match=r"\[market\] shortest_contract: 100 s is more than .* 99 s"):
        market_bootstrap.settings(conf)


@pytest.mark.parametrize(
    ("option", "known"),
    [("engine", "greedy"), ("ranking", "price_time, value"), ("pricing", "critical, k_double, limit, reserve")],
)
def test_a_rule_nobody_has_is_refused_naming_those_there_are(tmp_path, option, known):
    conf = configured(tmp_path, {"clearing": {option: "magic"}})
    with pytest.raises(ConfigurationInvalid) as refused:
        market_bootstrap.settings(conf)
    head, _, listed = refused.value.detail.partition("; known are ")
    assert head == f"[clearing] {option}: 'magic' is not known"
    assert set(known.split(", ")) <= set(listed.split(", "))


def provider_configured(directory, sections):
    return provider_bootstrap.configuration(["--config-file", str(write_conf(directory, "provider.conf", sections))])


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"provider": {"driver": "magic"}}, r"\[provider\] driver: 'magic' is not known; known are .*static"),
        ({}, r"\[static\] inventory_file: the file with the machines is needed"),
        ({"static": {"inventory_file": "/none.yaml"}}, r"\[static\] inventory_file: /none\.yaml: No such file"),
    ],
)
def test_an_inventory_that_cannot_be_set_up_is_refused(tmp_path, sections, told):
    conf = provider_configured(tmp_path, {"database": {"connection": "sqlite://"}, **sections})
    with pytest.raises(ConfigurationInvalid, match=f"^{told}"):
        provider_bootstrap.inventory(conf, provider_bootstrap.database(conf), provider_bootstrap.directory(conf))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"auth_type": "magic"}, "The plugin magic could not be found"),
        ({"auth_type": "password", "timeout": "long"}, "timeout"),
    ],
)
def test_credentials_for_the_market_that_cannot_be_used_are_refused(tmp_path, options, told):
    with pytest.raises(ConfigurationInvalid, match=rf"\[market\] .*{told}"):
        provider_bootstrap.market(provider_configured(tmp_path, {"market": options}))
