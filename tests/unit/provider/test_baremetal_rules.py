# SPDX-License-Identifier: Apache-2.0
"""What goes through to Ironic and what does not: the table of routes, and the rules on paths, bodies and answers."""

from __future__ import annotations

import copy
import json
import re
from contextlib import suppress
from dataclasses import replace

import jsonpatch
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flocx_common.domain.errors import Forbidden, Invalid
from flocx_common.domain.holders import MARK, Holders, NodeAttributes, holders_of
from flocx_provider.domain import baremetal_views as views
from flocx_provider.domain.allocation import AllocationStatus
from flocx_provider.domain.baremetal_patch import checked_patch
from flocx_provider.domain.baremetal_routes import (
    DRIVER_FIELDS,
    HELD_FIELDS,
    NODE_FIELDS,
    ROUTES,
    Action,
    Kind,
    Matched,
    is_name,
    match,
)
from flocx_provider.domain.baremetal_rules import Side, Standing, check_query, needed, standing_of
from flocx_provider.domain.private_properties import PrivateProperties
from flocx_provider.policies.baremetal import RULES, USE, rule_of
from tests.builders import NOW, at, uid
from tests.unit.provider.builders import provider_allocation

A = NodeAttributes()
OWNER = Standing(side=Side.OWNER, held=False, owner_project_id="owner-a", lessee_project_id=None)
HELD = replace(OWNER, held=True)
LESSEE = Standing(side=Side.LESSEE, held=True, owner_project_id="owner-a", lessee_project_id="consumer-a")
LESSEES_ROUTES = {
    "GET /baremetal/",
    "GET /baremetal/v1",
    "GET /baremetal/v1/nodes",
    "GET /baremetal/v1/nodes/detail",
    "GET /baremetal/v1/nodes/{node}",
    "GET /baremetal/v1/nodes/{node}/states",
    "PUT /baremetal/v1/nodes/{node}/states/power",
    "PUT /baremetal/v1/nodes/{node}/states/provision",
    "GET /baremetal/v1/nodes/{node}/states/console",
    "PUT /baremetal/v1/nodes/{node}/states/console",
    "GET /baremetal/v1/nodes/{node}/management/boot_device",
    "GET /baremetal/v1/nodes/{node}/management/boot_device/supported",
    "PUT /baremetal/v1/nodes/{node}/management/boot_device",
}
SAMPLES = {"node": "n1", "uuid": uid(1), "trait": "CUSTOM_A", "setting": "Boot", "event": uid(2)}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def route(method, path):
    """Return a route by what it is for."""
    (found,) = [one for one in ROUTES if (one.method, one.path) == (method, path)]
    return found


MARKED = uid(6001)


def held_by(lessee="consumer-a", mark=MARKED, owner="owner-a", **more):
    return Holders(owner, lessee, mark, **more)


def running(**over):
    return provider_allocation(market_status="active", status=AllocationStatus.ACTIVE, **over)


def test_the_routes_of_lessees_are_these_and_no_others():
    assert {one.shown for one in ROUTES if one.lessee} == LESSEES_ROUTES


@pytest.mark.parametrize("text", [".", "..", "", "detail", "a/b", "a b", "a\n", "\u00e4", "%2e", "n" * 256])
def test_a_name_is_a_plain_word_and_none_of_ironics(text):
    assert not is_name(text)
    assert is_name("node-1.rack_2~x")


def test_a_route_is_in_the_table_once():
    assert len({one.shown for one in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("one", ROUTES, ids=lambda one: one.shown)
def test_a_route_is_found_by_its_path(one):
    path = one.path.format(**SAMPLES)
    for written in (path, path + "/" if path != "/" else ""):
        matched = match(one.method, written)
        assert isinstance(matched, Matched)
        assert matched.route is one
        assert one.path.format(**matched.variables) == path
    other = match("OPTIONS", path)
    assert isinstance(other, frozenset)
    assert one.method in other


@pytest.mark.parametrize("one", ROUTES, ids=lambda one: one.shown)
def test_a_route_is_guarded_by_the_rule_of_its_action(one):
    named = {rule.name for rule in RULES if {"method": one.method, "path": f"/baremetal{one.path}"} in rule.operations}
    if one.kind is Kind.ROOT:
        assert named == set()
        return
    assert {USE, rule_of(one.action)} <= named
    besides = named - {USE, rule_of(one.action)}
    assert besides <= {rule_of(Action.DRIVER_INFO), rule_of(Action.HELD)}
    if not one.held and one.action is not Action.CREATE:
        assert rule_of(Action.HELD) in besides


def test_every_rule_guards_something_that_is_there():
    there = {(one.method, f"/baremetal{one.path}") for one in ROUTES}
    for rule in RULES:
        assert rule.operations
        assert {(one["method"], one["path"]) for one in rule.operations} <= there
        assert rule.scope_types == ["project"]
        assert rule.description


def test_what_a_lessee_may_send_is_a_part_of_what_goes_through():
    for one in ROUTES:
        assert one.lessee_query <= one.query
        assert one.lessee_body <= (one.body or frozenset())
        assert one.lessee or not (one.lessee_query or one.lessee_body)


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["v1", "nodes", "..", "", "states", "n1", "%2e", "a;b"])).map("/".join)
)
def test_a_path_that_is_found_is_made_of_plain_words(path):
    for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
        matched = match(method, path)
        if isinstance(matched, Matched):
            again = matched.route.path.format(**matched.variables)
            assert re.fullmatch(r"/|(/[A-Za-z0-9._~-]+)+", again)
            assert not {".", ".."} & set(again.split("/"))
            assert path in (again, again + "/", "")
            assert all(is_name(value) for value in matched.variables.values())


