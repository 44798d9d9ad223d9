# SPDX-License-Identifier: Apache-2.0
"""What comes back from Ironic: its errors, versions and headers as they are, its failures told in our words."""

import json
from dataclasses import replace

import pytest

from tests.builders import uid
from tests.fake_baremetal import HIGHEST

VERSION = "X-OpenStack-Ironic-API-Version"
NODES = "/baremetal/v1/nodes"


def test_ironics_refusals_come_through_as_they_are(mirror):
    node = mirror.ironic.things["nodes"][uid(1001)]
    node["provision_state"] = "cleaning"
    response = mirror.browser("consumer-a")("PUT", f"{NODES}/n1/states/power", {"target": "power on"}, status=400)
    assert set(response.json) == {"error_message"}
    fault = json.loads(response.json["error_message"])
    assert fault["faultstring"] == 'The requested action "power" can not be performed.'
    assert response.headers["X-OpenStack-Request-Id"].startswith("req-")


def test_our_refusals_can_be_read_by_clients_of_both(mirror):
    for path, status in (("n2", 404), ("n1/validate", 403), ("n1/unknown", 404)):
        response = mirror.browser("consumer-a").get(f"{NODES}/{path}", status=status)
        (error,) = response.json["errors"]
        assert error["status"] == status
        assert error["request_id"] == response.headers["X-OpenStack-Request-Id"]
        assert json.loads(response.json["error_message"])["faultstring"] == error["detail"]


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/nodes", "/v1/nodes/n1", "/v1/nodes/n1/states"])
@pytest.mark.parametrize(("asked", "answered"), [(None, "1.1"), ("1.87", "1.87"), ("latest", f"1.{HIGHEST}")])
def test_microversions_are_ironics(mirror, path, asked, answered):
    headers = {} if asked is None else {VERSION: asked}
    response = mirror.browser("consumer-a").get(f"/baremetal{path}", headers=headers)
    assert response.headers[VERSION] == answered
    assert response.headers["X-OpenStack-Ironic-API-Minimum-Version"] == "1.1"
    assert response.headers["X-OpenStack-Ironic-API-Maximum-Version"] == f"1.{HIGHEST}"
    sent = mirror.ironic.requests[-1]["headers"].get("HTTP_X_OPENSTACK_IRONIC_API_VERSION")
    assert sent == asked


def test_the_newer_header_counts_before_the_older_as_in_ironic(mirror):
    headers = {VERSION: "1.50", "OpenStack-API-Version": "compute 2.1, baremetal 1.87"}
    assert mirror.browser("consumer-a").get(f"{NODES}/n1", headers=headers).headers[VERSION] == "1.87"
    headers = {VERSION: "1.50", "OpenStack-API-Version": "baremetal-provider 1.0"}
    assert mirror.browser("consumer-a").get(f"{NODES}/n1", headers=headers).headers[VERSION] == "1.50"


@pytest.mark.parametrize("version", ["1.87\t1", "one", "1", "1.2.3", "-1.1", "1.9999999", "", "1.\u0663"])
def test_a_version_that_is_none_is_refused(mirror, version):
    response = mirror.browser("consumer-a").get(f"{NODES}/n1", headers={VERSION: version}, status="*")
    assert response.status_int == (200 if version == "" else 400)


def test_a_version_that_ironic_does_not_have_is_ironics_to_refuse(mirror):
    response = mirror.browser("consumer-a").get(f"{NODES}/n1", headers={VERSION: "1.999"}, status=406)
    assert response.headers["X-OpenStack-Ironic-API-Maximum-Version"] == f"1.{HIGHEST}"
    assert "not supported" in json.loads(response.json["error_message"])["faultstring"]


def test_the_roots_tell_what_is_mirrored_and_nothing_else(mirror):
    root = mirror.browser(None).get("/baremetal").json
    assert root["versions"][0]["version"] == f"1.{HIGHEST}"
    assert root["versions"][0]["links"] == [{"href": "http://localhost/baremetal/v1/", "rel": "self"}]
    version = mirror.browser(None).get("/baremetal/v1/").json
    assert set(version) == {"id", "links", "version", "nodes", "ports", "portgroups", "volume"}
    assert version["nodes"][0]["href"] == "http://localhost/baremetal/v1/nodes/"
    assert len(version["links"]) == 1


def test_no_header_of_ironics_comes_through_but_a_few(mirror):
    response = mirror.browser("owner-a").get(f"{NODES}/n3")
    assert not {"X-Powered-By", "Set-Cookie", "Connection"} & set(response.headers)
    response = mirror.browser("owner-a")("PUT", f"{NODES}/n3/states/power", {"target": "power on"}, status=202)
    assert response.headers["Location"] == f"http://localhost/baremetal/v1/nodes/{uid(1003)}/states"
    assert response.body == b""


def test_requests_to_ironic_carry_our_request_id(mirror):
    response = mirror.browser("owner-a").get(f"{NODES}/n3")
    sent = {one["headers"]["HTTP_X_OPENSTACK_REQUEST_ID"] for one in mirror.ironic.requests}
    assert sent == {response.headers["X-OpenStack-Request-Id"]}
    mirror.ironic.requests.clear()
    ours = "req-11111111-1111-4111-8111-111111111111"
    mirror.browser("owner-a").get(NODES, headers={"X-OpenStack-Request-Id": ours})
    assert {one["headers"]["HTTP_X_OPENSTACK_REQUEST_ID"] for one in mirror.ironic.requests} == {ours}


