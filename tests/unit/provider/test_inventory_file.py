# SPDX-License-Identifier: Apache-2.0
import json
from collections import Counter

import pytest

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_provider.drivers.inventory_file import InventoryFile, InventoryMapping
from tests.builders import uid
from tests.data import CHAMELEON_OPTIONS, chameleon

PLAIN = {
    "uuid_expression": "uuid",
    "name_expression": "name",
    "owner_expression": "owner",
    "owner": None,
    "owner_map": {},
    "resource_class_expression": "resource_class",
    "properties_expression": "@",
}


def machine(number, **over):
    return {"uuid": uid(number), "name": f"n{number}", "owner": "owner-a", "cpus": 32} | over


def read(tmp_path, text, **mapping):
    path = tmp_path / "inventory"
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return InventoryFile(str(path), InventoryMapping(**(PLAIN | mapping))).read()


def lines(*machines):
    return "\n".join(json.dumps(one) for one in machines) + "\n"


def test_json_lines_a_json_array_and_yaml_are_all_read(tmp_path):
    yaml = f"# a room\n- uuid: {uid(1)}\n  name: n1\n  owner: owner-a\n  cpus: 32\n"
    for text in (lines(machine(1)), json.dumps([machine(1)]), json.dumps([machine(1)], indent=2), yaml):
        node = read(tmp_path, text)[0]
        assert (node.node_uuid, node.name, node.owner_project_id) == (uid(1), "n1", "owner-a")
        assert node.properties == machine(1)


def test_foreign_documents_are_read_through_expressions(tmp_path):
    foreign = {"id": uid(1).upper(), "meta": {"label": "n1"}, "site": "tacc", "kind": "gpu", "hw": {"cpus": 32}}
    node = read(
        tmp_path,
        lines(foreign),
        uuid_expression="id",
        name_expression="meta.label",
        owner_expression="site",
        owner_map={"tacc": "owner-a"},
        resource_class_expression="kind",
        properties_expression="hw",
    )[0]
    assert (node.node_uuid, node.name, node.owner_project_id, node.resource_class) == (uid(1), "n1", "owner-a", "gpu")
    assert node.properties == {"cpus": 32}


def test_one_owner_may_have_all_machines(tmp_path):
    assert read(tmp_path, lines(machine(1)), owner="everything")[0].owner_project_id == "everything"


def test_a_machine_may_have_neither_name_nor_owner_nor_class(tmp_path):
    node = read(tmp_path, lines({"uuid": uid(1)}))[0]
    assert (node.name, node.owner_project_id, node.resource_class) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("  \n ", "it is empty"),
        ("just words", "a list of machines is expected, not text"),
        ("a: 1", "a list of machines is expected, not an object"),
        ("- 1", "item 1: an object is expected, not a number"),
        ("- [", "no YAML"),
        ("- {uuid: .nan}", "what JSON can hold is expected"),
        ("[1", "the file: no JSON"),
        ("[null]", "item 1: an object is expected, not nothing"),
        (lines(machine(1)) + "{", "line 2: no JSON"),
        (lines(machine(1)) + "[1]", "line 2: an object is expected, not a list"),
        ('{"uuid": NaN}', "NaN is no JSON number"),
        ('{"uuid": 1e999}', "too large"),
        (lines({"name": "n1"}), "line 1: uuid: None: a UUID is expected"),
        (lines(machine(1, uuid="n1")), "line 1: uuid: 'n1': a UUID is expected"),
        (lines(machine(1), machine(2, uuid=7)), "line 2: uuid: 7: one line of up to 36 characters"),
        (lines(machine(1), machine(1, name="other")), f"line 2: '{uid(1)}' is there already, at line 1"),
        (lines(machine(1), machine(2, name="n1")), "line 2: 'n1' is there already, at line 1"),
        (lines(machine(1, name="")), "line 1: name: '': one line"),
        (lines(machine(1, name="a\nb")), "line 1: name"),
        (lines(machine(1, owner=["x"])), "line 1: owner: ['x']: one line"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place_and_what_was_expected(tmp_path, text, problem):
    with pytest.raises(ConfigurationInvalid) as refused:
        read(tmp_path, text)
    assert problem in refused.value.detail
    assert str(tmp_path / "inventory") in refused.value.detail


def test_an_owner_that_is_not_in_the_map_is_told(tmp_path):
    with pytest.raises(ConfigurationInvalid, match="'owner-a' is not in owner_map, which has tacc, uc"):
        read(tmp_path, lines(machine(1)), owner_map={"tacc": "a", "uc": "b"})


def test_properties_that_are_no_object_are_told(tmp_path):
    with pytest.raises(ConfigurationInvalid, match="properties: an object is expected, not a number"):
        read(tmp_path, lines(machine(1)), properties_expression="cpus")


def test_an_expression_that_is_none_is_told_with_its_option(tmp_path):
    with pytest.raises(ConfigurationInvalid, match="name_expression: 'cpu"):
        read(tmp_path, lines(machine(1)), name_expression="cpu[")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigurationInvalid, match="No such file"):
        InventoryFile(str(tmp_path / "none"), InventoryMapping(**PLAIN)).read()


def test_bytes_that_are_no_text_are_told(tmp_path):
    (tmp_path / "inventory").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationInvalid, match="UTF-8"):
        InventoryFile(str(tmp_path / "inventory"), InventoryMapping(**PLAIN)).read()


def test_all_machines_of_a_real_testbed_are_read_as_they_are():
    mapping = PLAIN | CHAMELEON_OPTIONS | {"owner_map": {"tacc": "owner-a", "uc": "owner-b"}}
    nodes = InventoryFile(str(chameleon()), InventoryMapping(**mapping)).read()
    assert Counter(node.owner_project_id for node in nodes) == {"owner-a": 313, "owner-b": 132}
    assert len({node.resource_class for node in nodes}) == 27
