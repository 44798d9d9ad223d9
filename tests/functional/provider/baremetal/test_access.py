# SPDX-License-Identifier: Apache-2.0
"""Who reaches which node through the provider, and what of it they see and do."""

import json

import pytest

from flocx_common.domain.holders import MARK, NodeAttributes
from flocx_provider.domain.baremetal_routes import ROUTES, Kind
from tests.builders import at, uid

from .conftest import ELSEWHERE, LESSEE, A

N1, N2, N3, N6 = uid(1001), uid(1002), uid(1003), uid(1006)
USERS = ("owner-a", "owner-a-member", "owner-a-reader", "owner-b", "consumer-a", "consumer-a-reader", "consumer-b")


def names(mirror, user, query=""):
    return [one["name"] for one in mirror.browser(user).get(f"/baremetal/v1/nodes{query}").json["nodes"]]


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("owner-a", ["n1", "n3", "n6"]),
        ("owner-a-reader", ["n1", "n3", "n6"]),
        ("owner-b", ["n2", "n5"]),
        ("consumer-a", ["n1"]),
        ("consumer-b", ["n5"]),
        ("admin", ["n1", "n2", "n3", "n4", "n5", "n6"]),
    ],
)
def test_everybody_lists_the_nodes_they_own_or_hold_and_no_others(mirror, user, expected):
    assert names(mirror, user) == expected
    assert names(mirror, user, "/detail") == expected
    for number in range(1, 7):
        status = 200 if f"n{number}" in expected else 404
        assert mirror.browser(user).get(f"/baremetal/v1/nodes/n{number}", status=status)
        assert mirror.browser(user).get(f"/baremetal/v1/nodes/{uid(1000 + number).upper()}", status=status)


def test_somebody_without_credentials_gets_nothing_but_the_versions(mirror):
    for path in ("/v1/nodes", "/v1/nodes/n1", "/v1/nowhere", "/v1/ports"):
        response = mirror.browser(None).get(f"/baremetal{path}", status=401)
        assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert mirror.ironic.requests == []
    assert mirror.browser(None).get("/baremetal/").json["default_version"]["id"] == "v1"
    assert "HTTP_X_AUTH_TOKEN" not in mirror.ironic.requests[-1]["headers"]


def test_a_user_without_a_role_gets_nothing(mirror):
    mirror.browser("service").get("/baremetal/v1/nodes", status=403)
    mirror.browser("service").get("/baremetal/v1/nodes/n1", status=403)
    assert mirror.ironic.requests == []


def test_what_is_not_below_the_prefix_is_served_as_before(mirror):
    for path in ("/", "/v1/nodes", "/baremetalx", "/v1/baremetal"):
        assert mirror.browser("owner-a").get(path).body == ELSEWHERE


def test_without_ironic_there_is_nothing_and_it_says_so(mirror):
    mirror.app = mirror.around(None)
    mirror.browser(None).get("/baremetal/v1/nodes", status=401)
    for path in ("", "/", "/v1", "/v1/nodes", "/v1/nodes/n1/states"):
        (error,) = mirror.browser("owner-a").get(f"/baremetal{path}", status=404).json["errors"]
        assert error["code"] == "flocx.baremetal.absent"
        assert "[provider] driver" in error["detail"]


def test_a_lessee_sees_no_more_of_a_node_than_it_needs(mirror):
    shown = mirror.browser("consumer-a").get("/baremetal/v1/nodes/n1").json
    assert set(shown) == {
        "uuid",
        "name",
        "power_state",
        "provision_state",
        "maintenance",
        "instance_uuid",
        "resource_class",
        "traits",
        "properties",
        "links",
    }
    assert shown["properties"] == {"cpus": 8, "cpu_arch": "x86_64"}
    for path in ("", "/states"):
        text = mirror.browser("consumer-a").get(f"/baremetal/v1/nodes/n1{path}").text
        for foreign in ("10.0.0.9", "secret", "conductor", "owner", A, "ironic.internal", "S1"):
            assert foreign not in text
    asked = "fields=driver_info,owner,extra,uuid,properties"
    shown = mirror.browser("consumer-a").get(f"/baremetal/v1/nodes/n1?{asked}").json
    assert set(shown) == {"uuid", "properties", "links"}
    shown = mirror.browser("consumer-a").get("/baremetal/v1/nodes/detail").json["nodes"]
    assert [set(one) & {"driver_info", "extra", "owner", "reservation"} for one in shown] == [set()]


