# SPDX-License-Identifier: Apache-2.0
"""What is read off an Ironic node: owner, lessee, mark, and what contradicts itself."""

import pytest

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.domain.holders import Holders, NodeAttributes, holders_of

PROPERTIES = NodeAttributes()
MIRRORED = NodeAttributes(mirror_lessee=True)
FIELDS = NodeAttributes(owner="owner", lessee="lessee")


def node(owner=None, lessee=None, **properties):
    """A node of Ironic: the fields, and ``own``, ``held`` and ``mark`` for our properties."""
    names = {"own": "project_owner_id", "held": "project_id", "mark": "flocx_contract_uuid"}
    return {"owner": owner, "lessee": lessee, "properties": {names[name]: value for name, value in properties.items()}}


@pytest.mark.parametrize(
    ("attributes", "given", "owner", "lessee", "mark"),
    [
        # The owner: the property first, then the field.
        (PROPERTIES, node(), None, None, None),
        (PROPERTIES, node(own="a"), "a", None, None),
        (PROPERTIES, node(owner="a"), "a", None, None),
        (PROPERTIES, node(owner="a", own="a"), "a", None, None),
        (FIELDS, node(owner="a", own="b"), "a", None, None),
        # The lessee: what the attribute says.
        (PROPERTIES, node(owner="a", held="c", mark="m"), "a", "c", "m"),
        (PROPERTIES, node(owner="a", held="c"), "a", "c", None),
        (FIELDS, node(owner="a", lessee="c", mark="m", held="d"), "a", "c", "m"),
        # Ironic notes the project of a deployment: that of our lessee, or the owner's own.
        (PROPERTIES, node(owner="a", held="c", lessee="c", mark="m"), "a", "c", "m"),
        (PROPERTIES, node(owner="a", lessee="c", mark="m"), "a", None, "m"),
        (PROPERTIES, node(owner="a", lessee="a"), "a", None, None),
        (PROPERTIES, node(own="a", lessee="a"), "a", None, None),
        (MIRRORED, node(owner="a", lessee="a"), "a", None, None),
        (FIELDS, node(owner="a", lessee="a"), "a", None, None),
        # Under a mark, the mirrored field is ours to take away.
        (MIRRORED, node(owner="a", lessee="c", mark="m"), "a", "c", "m"),
        # Without a mark it is somebody's lease.
        (PROPERTIES, node(owner="a", lessee="x"), "a", "x", None),
        (MIRRORED, node(owner="a", lessee="x"), "a", "x", None),
        # Nothing is not a project.
        (PROPERTIES, node(owner="", lessee="", held="", own=""), None, None, None),
        (PROPERTIES, node(own=5, held=["c"], mark={}), None, None, None),
        (PROPERTIES, {"owner": "a", "properties": None}, "a", None, None),
        (PROPERTIES, {}, None, None, None),
    ],
)
def test_owner_lessee_and_mark_are_read_where_the_operator_keeps_them(attributes, given, owner, lessee, mark):
    assert holders_of(given, attributes) == Holders(owner, lessee, mark)


@pytest.mark.parametrize(
    ("attributes", "given", "lessee", "words"),
    [
        (PROPERTIES, node(owner="a", own="b"), None, "the field owner"),
        (PROPERTIES, node(owner="a", held="c", lessee="x", mark="m"), "c", "the field lessee"),
        (PROPERTIES, node(owner="a", held="c", lessee="x"), "c", "the field lessee"),
        (MIRRORED, node(owner="a", held="c", lessee="x", mark="m"), "c", "the field lessee"),
        # While a contract runs, the owner in the field is another project than the lessee.
        (PROPERTIES, node(owner="a", held="c", lessee="a", mark="m"), "c", "the field lessee"),
    ],
)
def test_a_node_that_contradicts_itself_says_about_what(attributes, given, lessee, words):
    found = holders_of(given, attributes)
    assert found.lessee_project_id == lessee
    assert words in found.conflict


def test_a_contested_owner_is_nobody():
    assert holders_of(node(owner="a", own="b"), PROPERTIES).owner_project_id is None


def test_what_is_about_holders_is_no_hardware():
    assert PROPERTIES.keys == {"project_owner_id", "project_id", "flocx_contract_uuid"}
    assert FIELDS.keys == {"flocx_contract_uuid"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"owner": "lessee"}, "owner_attribute"),
        ({"lessee": "owner"}, "lessee_attribute"),
        ({"lessee": "project_id"}, "properties/NAME"),
        ({"lessee": "properties/"}, "properties/NAME"),
        ({"lessee": "properties/a/b"}, "properties/NAME"),
        ({"lessee": "extra/a"}, "properties/NAME"),
        ({"lessee": "properties/flocx_contract_uuid"}, "lessee_attribute"),
        ({"lessee": "properties/project_owner_id"}, "owner_attribute"),
    ],
)
def test_an_attribute_that_cannot_be_is_refused_by_name(wrong, words):
    with pytest.raises(ConfigurationInvalid, match=words):
        NodeAttributes(**wrong)
