# SPDX-License-Identifier: Apache-2.0
"""There is no way around: what does not go through is refused, and Ironic never hears of it."""

import io
import json

import pytest
from requests.auth import _basic_auth_str

from flocx_common.domain.holders import MARK, NodeAttributes
from tests.builders import uid
from tests.fake_baremetal import TOKEN

N1, N2, N3, N5 = uid(1001), uid(1002), uid(1003), uid(1005)
ON = {"target": "power on"}


def raw(mirror, user, method, path, *, query="", body=b"", **environ):
    """Send a request with a path as a server hands it over, decoded; return status, headers, body."""
    started = []
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_AUTHORIZATION": _basic_auth_str(user, user),
        **environ,
    }
    chunks = mirror.app(environ, lambda status, headers, *_: started.append((status, headers)))
    content = b"".join(chunks)
    return int(started[-1][0].split()[0]), dict(started[-1][1]), content


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chassis",
        "/v1/conductors",
        "/v1/drivers",
        "/v1/drivers/ipmi/vendor_passthru",
        "/v1/allocations",
        "/v1/deploy_templates",
        "/v1/runbooks",
        "/v1/shards",
        "/v1/events",
        "/v1/lookup",
        "/v1/heartbeat/{n3}",
        "/v1/continue_inspection",
        "/v1/inspection_rules",
        "/v1/volume",
        "/v1/volume/targets",
        "/v1/volume/connectors/detail",
        "/v1/nodes/{n3}/vifs",
        "/v1/nodes/{n3}/vmedia",
        "/v1/nodes/{n3}/vendor_passthru",
        "/v1/nodes/{n3}/vendor_passthru/methods",
        "/v1/nodes/{n3}/management",
        "/v1/nodes/{n3}/management/indicators",
        "/v1/nodes/{n3}/states/raid",
        "/v1/nodes/{n3}/states/boot_mode",
        "/v1/nodes/{n3}/states/secure_boot",
        "/v1/nodes/{n3}/allocation",
        "/v1/nodes/{n3}/children",
        "/v1/nodes/{n3}/volume",
        "/v1/nodes/{n3}/volume/targets",
        "/v1/nodes/{n3}/detail",
        "/v1/nodes/{n3}/unknown",
        "/v1/portgroups/{g3}/ports",
        "/nodes",
        "/nodes/{n3}",
        "/v2/nodes",
        "/V1/nodes",
        "/v1/Nodes",
        "/v1/nodes/{n3}/States/power",
        "/v1beta/nodes",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_what_is_not_in_the_table_is_not_there(mirror, method, path):
    path = path.format(n3=N3, g3=uid(3003))
    for user in ("owner-a", "admin"):
        response = mirror.browser(user)(method, f"/baremetal{path}", {}, status=(404, 405))
        assert response.json["errors"][0]["code"].startswith("flocx.request.")
    assert mirror.ironic.requests == []


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "MERGE"])
def test_other_methods_do_not_go_through(mirror, method):
    for path in ("/baremetal/v1/nodes", f"/baremetal/v1/nodes/{N3}", f"/baremetal/v1/nodes/{N3}/states/power"):
        status, headers, _ = raw(mirror, "owner-a", method, path)
        assert status == 405
        assert headers["Allow"]
    assert mirror.ironic.requests == []


def test_a_head_is_a_get_without_a_body(mirror):
    status, _, content = raw(mirror, "owner-a", "HEAD", f"/baremetal/v1/nodes/{N3}")
    assert (status, content) == (200, b"")
    assert raw(mirror, "owner-a", "HEAD", f"/baremetal/v1/nodes/{N2}")[0] == 404
    assert raw(mirror, "owner-a", "HEAD", f"/baremetal/v1/nodes/{N3}/maintenance")[0] == 405
    assert {one["method"] for one in mirror.ironic.requests} == {"GET"}