def test_secrets_of_a_node_are_hidden_from_its_owner_and_the_bmc_from_its_members(mirror):
    free = mirror.browser("owner-a").get("/baremetal/v1/nodes/n3").json
    assert free["driver_info"] == {"ipmi_address": "10.0.0.9", "ipmi_password": "******"}
    assert free["driver_internal_info"] == {"agent_secret_token": "******"}
    assert free["instance_info"] == {"image_source": "http://images/x", "configdrive": "******"}
    assert "secret word" not in json.dumps(free)
    for user in ("owner-a-member", "owner-a-reader"):
        shown = mirror.browser(user).get("/baremetal/v1/nodes/n3").json
        assert not {"driver_info", "driver_internal_info"} & set(shown)
        assert shown["extra"] == {"note": "the owner's"}
    assert "instance_info" not in mirror.browser("owner-a").get("/baremetal/v1/nodes/n1").json


LESSEE_DOES = [
    ("GET", "", None),
    ("GET", "/states", None),
    ("PUT", "/states/power", {"target": "power on"}),
    ("PUT", "/states/power", {"target": "rebooting", "timeout": 5}),
    ("PUT", "/states/provision", {"target": "active", "configdrive": "H4sIAAAA+/="}),
    ("PUT", "/states/provision", {"target": "active", "configdrive": {"meta_data": {"a": "b"}}}),
    ("PUT", "/states/provision", {"target": "deleted"}),
    ("PUT", "/states/provision", {"target": "rebuild"}),
    ("GET", "/management/boot_device", None),
    ("GET", "/management/boot_device/supported", None),
    ("PUT", "/management/boot_device", {"boot_device": "pxe", "persistent": False}),
    ("GET", "/states/console", None),
    ("PUT", "/states/console", {"enabled": True}),
]
LESSEE_READS = [one for one in LESSEE_DOES if one[0] == "GET" and one[1] != "/states/console"]
OWNER_DOES = [
    *LESSEE_DOES,
    *[
        ("PUT", "/states/provision", {"target": target})
        for target in ("manage", "provide", "inspect", "abort", "adopt")
    ],
    ("PUT", "/states/provision", {"target": "clean", "clean_steps": [{"interface": "deploy", "step": "erase"}]}),
    ("PUT", "/management/inject_nmi", {}),
    ("PUT", "/traits", {"traits": ["CUSTOM_A"]}),
    ("PUT", "/traits/CUSTOM_B", None),
    ("DELETE", "/traits/CUSTOM_B", None),
    ("DELETE", "/traits", None),
    ("PATCH", "", [{"op": "add", "path": "/extra/a", "value": 1}]),
    ("PATCH", "", [{"op": "replace", "path": "/properties/cpus", "value": 4}]),
    ("PATCH", "", [{"op": "replace", "path": "/driver_info/ipmi_address", "value": "10.0.0.8"}]),
]
OWNER_ALWAYS = [
    *LESSEE_READS,
    ("PUT", "/maintenance", {"reason": "a fan"}),
    ("DELETE", "/maintenance", None),
    ("GET", "/validate", None),
    ("GET", "/traits", None),
    ("GET", "/bios", None),
    ("GET", "/firmware", None),
    ("GET", "/inventory", None),
    ("GET", "/history", None),
    ("GET", "/ports", None),
    ("GET", "/portgroups/detail", None),
    ("PATCH", "", [{"op": "add", "path": "/description", "value": "x"}]),
    ("PATCH", "", [{"op": "add", "path": "/retired", "value": True}]),
]


@pytest.mark.parametrize(("method", "below", "body"), LESSEE_DOES)
def test_a_lessee_uses_the_node_while_its_contract_runs(mirror, method, below, body):
    assert mirror.browser("consumer-a")(method, f"/baremetal/v1/nodes/n1{below}", body)
    assert mirror.ironic.requests[-1]["path"] == f"/v1/nodes/{N1}{below}"
    assert mirror.ironic.requests[-1]["body"] == body


@pytest.mark.parametrize(("method", "below", "body"), LESSEE_DOES)
@pytest.mark.parametrize("why", ["ended", "not yet", "unmarked", "other lessee", "other mark", "contested", "failed"])
def test_a_lessee_finds_no_node_when_its_contract_does_not_run(mirror, method, below, body, why):
    node = mirror.ironic.things["nodes"][N1]
    match why:
        case "ended":
            mirror.clock.advance(10 * 3600)
        case "not yet":
            mirror.clock.advance(-60)
        case "unmarked":
            del node["properties"][MARK]
        case "other lessee":
            node["properties"]["project_id"] = "p-consumer-b"
        case "other mark":
            node["properties"][MARK] = uid(6005)
        case "contested":
            node["lessee"] = "p-consumer-b"
        case "failed":

            def fail(uow):
                allocation = uow.allocations.get(uid(7001))
                uow.allocations.update(allocation.failed(at(1), "gone", breach=False, settled=False))

            mirror.store.write(fail)
    before = len(mirror.ironic.changes())
    mirror.browser("consumer-a")(method, f"/baremetal/v1/nodes/n1{below}", body, status=404)
    assert len(mirror.ironic.changes()) == before
    assert names(mirror, "consumer-a") == []