def test_ironic_that_does_not_answer_is_told_as_such(mirror):
    mirror.wire.down = True
    for user, path in ((None, ""), ("owner-a", "/v1/nodes"), ("owner-a", "/v1/nodes/n3"), ("owner-a", "/v1/ports")):
        response = mirror.browser(user).get(f"/baremetal{path}", status=503)
        (error,) = response.json["errors"]
        assert error["code"] == "flocx.baremetal.unavailable"
        assert "ironic.test" not in response.text
    mirror.wire.down = False
    assert mirror.browser("owner-a").get(f"{NODES}/n3")


@pytest.mark.parametrize(
    ("status", "content", "headers"),
    [
        (500, b'{"error_message": "a defect, with a trace"}', []),
        (502, b"<html>bad gateway</html>", []),
        (504, b"", []),
        (503, b"<html>maintenance</html>", []),
        (401, b'{"error": {"code": 401}}', []),
        (301, b"", [("Location", "http://elsewhere.test/")]),
        (302, b"{}", [("Location", "http://elsewhere.test/")]),
        (200, b"no json", []),
        (200, b"\xff", []),
        (200, b'{"nodes": "' + b"x" * 1_000_001 + b'"}', []),
        (200, b'{"nodes": {}}', []),
        (200, b"[]", []),
        (200, b"", []),
        (403, b'{"error_message": "who are you"}', []),
        (406, b'{"error_message": "too old"}', []),
    ],
)
def test_an_answer_that_cannot_be_passed_on_is_never_a_failure_of_ours(mirror, status, content, headers):
    mirror.ironic.say = (status, content, headers)
    (error,) = mirror.browser("owner-a").get(NODES, status=503).json["errors"]
    assert error["code"] == "flocx.baremetal.unavailable"
    response = mirror.browser("owner-a").get(f"{NODES}/n3", status=(404, 503))
    assert response.json["errors"]


class Acting:
    """An Ironic that answers reads as before, and acts with what is given."""

    def __init__(self, mirror, answer):
        self._mirror, self._answer = mirror, answer

    def send(self, request):
        """Send a request."""
        self._mirror.ironic.say = self._answer if request.method == "PUT" else None
        return self._mirror.service.send(request)


def acting(mirror, answer, **more):
    """Put an Ironic that answers acts in a given way behind the mirror."""
    service = Acting(mirror, answer)
    nodes = replace(mirror.services.nodes, service=service)
    mirror.app = mirror.around(replace(mirror.services, service=service, nodes=nodes, **more))


def test_a_busy_ironic_says_so_itself(mirror):
    acting(mirror, (503, b'{"error_message": "no free conductor worker"}', [("Retry-After", "3")]))
    response = mirror.browser("owner-a")("PUT", f"{NODES}/n3/states/power", {"target": "power on"}, status=503)
    assert response.json == {"error_message": "no free conductor worker"}
    assert response.headers["Retry-After"] == "3"


def test_credentials_of_ours_that_ironic_refuses_are_not_told_as_the_callers(mirror):
    acting(mirror, (401, b'{"error": {"code": 401, "message": "unauthorized"}}', []))
    response = mirror.browser("owner-a")("PUT", f"{NODES}/n3/states/power", {"target": "power on"}, status=503)
    assert "the provider's credentials" in response.json["errors"][0]["detail"]


def test_no_redirection_is_followed(mirror):
    mirror.ironic.say = (302, b"{}", [("Location", "http://ironic.test/v1/chassis")])
    mirror.browser("owner-a").get(NODES, status=503)
    assert [one["path"] for one in mirror.ironic.requests] == ["/v1/nodes"]


def test_links_lead_to_the_public_endpoint_where_there_is_one(mirror):
    acting(mirror, None, public_endpoint="https://cloud.example/provider/")
    links = mirror.browser("owner-a").get(f"{NODES}/n3").json["links"]
    assert links[0]["href"] == f"https://cloud.example/provider/baremetal/v1/nodes/{uid(1003)}"


def test_passwords_are_in_no_log(mirror, caplog):
    caplog.set_level("DEBUG")
    # oslo.log keeps it quiet, unless somebody looks for a fault.
    caplog.set_level("DEBUG", "keystoneauth")
    body = {"target": "rescue", "rescue_password": "a word nobody logs"}
    mirror.browser("owner-a")("PUT", f"{NODES}/n3/states/provision", body)
    patch = [{"op": "add", "path": "/driver_info/ipmi_password", "value": "a word nobody logs"}]
    mirror.browser("owner-a")("PATCH", f"{NODES}/n3", patch)
    mirror.browser("owner-a")("PUT", f"{NODES}/n3/states/provision", {**body, "runbook": "x"}, status=400)
    assert "a word nobody logs" not in caplog.text
    assert "PUT /v1/nodes/" in caplog.text


def test_what_was_done_is_logged_with_who_did_it(mirror, caplog):
    caplog.set_level("INFO")
    mirror.browser("consumer-a")("PUT", f"{NODES}/n1/states/power", {"target": "power on"})
    assert f"for the lessee project p-consumer-a: PUT /v1/nodes/{uid(1001)}/states/power" in caplog.text