FIELDS = ("properties", "owner", "lessee", "extra")
KEYS = ("project_id", "project_owner_id", MARK, "a", "-", "", "~0")
paths = st.builds("/{}/{}".format, st.sampled_from(FIELDS), st.sampled_from(KEYS)) | st.sampled_from(
    [*(f"/{field}" for field in FIELDS), "", "/", "//owner", "/owner/", "/properties/a/0", "/properties/project_id/a"]
)
values = st.sampled_from(["x", None, {}, {"project_id": "x"}])
plain = st.fixed_dictionaries({"op": st.sampled_from(["add", "replace"]), "path": paths, "value": values})
odd = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "move", "copy", "test", "ADD"]), "path": paths},
    optional={"value": values, "from": paths},
)


@given(st.lists(plain | odd, min_size=1, max_size=2))
def test_no_patch_that_goes_through_changes_whose_a_node_is(patch):
    node = {
        "owner": "owner-a",
        "lessee": None,
        "uuid": uid(1001),
        "chassis_uuid": None,
        "properties": {"project_owner_id": "owner-a", "a": {"0": 1}},
        "extra": {"a": [1]},
        "driver_info": {},
        "instance_info": {},
    }
    before = copy.deepcopy(node)
    try:
        fields = checked_patch(patch, NODE_FIELDS | DRIVER_FIELDS, A)
        after = jsonpatch.apply_patch(node, patch)
    except (Invalid, Forbidden, jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError):
        return
    assert holders_of(after, A) == holders_of(before, A)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= fields <= NODE_FIELDS | DRIVER_FIELDS
    assert isinstance(after["properties"], dict)


@given(json_values)
def test_whatever_a_patch_is_it_is_read_or_refused(body):
    with suppress(Invalid, Forbidden):
        assert checked_patch(body, NODE_FIELDS, A) <= NODE_FIELDS


@given(
    st.sampled_from([one for one in ROUTES if one.kind in (Kind.NODE, Kind.PART, Kind.STATES)]),
    json_values,
    st.dictionaries(
        st.sampled_from(["fields", "limit", "detail", "reset_interfaces"]), st.text(max_size=4), max_size=2
    ),
)
def test_whatever_a_lessee_asks_for_is_the_documented_set_or_refused(one, body, query):
    try:
        actions = needed(one, LESSEE, query, body, A)
    except (Invalid, Forbidden):
        return
    assert one.lessee
    assert actions == {one.action}
    assert set(query) <= one.lessee_query
    if isinstance(body, dict):
        assert set(body) <= one.lessee_body


@given(st.sampled_from([one for one in ROUTES if one.kind is Kind.PART]), json_values)
def test_on_a_held_node_an_owner_needs_the_rule_for_that_or_does_no_harm(one, body):
    try:
        actions = needed(one, HELD, {}, body, A)
    except (Invalid, Forbidden):
        return
    assert (Action.HELD in actions) == (not one.held)
    assert not one.held or one.method == "GET" or one.action is Action.MAINTENANCE


@pytest.mark.parametrize("field", sorted(NODE_FIELDS | DRIVER_FIELDS))
def test_fields_of_a_held_node_are_for_the_rule_unless_a_lessee_does_not_feel_them(field):
    path = f"/{field}/x" if field == "properties" else f"/{field}"
    patch = [{"op": "add", "path": path, "value": "x"}]
    one = route("PATCH", "/v1/nodes/{node}")
    assert (Action.HELD in needed(one, HELD, {}, patch, A)) == (field not in HELD_FIELDS)
    assert Action.HELD not in needed(one, OWNER, {}, patch, A)
    assert (Action.DRIVER_INFO in needed(one, OWNER, {}, patch, A)) == (field in DRIVER_FIELDS)
    with pytest.raises(Forbidden):
        needed(one, LESSEE, {}, patch, A)