@pytest.mark.parametrize(
    ("method", "below", "body"), [one for one in [*OWNER_DOES, *OWNER_ALWAYS] if one not in LESSEE_DOES]
)
def test_what_is_for_owners_only_is_refused_to_a_lessee(mirror, method, below, body):
    mirror.browser("consumer-a")(method, f"/baremetal/v1/nodes/n1{below}", body, status=403)
    assert mirror.ironic.changes() == []


@pytest.mark.parametrize(("method", "below", "body"), [*OWNER_DOES, *OWNER_ALWAYS])
def test_an_owner_does_with_a_free_node_what_ironic_lets_it(mirror, method, below, body):
    assert mirror.browser("owner-a")(method, f"/baremetal/v1/nodes/n3{below}", body)
    asked = mirror.ironic.requests[-1]
    assert (asked["method"], asked["path"]) == (method, f"/v1/nodes/{N3}{below}")
    mirror.browser("owner-b")(method, f"/baremetal/v1/nodes/n3{below}", body, status=404)


@pytest.mark.parametrize(("method", "below", "body"), OWNER_ALWAYS)
def test_an_owner_goes_on_administering_a_node_that_a_lessee_holds(mirror, method, below, body):
    assert mirror.browser("owner-a")(method, f"/baremetal/v1/nodes/n1{below}", body)


@pytest.mark.parametrize(
    ("method", "below", "body"), [one for one in OWNER_DOES if one not in LESSEE_READS] + [("DELETE", "", None)]
)
@pytest.mark.parametrize("node", ["n1", "n6"])
def test_an_owner_does_nothing_to_a_node_in_other_hands_that_these_would_feel(mirror, method, below, body, node):
    response = mirror.browser("owner-a")(method, f"/baremetal/v1/nodes/{node}{below}", body, status=403)
    assert "flocx_provider:baremetal:held" in response.json["errors"][0]["detail"]
    assert mirror.ironic.changes() == []


def test_a_node_whose_mark_the_owner_took_away_is_still_in_the_lessees_hands(mirror):
    properties = mirror.ironic.things["nodes"][N1]["properties"]
    del properties[MARK], properties["project_id"]
    mirror.browser("owner-a")("PUT", "/baremetal/v1/nodes/n1/states/power", {"target": "power off"}, status=403)


def test_an_owner_that_holds_its_own_node_uses_it(mirror):
    mirror.node(7, A, A, mirror.contract(7, A))
    assert mirror.browser("owner-a")("PUT", "/baremetal/v1/nodes/n7/states/power", {"target": "power on"})


@pytest.mark.parametrize(
    ("user", "method", "below", "body"),
    [
        ("owner-a-reader", "PUT", "/states/power", {"target": "power on"}),
        ("owner-a-reader", "PUT", "/maintenance", {}),
        ("owner-a-reader", "PATCH", "", [{"op": "add", "path": "/description", "value": "x"}]),
        ("owner-a-member", "PATCH", "", [{"op": "add", "path": "/driver_info/a", "value": "x"}]),
        ("owner-a-member", "PATCH", "", [{"op": "replace", "path": "/power_interface", "value": "x"}]),
        ("owner-a", "DELETE", "", None),
    ],
)
def test_roles_within_the_project_count(mirror, user, method, below, body):
    mirror.browser(user)(method, f"/baremetal/v1/nodes/n3{below}", body, status=403)
    assert mirror.ironic.changes() == []


def test_a_reader_of_the_lessee_looks_and_does_nothing(mirror):
    browser = mirror.browser("consumer-a-reader")
    assert browser.get("/baremetal/v1/nodes/n1")
    browser("PUT", "/baremetal/v1/nodes/n1/states/power", {"target": "power on"}, status=403)
    browser.get("/baremetal/v1/nodes/n1/states/console", status=403)


