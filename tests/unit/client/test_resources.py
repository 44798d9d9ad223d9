# SPDX-License-Identifier: Apache-2.0
"""Every field that a service tells of a thing is an attribute of it, as the type it stands for."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from flocx_client import resources
from flocx_client.entity import Entity, Field
from tests.unit.client.routes import ROUTES, answers, is_instant, is_price, item_schema, served

SCALARS = {"string": str, "integer": int, "boolean": bool}

CASES = [
    pytest.param(kind, item_schema(schema), id=f"{service} {' '.join(route)} {kind.__name__}")
    for service in ROUTES
    for route, (_, _, kind) in ROUTES[service].items()
    if kind is not None
    for _, schema in served(service)[route][:1]
]


def without_null(schema):
    """Return a schema's other choice where it may be null, too."""
    for option in schema.get("anyOf", ()):
        if option != {"type": "null"}:
            return option
    kinds = schema.get("type")
    return {**schema, "type": kinds[0]} if isinstance(kinds, list) else schema


def check(value, schema, path):
    """Check that the value of an attribute fits what a schema says of it."""
    schema = without_null(schema)
    kind = schema.get("type", "string" if "enum" in schema else None)
    if value is None:
        return
    if is_instant(schema):
        assert type(value) is datetime, path
        assert value.tzinfo is UTC, path
    elif is_price(schema):
        assert type(value) is Decimal, path
    elif kind == "array":
        assert type(value) is list, path
        for item in value:
            if "properties" in schema["items"]:
                assert isinstance(item, Entity), f"{path}: its parts have fields, too"
            check(item, schema["items"], path)
    elif isinstance(value, Entity):
        check_entity(value, schema, path)
    elif kind == "object":
        assert type(value) is dict, path
    elif kind is not None:
        assert type(value) is SCALARS[kind], path


def check_entity(entity, schema, path):
    for name, one in schema["properties"].items():
        here = f"{path}.{name}"
        attribute = getattr(type(entity), name, None)
        assert isinstance(attribute, Field), f"{here} is no attribute"
        value = getattr(entity, name)
        assert (value is None) is (entity[name] is None), here
        check(value, one, here)


@pytest.mark.parametrize(("kind", "schema"), CASES)
def test_every_field_of_an_answer_is_an_attribute_of_a_fitting_type(kind, schema):
    for answer in answers(schema):
        check_entity(kind(answer), schema, kind.__name__)


@pytest.mark.parametrize(("kind", "schema"), CASES)
def test_no_attribute_is_of_a_field_that_the_service_does_not_have(kind, schema):
    fields = {name for one in kind.__mro__ for name, value in vars(one).items() if isinstance(value, Field)}
    # The unit of prices is told by the market alone.
    assert fields - set(schema["properties"]) <= ({"price_unit"} if kind is resources.ApiVersion else set())


def test_every_entity_is_what_some_route_answers_with_or_a_part_of_it():
    def parts(kind, schema):
        yield kind
        for answer in answers(schema):
            for name in schema["properties"]:
                value = getattr(kind(answer), name)
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, Entity):
                        inner = without_null(schema["properties"][name])
                        yield from parts(type(item), without_null(inner.get("items", inner)))

    met = {kind for case in CASES for kind in parts(*case.values)}
    known = {one for one in vars(resources).values() if isinstance(one, type) and issubclass(one, Entity)} - {Entity}
    assert known == met


def test_a_node_is_known_by_its_own_uuid_and_name():
    node = resources.Node(node_uuid="n-1", node_name="m1")
    assert (node.id, node.name) == ("n-1", "m1")