class TestStanding:
    """How projects stand to nodes."""

    def test_a_lessee_stands_by_node_mark_and_book_together(self):
        found = standing_of("consumer-a", held_by(), [running()], NOW)
        assert found == replace(LESSEE, owner_project_id="owner-a")

    @pytest.mark.parametrize(
        ("holders", "allocations", "now"),
        [
            (held_by(), [], NOW),
            (held_by(), [running()], at(10)),
            (held_by(), [running()], at(-1)),
            (held_by(mark=None), [running()], NOW),
            (held_by(mark=uid(6002)), [running()], NOW),
            (held_by(lessee=None), [running()], NOW),
            (held_by(lessee="consumer-b"), [running()], NOW),
            (held_by(conflict="two lessees"), [running()], NOW),
            (held_by(), [provider_allocation()], NOW),
            (held_by(), [running(lessee_project_id="consumer-b")], NOW),
            (held_by(), [replace(running(), market_status="terminated")], NOW),
            (held_by(), [running().failed(NOW, "gone", breach=False, settled=False)], NOW),
            (held_by(), [running().released(NOW)], NOW),
        ],
    )
    def test_a_lessee_stands_by_no_part_of_that(self, holders, allocations, now):
        assert standing_of("consumer-a", holders, allocations, now) is None
        owner = standing_of("owner-a", holders, allocations, now)
        assert owner is not None
        assert (owner.side, owner.held) == (Side.OWNER, True)

    def test_an_owner_has_a_free_node_in_its_hands(self):
        assert standing_of("owner-a", held_by(None, None), [], NOW) == OWNER
        assert standing_of("owner-a", held_by("owner-a", None), [], NOW) == OWNER
        assert standing_of("owner-a", held_by(None, None), [provider_allocation()], NOW) == OWNER

    @pytest.mark.parametrize(
        "holders", [held_by(), held_by(None), held_by(mark=None), held_by(None, None, conflict="two owners")]
    )
    def test_a_node_with_a_lessee_a_mark_or_a_conflict_is_in_other_hands(self, holders):
        assert standing_of("owner-a", holders, [], NOW) == HELD

    def test_a_node_that_lost_its_mark_while_the_contract_runs_is_in_other_hands(self):
        assert standing_of("owner-a", held_by(None, None), [running()], NOW) == HELD

    def test_a_contested_owner_is_none(self):
        assert standing_of("owner-a", held_by(None, None, owner=None, conflict="two owners"), [], NOW) is None

    def test_who_may_do_everything_is_every_nodes_owner(self):
        found = standing_of("p-admin", held_by(), [running()], NOW, everything=True)
        assert found is not None
        assert (found.side, found.held) == (Side.OWNER, True)

    @given(st.text(max_size=3), st.builds(Holders, *[st.none() | st.text(min_size=1, max_size=3)] * 3))
    def test_who_neither_owns_nor_holds_a_node_has_nothing_to_do_with_it(self, project, holders):
        assume(project not in (holders.owner_project_id, holders.lessee_project_id))
        assert standing_of(project, holders, [running()], NOW) is None


@given(st.lists(st.tuples(st.text(max_size=10), st.text(max_size=5)), max_size=4))
def test_only_known_parameters_go_through_and_each_once(query):
    one = route("GET", "/v1/nodes")
    try:
        check_query(one, query)
    except Invalid:
        return
    assert {name for name, _ in query} <= one.query
    assert len({name for name, _ in query}) == len(query)


nodes = st.dictionaries(
    st.sampled_from(sorted(views.LESSEE_FIELDS))
    | st.sampled_from(["driver_info", "owner", "extra", "new_field", "last_error"]),
    json_values | st.dictionaries(st.sampled_from(["cpus", "serial", "rack", MARK]), json_values, max_size=3),
)


@given(nodes)
def test_a_lessee_sees_of_a_node_what_is_listed_and_never_more(node):
    shown = views.node_view(node, LESSEE, PrivateProperties(["**.serial"]), driver_information=True)
    assert set(shown) <= views.LESSEE_FIELDS
    if isinstance(shown.get("properties"), dict):
        assert set(shown["properties"]) <= views.LESSEE_PROPERTIES


@given(json_values)
def test_nothing_that_is_called_like_a_secret_is_shown(value):
    told = views.masked({"ipmi_password": value, "deep": [{"agent_secret_token": value, "address": "x"}]})
    assert told["deep"][0]["address"] == "x"
    for shown in (told["ipmi_password"], told["deep"][0]["agent_secret_token"]):
        assert shown == views.HIDDEN or not shown


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://ironic:6385/v1/", "B/v1/"),
        ("http://ironic:6385/v1/nodes/x", "B/v1/nodes/x"),
        ("http://ironic:6385/nodes/x", "B/v1/nodes/x"),
        ("https://cloud/baremetal/v1/nodes/x/ports", "B/v1/nodes/x/ports"),
        ("http://ironic:6385/v1/volume/connectors/x", "B/v1/volume/connectors/x"),
        ("http://ironic:6385/v1/chassis/x", None),
        ("https://docs.openstack.org/ironic/latest/contributor//webapi.html", None),
        ("http://ironic:6385/", None),
        (None, None),
        (7, None),
    ],
)
def test_addresses_lead_back_to_the_provider_or_nowhere(address, expected):
    assert views.relinked_address(address, "B") == expected


@given(json_values)
def test_what_is_no_link_stays_as_it_is(value):
    node = {"extra": value, "properties": {"links": value}}
    assert json.dumps(views.relinked(node, "B")) == json.dumps(node)