@pytest.mark.parametrize(
    "policy", ['{"flocx_provider:baremetal:held": "role:manager and project_id:%(owner_project_id)s"}']
)
def test_an_operator_can_let_owners_at_held_nodes(mirror):
    body = {"target": "power off"}
    assert mirror.browser("owner-a")("PUT", "/baremetal/v1/nodes/n1/states/power", body)
    mirror.browser("owner-a-member")("PUT", "/baremetal/v1/nodes/n1/states/power", body, status=403)
    mirror.browser("owner-b")("PUT", "/baremetal/v1/nodes/n1/states/power", body, status=404)


@pytest.mark.parametrize("policy", ['{"flocx_provider:baremetal:maintenance": "role:member"}'])
def test_no_policy_file_gives_lessees_what_is_for_owners_only(mirror):
    mirror.browser("consumer-a")("PUT", "/baremetal/v1/nodes/n1/maintenance", {}, status=403)
    assert mirror.ironic.changes() == []


@pytest.mark.parametrize(
    "policy",
    ['{"flocx_provider:baremetal:create": "role:manager", "flocx_provider:baremetal:delete": "role:manager"}'],
)
@pytest.mark.parametrize("attributes", [NodeAttributes(), NodeAttributes("owner", "lessee")])
def test_where_policy_lets_owners_enrol_nodes_they_are_the_owners_own(mirror):
    browser = mirror.browser("owner-a")
    made = browser("POST", "/baremetal/v1/nodes", {"driver": "fake-hardware", "name": "new"}, status=201)
    assert made.headers["Location"] == f"http://localhost/baremetal/v1/nodes/{made.json['uuid']}"
    assert "new" in names(mirror, "owner-a")
    sent = mirror.ironic.changes()[-1]["body"]
    assert A in (sent.get("owner"), sent.get("properties", {}).get("project_owner_id"))
    for body in (
        {"driver": "x", "owner": "p-owner-b"},
        {"driver": "x", "lessee": LESSEE},
        {"driver": "x", "properties": {MARK: uid(1)}},
        {"driver": "x", "chassis_uuid": uid(1)},
        {"driver": "x", "parent_node": N2},
        [{"driver": "x"}],
    ):
        assert browser("POST", "/baremetal/v1/nodes", body, status="4*")
    browser("DELETE", "/baremetal/v1/nodes/new", status=204)
    browser("DELETE", "/baremetal/v1/nodes/n2", status=404)
    browser("DELETE", "/baremetal/v1/nodes/n1", status=403)
    assert [one["method"] for one in mirror.ironic.changes()] == ["POST", "DELETE"]


def test_nobody_enrols_or_removes_nodes_by_default(mirror):
    for user in (*USERS, "admin"):
        mirror.browser(user)("POST", "/baremetal/v1/nodes", {"driver": "fake-hardware"}, status=403)
        mirror.browser(user)("DELETE", "/baremetal/v1/nodes/n3", status="4*")
    assert mirror.ironic.changes() == []


@pytest.mark.parametrize("attributes", [NodeAttributes("owner", "lessee"), NodeAttributes(mirror_lessee=True)])
def test_owner_and_lessee_are_where_the_cloud_keeps_them(mirror):
    assert names(mirror, "owner-a") == ["n1", "n3", "n6"]
    assert names(mirror, "consumer-a") == ["n1"]
    assert mirror.browser("consumer-a")("PUT", "/baremetal/v1/nodes/n1/states/power", {"target": "power on"})


def test_every_route_of_the_table_leads_to_ironic_for_an_owner_or_is_closed_by_policy(mirror):
    variables = {
        "node": "n3",
        "trait": "CUSTOM_X",
        "setting": "x",
        "event": uid(5),
        "uuid": "",
    }
    kinds = {"ports": uid(2003), "portgroups": uid(3003), "connectors": uid(4003)}
    for route in ROUTES:
        variables["uuid"] = kinds[route.collection.key] if route.collection else ""
        path = route.path.format(**variables)
        body = None
        if route.patch:
            field = sorted(route.body - {"properties", "driver"})[0]
            body = [{"op": "add", "path": f"/{field}", "value": "x"}]
        elif route.kind is Kind.CHILDREN and route.method == "POST":
            body = {"node_uuid": N3}
        elif route.body is not None:
            body = {"target": "power on"} if "power" in path else {}
        response = mirror.browser("owner-a")(route.method, f"/baremetal{path}", body, status="*")
        # The fake knows no single BIOS setting and no single event.
        assert (
            response.status_int in (200, 201, 202, 204)
            or route.path.endswith(("{setting}", "{event}"))
            or (route.action in ("create", "delete") and response.status_int == 403)
        ), (route.shown, response.text)