# As the application sees them: %2e is a dot, %2f a slash, %3b a semicolon by then.
PATHS = [
    "/v1/nodes/../nodes/{n2}",
    "/v1/nodes/./{n2}",
    "/v1/nodes/{n3}/../{n2}",
    "/v1/nodes/{n3}/../{n2}/states/power",
    "/v1/nodes/{n3}/../../chassis",
    "/v1//nodes/{n2}",
    "//v1/nodes/{n2}",
    "/v1/nodes//{n2}",
    "/v1/nodes/{n2}//states/power",
    "/v1/nodes/{n2}/states//power",
    "/v1/nodes/{n2}/states/power//",
    "/v1/nodes/..",
    "/v1/nodes/.",
    "/v1/..",
    "/../v1/nodes",
    "/v1/nodes/{n3};owner=x",
    "/v1/nodes/;{n2}",
    "/v1/nodes/{n3}?/{n2}",
    "/v1/nodes/{n3}#/{n2}",
    "/v1/nodes/{n3} ",
    "/v1/nodes/{n3}\t",
    "/v1/nodes/{n3}\r\nX-Evil: 1",
    "/v1/nodes/{n3}\\..\\{n2}",
    "/v1/nodes/%2e%2e/{n2}",
    "/v1/nodes/{n3}%2f..%2f{n2}",
    "/v1/nodes/{n3}%00",
    "/v1/nodes/{n2}%20",
    "/v1/nodes/n\u00c2\u00b2",
    "/v1/nodes/\u00ef\u00bc\u00ae2",
    "/v1/nodes/\u00e2\u0080\u00a5",
    "/v1/nodes/n2,n3",
    "/v1/nodes/{{n2}}",
    "/v1/nodes/n2*",
    "/v1/nodes/@n2",
    "/v1/nodes/" + "n" * 256,
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_paths_that_say_something_else_than_they_seem_lead_nowhere(mirror, method, path):
    path = path.format(n2=N2, n3=N3)
    for user in ("owner-a", "consumer-a"):
        status, _, _ = raw(mirror, user, method, f"/baremetal{path}", body=b"{}" if method != "GET" else b"")
        assert status in (400, 404)
    assert mirror.ironic.requests == []


def test_a_path_with_nul_or_without_utf8_is_refused(mirror):
    for path in ("/baremetal/v1/nodes/n3\x00", "/baremetal/v1/nodes/n\xff"):
        assert raw(mirror, "owner-a", "GET", path)[0] == 400
    assert mirror.ironic.requests == []


@pytest.mark.parametrize("ident", ["n2", N2, N2.upper(), N2.replace("-", ""), "n2.json", f"{N2}.json", "{" + N2 + "}"])
@pytest.mark.parametrize(
    ("method", "below", "body"),
    [("GET", "", None), ("PUT", "/states/power", ON), ("PATCH", "", [{"op": "add", "path": "/name", "value": "x"}])],
)
def test_a_foreign_node_is_not_found_however_it_is_named(mirror, ident, method, below, body):
    for user in ("owner-a", "consumer-a", "consumer-b"):
        mirror.browser(user)(method, f"/baremetal/v1/nodes/{ident}{below}", body, status=404)
    assert mirror.ironic.changes() == []


def test_a_name_counts_for_the_node_that_was_checked(mirror):
    """Between the look and the act a name can come to mean another node; the act names the uuid."""
    mirror.browser("owner-a")("PUT", "/baremetal/v1/nodes/n3/states/power", ON)
    assert mirror.ironic.requests[-1]["path"] == f"/v1/nodes/{N3}/states/power"


@pytest.mark.parametrize("word", ["detail", "validate", "ports", "states", "maintenance", "vendor_passthru", "bios"])
def test_words_of_ironics_own_are_no_names(mirror, word):
    mirror.node(8, "p-owner-a", name=word)
    for method, below, body in (("GET", "/states", None), ("PUT", "/states/power", ON), ("DELETE", "", None)):
        mirror.browser("owner-a")(method, f"/baremetal/v1/nodes/{word}{below}", body, status=(404, 405))
    assert mirror.ironic.requests == []


def test_a_node_has_one_name(mirror):
    """Ironic finds n3 by n3.json, too."""
    mirror.browser("owner-a").get("/baremetal/v1/nodes/n3.json", status=404)
    mirror.browser("owner-a")("PUT", "/baremetal/v1/nodes/n3.json/states/power", ON, status=404)
    assert mirror.ironic.changes() == []


def test_a_slash_at_the_end_makes_no_difference(mirror):
    assert mirror.browser("owner-a").get("/baremetal/v1/nodes/").json["nodes"]
    assert mirror.browser("owner-a").get(f"/baremetal/v1/nodes/{N3}/").json["uuid"] == N3
    mirror.browser("owner-a").get(f"/baremetal/v1/nodes/{N2}/", status=404)


@pytest.mark.parametrize(
    "query",
    [
        "project=p-owner-b",
        "owner=p-owner-b",
        "lessee=p-consumer-b",
        "chassis_uuid=" + uid(1),
        "conductor=conductor-1",
        "conductor_group=x",
        "shard=x",
        "sharded=true",
        "parent_node=" + N2,
        "include_children=true",
        "fields=uuid&fields=driver_info",
        "limit=1&limit=2",
        "sort_key=name,owner",
        "fields=uuid,*",
        "fields=uuid%0a",
        "fields=",
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1e3",
        "limit=%D9%A1",
        "marker=" + N2,
        "marker=n3",
        "marker=",
        "unknown=1",
        "_method=DELETE",
        "target=active",
        "resource_class=%00",
    ],
)
def test_query_parameters_that_widen_a_list_are_refused(mirror, query):
    for path in ("/v1/nodes", "/v1/nodes/detail"):
        status, _, content = raw(mirror, "owner-a", "GET", f"/baremetal{path}", query=query)
        assert status == 400, content
        assert json.loads(content)["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("method", "below"),
    [("PUT", "/states/power"), ("PUT", "/states/provision"), ("PUT", "/maintenance"), ("DELETE", "/maintenance")],
)
@pytest.mark.parametrize("query", ["target=active", "node_ident=n2", "fields=uuid", "force=1"])
def test_acts_take_nothing_from_the_query(mirror, method, below, query):
    body = b'{"target": "power on"}' if method == "PUT" else b""
    assert raw(mirror, "owner-a", method, f"/baremetal/v1/nodes/n3{below}", query=query, body=body)[0] == 400
    assert mirror.ironic.requests == []


PATCHES = [
    [{"op": "replace", "path": "/owner", "value": "p-consumer-a"}],
    [{"op": "remove", "path": "/owner"}],
    [{"op": "add", "path": "/lessee", "value": "p-owner-a"}],
    [{"op": "remove", "path": "/lessee"}],
    [{"op": "replace", "path": "/properties", "value": {}}],
    [{"op": "remove", "path": "/properties"}],
    [{"op": "add", "path": "/properties/", "value": {}}],
    [{"op": "add", "path": "/properties/-", "value": {}}, {"op": "add", "path": "/owner", "value": "x"}],
    [{"op": "replace", "path": "/properties/project_owner_id", "value": "p-consumer-a"}],
    [{"op": "remove", "path": "/properties/project_owner_id"}],
    [{"op": "add", "path": "/properties/project_id", "value": "p-owner-a"}],
    [{"op": "add", "path": "/properties/project_id/x", "value": "p-owner-a"}],
    [{"op": "add", "path": f"/properties/{MARK}", "value": "x"}],
    [{"op": "remove", "path": f"/properties/{MARK}"}],
    [{"op": "add", "path": "/properties/project~0_id", "value": "x"}],
    [{"op": "add", "path": "/properties~1project_id", "value": "x"}],
    [{"op": "add", "path": "/properties/~0", "value": "x"}],
    [{"op": "add", "path": "//owner", "value": "x"}],
    [{"op": "add", "path": "/owner/", "value": "x"}],
    [{"op": "add", "path": "/owner\n", "value": "x"}],
    [{"op": "add", "path": " /owner", "value": "x"}],
    [{"op": "add", "path": "/Owner", "value": "x"}],
    [{"op": "add", "path": "owner", "value": "x"}],
    [{"op": "add", "path": "", "value": {"owner": "x"}}],
    [{"op": "add", "path": "/", "value": {"owner": "x"}}],
    [{"op": "add", "path": ["/owner"], "value": "x"}],
    [{"op": "add", "path": "/properties/%70roject_id", "value": "x"}],
    [{"op": "add", "path": "/properties/\u0440roject_id", "value": "x"}],
    [{"op": "move", "from": "/extra/note", "path": "/owner"}],
    [{"op": "move", "from": "/owner", "path": "/extra/x"}],
    [{"op": "copy", "from": "/driver_info", "path": "/extra/x"}],
    [{"op": "copy", "from": "/extra/note", "path": "/properties/project_id"}],
    [{"op": "test", "path": "/owner", "value": "x"}],
    [{"op": "ADD", "path": "/extra/x", "value": "x"}],
    [{"op": "add", "path": "/extra/x", "value": "x", "from": "/owner"}],
    [{"op": "add", "path": "/extra/x"}],
    [{"op": "remove", "path": "/extra/note", "value": "x"}],
    [{"path": "/owner", "value": "x"}],
    [{"op": "add", "path": "/extra/x", "value": 1}, {"op": "replace", "path": "/owner", "value": "x"}],
    [{"op": "add", "path": "/chassis_uuid", "value": uid(1)}],
    [{"op": "add", "path": "/parent_node", "value": N2}],
    [{"op": "add", "path": "/instance_uuid", "value": uid(1)}],
    [{"op": "add", "path": "/conductor_group", "value": "x"}],
    [{"op": "add", "path": "/shard", "value": "x"}],
    [{"op": "add", "path": "/automated_clean", "value": False}],
    [{"op": "add", "path": "/protected", "value": True}],
    [{"op": "add", "path": "/disable_power_off", "value": True}],
    [{"op": "add", "path": "/network_interface", "value": "noop"}],
    [{"op": "add", "path": "/storage_interface", "value": "cinder"}],
    [{"op": "add", "path": "/maintenance", "value": True}],
    [{"op": "add", "path": "/uuid", "value": uid(1)}],
    [{"op": "add", "path": "/power_state", "value": "power on"}],
    [{"op": "add", "path": "/provision_state", "value": "active"}],
    [{"op": "add", "path": "/traits", "value": []}],
    [{"op": "add", "path": "/id", "value": 1}],
    [],
    {},
    {"op": "add", "path": "/extra/x", "value": 1},
    "owner",
    [["/owner"]],
]


@pytest.mark.parametrize("patch", PATCHES)
@pytest.mark.parametrize("user", ["owner-a", "admin"])
def test_no_patch_changes_whose_the_node_is_or_what_is_the_operators(mirror, patch, user):
    before = json.dumps(mirror.ironic.things["nodes"])
    response = mirror.browser(user)("PATCH", "/baremetal/v1/nodes/n3", patch, status=(400, 403))
    assert response.json["errors"][0]["detail"]
    assert json.dumps(mirror.ironic.things["nodes"]) == before
    assert mirror.ironic.changes() == []


@pytest.mark.parametrize("attributes", [NodeAttributes("properties/whose", "properties/with")])
@pytest.mark.parametrize("path", ["/properties/whose", "/properties/with", "/properties/" + MARK, "/owner", "/lessee"])
def test_what_says_whose_a_node_is_is_what_the_configuration_says(mirror, path):
    patch = [{"op": "add", "path": path, "value": "x"}]
    mirror.browser("owner-a")("PATCH", "/baremetal/v1/nodes/n3", patch, status=403)
    free = [{"op": "add", "path": "/properties/project_id", "value": "x"}]
    assert mirror.browser("owner-a")("PATCH", "/baremetal/v1/nodes/n3", free)


@pytest.mark.parametrize(
    "body",
    [
        b'[{"op": "add", "path": "/extra/x", "path": "/owner", "value": "x"}]',
        b'[{"op": "add", "path": "/extra/x", "value": NaN}]',
        b'[{"op": "add", "path": "/extra/x", "value": "\\u0000"}]',
        b'[{"op": "add", "path": "/extra/x", "value": 1}]]',
        b"\xff\xfe[]",
        b"[" * 5000,
    ],
)
def test_a_body_that_can_be_read_in_two_ways_is_refused(mirror, body):
    assert raw(mirror, "owner-a", "PATCH", "/baremetal/v1/nodes/n3", body=body)[0] == 400
    assert mirror.ironic.changes() == []


def test_a_body_of_another_type_or_size_is_refused(mirror):
    path = "/baremetal/v1/nodes/n3/states/power"
    good = json.dumps(ON).encode()
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        assert raw(mirror, "owner-a", "PUT", path, body=good, CONTENT_TYPE=kind)[0] == 400
    assert raw(mirror, "owner-a", "PUT", path, body=b" " * 2**20 + good)[0] == 413
    assert mirror.ironic.changes() == []


def test_a_chunked_body_is_judged_like_any_other(mirror):
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    patch = json.dumps([{"op": "replace", "path": "/owner", "value": "x"}]).encode()
    path = "/baremetal/v1/nodes/n3"
    assert raw(mirror, "owner-a", "PATCH", path, body=patch, **chunked)[0] == 403
    assert raw(mirror, "owner-a", "PATCH", path, body=b"[" + b" " * 2**20 + b"]", **chunked)[0] == 413
    assert mirror.ironic.changes() == []
    good = json.dumps(ON).encode()
    assert raw(mirror, "owner-a", "PUT", f"{path}/states/power", body=good, **chunked)[0] == 202
    assert "HTTP_TRANSFER_ENCODING" not in mirror.ironic.requests[-1]["headers"]


@pytest.mark.parametrize(
    "header", ["X_HTTP_METHOD_OVERRIDE", "X_HTTP_METHOD", "X_METHOD_OVERRIDE", "X_ORIGINAL_URL", "X_REWRITE_URL"]
)
def test_headers_do_not_turn_a_request_into_another(mirror, header):
    status, _, _ = raw(mirror, "owner-a", "GET", "/baremetal/v1/nodes/n3", **{f"HTTP_{header}": "DELETE"})
    assert status == 200
    assert mirror.ironic.changes() == []
    for one in mirror.ironic.requests:
        assert f"HTTP_{header}" not in one["headers"]


def test_nothing_of_the_caller_reaches_ironic(mirror):
    told = {
        "HTTP_X_AUTH_TOKEN": "the caller's",
        "HTTP_X_SERVICE_TOKEN": "the caller's",
        "HTTP_COOKIE": "session=the caller's",
        "HTTP_X_PROJECT_ID": "p-owner-b",
        "HTTP_X_ROLES": "admin",
        "HTTP_X_USER_ID": "the caller",
        "HTTP_OPENSTACK_SYSTEM_SCOPE": "all",
        "HTTP_X_FORWARDED_FOR": "10.1.1.1",
        "HTTP_FORWARDED": "for=10.1.1.1",
        "HTTP_X_ANYTHING": "the caller's",
        "HTTP_REFERER": "the caller's",
        "HTTP_USER_AGENT": "the caller's",
    }
    body = json.dumps(ON).encode()
    assert raw(mirror, "owner-a", "PUT", "/baremetal/v1/nodes/n3/states/power", body=body, **told)[0] == 202
    assert raw(mirror, "owner-a", "GET", "/baremetal/v1/nodes", **told)[0] == 200
    assert raw(mirror, "owner-a", "GET", "/baremetal/v1/nodes/n2", **told)[0] == 404
    assert mirror.ironic.requests
    for one in mirror.ironic.requests:
        assert one["headers"]["HTTP_X_AUTH_TOKEN"] == TOKEN
        assert "caller" not in json.dumps(one)
        assert "10.1.1.1" not in json.dumps(one)
        assert not {"HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_X_PROJECT_ID", "HTTP_X_ROLES"} & set(one["headers"])


@pytest.mark.parametrize(
    "body",
    [
        {"target": "clean"},
        {"target": "manage"},
        {"target": "inspect"},
        {"target": "service"},
        {"target": "rescue", "rescue_password": "x"},
        {"target": "provide"},
        {"target": "abort"},
        {"target": "adopt"},
        {"target": ["active"]},
        {"target": None},
        {},
        {"target": "active", "deploy_steps": []},
        {"target": "active", "clean_steps": []},
        {"target": "active", "disable_ramdisk": True},
        {"target": "active", "runbook": "x"},
        {"target": "active", "configdrive": "http://169.254.169.254/x"},
        {"target": "active", "configdrive": "file:///etc/passwd"},
    ],
)
def test_a_lessee_provisions_in_no_other_way(mirror, body):
    path = "/baremetal/v1/nodes/n1/states/provision"
    mirror.browser("consumer-a")("PUT", path, body, status=(400, 403))
    assert mirror.ironic.changes() == []


@pytest.mark.parametrize(
    "body",
    [
        {"target": "clean", "runbook": "somebody's"},
        {"target": "clean", "clean_steps": [{"interface": "a", "step": "b", "execute_on_child_nodes": True}]},
        {"target": "clean", "clean_steps": [{"interface": "a", "step": "b", "limit_child_node_execution": [N2]}]},
        {"target": "service", "service_steps": [{"interface": "a", "step": "b", "execute_on_child_nodes": "true"}]},
        {"target": "active", "deploy_steps": {"interface": "a"}},
        {"target": "active", "deploy_steps": ["x"]},
        {"target": "active", "owner": "x"},
        {"target": "active", "node_ident": N2},
        {"target": "active", "configdrive": "http://169.254.169.254/x"},
        ["active"],
        "active",
    ],
)
def test_what_an_owner_starts_does_not_reach_beyond_its_node(mirror, body):
    path = "/baremetal/v1/nodes/n3/states/provision"
    mirror.browser("owner-a")("PUT", path, body, status=400)
    assert mirror.ironic.changes() == []


@pytest.mark.parametrize("key", ["ports", "portgroups", "volume/connectors"])
class TestBelongings:
    """Ports, port groups and volume connectors."""

    @staticmethod
    def one(key, number):
        return uid({"ports": 2000, "portgroups": 3000, "volume/connectors": 4000}[key] + number)

    def test_owners_list_and_show_what_belongs_to_their_nodes(self, mirror, key):
        name = key.rpartition("/")[2]
        for user, numbers in (("owner-a", (1, 3)), ("owner-b", (2,)), ("consumer-a", ()), ("consumer-b", ())):
            listed = mirror.browser(user).get(f"/baremetal/v1/{key}").json[name]
            assert [one["uuid"] for one in listed] == [self.one(key, number) for number in numbers]
            for number in (1, 2, 3):
                status = 200 if number in numbers else 404
                mirror.browser(user).get(f"/baremetal/v1/{key}/{self.one(key, number)}", status=status)

    def test_they_change_and_remove_them_while_the_node_is_in_their_hands(self, mirror, key):
        patch = [{"op": "add", "path": "/extra/a", "value": 1}]
        mine, held, foreign = (f"/baremetal/v1/{key}/{self.one(key, number)}" for number in (3, 1, 2))
        for path, status in ((held, 403), (foreign, 404)):
            mirror.browser("owner-a")("PATCH", path, patch, status=status)
            mirror.browser("owner-a")("DELETE", path, status=status)
        for user in ("owner-a-reader", "consumer-a", "owner-b"):
            mirror.browser(user)("DELETE", mine, status=(403, 404))
        assert mirror.ironic.changes() == []
        mirror.browser("owner-a")("PATCH", mine, patch)
        mirror.browser("owner-a")("DELETE", mine, status=204)

    @pytest.mark.parametrize("field", ["node_uuid", "node_ident", "uuid", "internal_info", "owner"])
    @pytest.mark.parametrize("operation", ["add", "replace"])
    def test_none_is_moved_to_another_node(self, mirror, key, field, operation):
        patch = [{"op": operation, "path": f"/{field}", "value": N2}]
        mirror.browser("owner-a")("PATCH", f"/baremetal/v1/{key}/{self.one(key, 3)}", patch, status=403)
        assert mirror.ironic.changes() == []

    @pytest.mark.parametrize(
        ("node", "status"),
        [
            ({"node_uuid": N2}, 404),
            ({"node_uuid": "n2"}, 404),
            ({"node_ident": N2.upper()}, 404),
            ({"node_uuid": N3, "node_ident": N2}, 400),
            ({"node_uuid": f"{N3}/../{N2}"}, 404),
            ({"node_uuid": "detail"}, 404),
            ({"node_uuid": [N3]}, 400),
            ({"node_uuid": None}, 400),
            ({"node": N3}, 400),
            ({}, 400),
            ({"node_uuid": uid(1001)}, 403),
        ],
    )
    def test_none_is_added_to_a_node_in_other_hands(self, mirror, key, node, status):
        mirror.browser("owner-a")("POST", f"/baremetal/v1/{key}", node, status=status)
        mirror.browser("consumer-a")("POST", f"/baremetal/v1/{key}", node, status="4*")
        assert mirror.ironic.changes() == []

    def test_one_is_added_to_the_node_that_was_checked(self, mirror, key):
        made = mirror.browser("owner-a")("POST", f"/baremetal/v1/{key}", {"node_ident": "n3"}, status=201)
        assert mirror.ironic.changes()[-1]["body"] == {"node_uuid": N3}
        assert made.json["node_uuid"] == N3

    @pytest.mark.parametrize("query", ["node=n2", f"node={N2}", f"node={N2.upper()}", "node=../n3", "node=detail"])
    def test_a_list_by_node_is_of_nodes_of_ones_own(self, mirror, key, query):
        assert raw(mirror, "owner-a", "GET", f"/baremetal/v1/{key}", query=query)[0] == 404

    def test_a_list_by_node_has_what_belongs_to_it(self, mirror, key):
        name = key.rpartition("/")[2]
        listed = mirror.browser("owner-a").get(f"/baremetal/v1/{key}?node=n3&fields=extra").json[name]
        assert [set(one) for one in listed] == [{"extra", "links"}]
        mirror.browser("consumer-a").get(f"/baremetal/v1/{key}?node=n1", status=403)

    @pytest.mark.parametrize("marker", ["2", "9"])
    def test_a_marker_tells_nothing_of_what_others_have(self, mirror, key, marker):
        path = f"/baremetal/v1/{key}?marker={self.one(key, int(marker))}"
        (error,) = mirror.browser("owner-a").get(path, status=400).json["errors"]
        assert error["code"] == "flocx.page.marker_unknown"


def test_a_port_joins_port_groups_of_its_own_node_only(mirror):
    port = f"/baremetal/v1/ports/{uid(2003)}"
    for group in (uid(3002), uid(3001), "g2", "../x", uid(3999), 7):
        patch = [{"op": "add", "path": "/portgroup_uuid", "value": group}]
        mirror.browser("owner-a")("PATCH", port, patch, status=400)
        body = {"node_uuid": N3, "address": "02:00:00:00:00:09", "portgroup_uuid": group}
        mirror.browser("owner-a")("POST", "/baremetal/v1/ports", body, status=400)
    assert mirror.ironic.changes() == []
    patch = [{"op": "add", "path": "/portgroup_uuid", "value": uid(3003)}]
    assert mirror.browser("owner-a")("PATCH", port, patch)
    assert mirror.browser("owner-a")("PATCH", port, [{"op": "remove", "path": "/portgroup_uuid"}])
