# SPDX-License-Identifier: Apache-2.0
import json
import re

import pytest

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_provider.domain.private_properties import DEFAULT, PrivateProperties
from tests.data import chameleon, published

MAC = re.compile(r"(?i)^([0-9a-f]{2}[:-]){5,}[0-9a-f]{2}$")
ADDRESS = re.compile(r"(?i)^(\d{1,3}\.){3}\d{1,3}$|^fe80:|^fd[0-9a-f]{2}:")
WWN = re.compile(r"(?i)^0x[0-9a-f]{16}")


def leaves(value, path=""):
    if isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}")
    elif isinstance(value, list):
        for child in value:
            yield from leaves(child, path)
    else:
        yield path, value


def test_paths_reach_through_objects_and_lists():
    document = {
        "serial": "1",
        "disks": [{"serial": "2", "size": 4}, {"wwn_vendor": "3", "size": 5}],
        "a": {"b": {"c": 1, "d": 2}},
        "keep": {"serials": 1},
    }
    private = PrivateProperties(["**.serial", "**.wwn_*", "a.*.c"])
    assert private.without(document) == {
        "disks": [{"size": 4}, {"size": 5}],
        "a": {"b": {"d": 2}},
        "keep": {"serials": 1},
    }


def test_the_document_itself_is_left_as_it_is():
    document = {"a": {"serial": "1"}}
    PrivateProperties(DEFAULT).without(document)
    assert document == {"a": {"serial": "1"}}


@pytest.mark.parametrize("path", ["", "a..b", "**", ".a", "a."])
def test_a_path_that_makes_no_sense_is_refused(path):
    with pytest.raises(ConfigurationInvalid, match="private_properties"):
        PrivateProperties([path])


def test_a_path_built_to_explode_does_not():
    deep = {}
    for _ in range(60):
        deep = {"a": deep}
    assert PrivateProperties([".".join(["**", "a"] * 5) + ".x"]).without(deep) == deep


def check_nothing_identifies(document):
    for path, value in leaves(PrivateProperties(DEFAULT).without(document)):
        if isinstance(value, str):
            assert not MAC.match(value), path
            assert not ADDRESS.match(value), path
            assert not WWN.match(value), path


def test_no_address_or_serial_of_an_inspected_machine_leaves():
    document = {
        "inventory": {
            "bmc_address": "10.0.0.1",
            "bmc_v6address": "fe80::1",
            "hostname": "node",
            "interfaces": [
                {"name": "eno1", "mac_address": "52:54:00:00:00:01", "ipv4_address": "10.0.0.2", "lldp": []}
            ],
            "disks": [{"name": "/dev/sda", "serial": "S1", "wwn": "0x5000000000000001", "size": 4}],
            "system_vendor": {"manufacturer": "Dell", "serial_number": "ABC"},
        },
        "macs": ["52:54:00:00:00:01"],
    }
    assert PrivateProperties(DEFAULT).without(document) == {
        "inventory": {
            "interfaces": [{"name": "eno1"}],
            "disks": [{"name": "/dev/sda", "size": 4}],
            "system_vendor": {"manufacturer": "Dell"},
        }
    }


def test_nothing_that_identifies_a_published_document_leaves():
    check_nothing_identifies(json.loads(published("ironic-introspection-sample.txt").read_text()))
    for line in chameleon().read_text().splitlines():
        document = PrivateProperties(DEFAULT).without(json.loads(line))
        assert not any(path.rpartition(".")[2] in ("serial", "mac", "wwn") for path, _ in leaves(document))
        check_nothing_identifies(document)
