# SPDX-License-Identifier: Apache-2.0
"""Lists are narrowed, and neither filters nor order, pages or counts tell of what is left out."""

from urllib.parse import parse_qs, urlsplit

import pytest

from flocx_common.domain.holders import NodeAttributes
from tests.builders import uid

from .conftest import LESSEE, A, B


def listed(mirror, user, query="", path="/v1/nodes"):
    return mirror.browser(user).get(f"/baremetal{path}?{query}").json


def names(answer):
    return [one["name"] for one in answer["nodes"]]


def walked(mirror, user, query, path="/v1/nodes", key="nodes"):
    """Return all pages of a list, each reached by the link on the one before."""
    pages = []
    url = f"http://localhost/baremetal{path}?{query}"
    while url is not None:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc, parts.path) == ("http", "localhost", f"/baremetal{path}")
        answer = mirror.browser(user).get(f"{parts.path}?{parts.query}").json
        pages.append([one["uuid"] for one in answer[key]])
        url = answer.get("next")
    return pages


@pytest.mark.parametrize("most", [1, 2, 3, 1000])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_are_full_whatever_is_left_out_between(mirror, limit, most):
    mirror.ironic.most = most
    for number in range(10, 22):
        mirror.node(number, A if number % 3 == 0 else B)
    mine = [uid(1000 + number) for number in (1, 3, 6, 12, 15, 18, 21)]
    pages = walked(mirror, "owner-a", f"limit={limit}&fields=uuid,name")
    assert [uuid for page in pages for uuid in page] == mine
    assert all(len(page) == limit for page in pages[:-1])
    assert 0 < len(pages[-1]) <= limit


def test_the_link_to_the_next_page_keeps_what_was_asked_for(mirror):
    answer = listed(mirror, "owner-a", "limit=1&sort_key=name&sort_dir=desc&provision_state=active&fields=name,uuid")
    assert parse_qs(urlsplit(answer["next"]).query) == {
        "limit": ["1"],
        "marker": [uid(1006)],
        "sort_key": ["name"],
        "sort_dir": ["desc"],
        "provision_state": ["active"],
        "fields": ["name,uuid"],
    }
    following = urlsplit(answer["next"])
    assert names(mirror.browser("owner-a").get(f"{following.path}?{following.query}").json) == ["n1"]


def test_a_last_page_has_no_link_even_when_others_have_nodes_behind_it(mirror):
    assert "next" not in listed(mirror, "consumer-a", "limit=1")
    assert "next" not in listed(mirror, "owner-a", "limit=3")


def test_a_marker_that_is_somebody_elses_node_is_as_unknown_as_none(mirror):
    answers = []
    for uuid in (uid(1002), uid(1999), "n2"):
        response = mirror.browser("owner-a").get(f"/baremetal/v1/nodes?marker={uuid}", status=400)
        (error,) = response.json["errors"]
        answers.append((error["code"], error["detail"].replace(uuid, "")))
    assert len(set(answers)) == 1
    assert names(listed(mirror, "owner-a", f"marker={uid(1001).upper()}")) == ["n3", "n6"]


@pytest.mark.parametrize(
    "query",
    ["driver=ipmi", "description_contains=machine", "fault=x", "retired=False", "sort_key=driver", "sort_key=owner"],
)
def test_by_what_a_lessee_is_not_shown_it_finds_nothing(mirror, query):
    assert names(listed(mirror, "consumer-a", query)) == []
    assert set(names(listed(mirror, "owner-a", query))) <= {"n1", "n3", "n6"}


def test_an_owner_that_also_leases_filters_its_own_nodes_by_what_it_may_see_of_them(mirror):
    mirror.node(7, B, A, mirror.contract(7, A))
    assert names(listed(mirror, "owner-a", "sort_key=name")) == ["n1", "n3", "n6", "n7"]
    assert names(listed(mirror, "owner-a", "driver=ipmi")) == ["n1", "n3", "n6"]
    shown = {one["name"]: set(one) for one in listed(mirror, "owner-a", "detail=True")["nodes"]}
    assert "driver_info" in shown["n3"]
    assert not {"driver_info", "extra", "owner"} & shown["n7"]


def test_filters_that_everybody_has_work(mirror):
    assert names(listed(mirror, "owner-a", "provision_state=available")) == ["n3"]
    assert names(listed(mirror, "owner-a", "sort_key=name&sort_dir=desc")) == ["n6", "n3", "n1"]
    assert names(listed(mirror, "consumer-a", "provision_state=active&resource_class=baremetal")) == ["n1"]
    assert names(listed(mirror, "consumer-a", "provision_state=available")) == []


def test_only_the_fields_that_were_asked_for_are_shown(mirror):
    for query, expected in (("fields=name", {"name"}), ("fields=name,uuid,owner", {"name", "uuid", "owner"})):
        for one in listed(mirror, "owner-a", query)["nodes"]:
            assert set(one) == expected | {"links"}
    ports = mirror.browser("owner-a").get("/baremetal/v1/ports").json["ports"]
    assert [set(one) for one in ports] == [{"uuid", "address", "links"}] * 2
    ports = mirror.browser("owner-a").get("/baremetal/v1/ports/detail").json["ports"]
    assert {one["node_uuid"] for one in ports} == {uid(1001), uid(1003)}


def test_links_lead_to_the_provider(mirror):
    for path in ("/v1/nodes", "/v1/nodes/detail", "/v1/ports", "/v1/nodes/n3", "/v1/nodes/n3/bios", "/v1", "/"):
        text = mirror.browser("owner-a").get(f"/baremetal{path}").text
        assert "ironic.internal" not in text
        assert "http://localhost/baremetal/v1/" in text
    (one,) = listed(mirror, "consumer-a")["nodes"]
    assert [link["href"] for link in one["links"]] == [f"http://localhost/baremetal/v1/nodes/{uid(1001)}"] * 2
    assert mirror.browser("consumer-a").get(urlsplit(one["links"][1]["href"]).path)


def test_what_people_wrote_on_their_nodes_is_no_link(mirror):
    written = [{"href": "http://ironic.internal:6385/v1/nodes/x"}]
    mirror.ironic.things["nodes"][uid(1003)]["extra"] = {"links": written}
    assert mirror.browser("owner-a").get("/baremetal/v1/nodes/n3").json["extra"] == {"links": written}


def test_a_page_below_one_node_goes_on_below_that_node(mirror):
    for number in range(20, 25):
        mirror.ironic.add("ports", uuid=uid(2000 + number), address=f"02:00:00:00:01:{number}", node_uuid=uid(1003))
    path = f"/v1/nodes/{uid(1003)}/ports"
    pages = walked(mirror, "owner-a", "limit=2", path=path, key="ports")
    assert [len(page) for page in pages] == [2, 2, 2]


@pytest.mark.parametrize("nodes", [100, 3000])
def test_calls_grow_with_pages_and_not_with_nodes(mirror, nodes):
    for number in range(nodes):
        mirror.ironic.add("nodes", uuid=uid(100000 + number), name=f"m{number}", properties={"project_owner_id": B})
    for query in ("", "detail=True", "limit=5"):
        mirror.ironic.requests.clear()
        mirror.browser("owner-a").get(f"/baremetal/v1/nodes?{query}")
        size = 200 if "detail" in query else 1000
        assert len(mirror.ironic.requests) <= nodes // 1000 + 1 + nodes // size + 1


@pytest.mark.parametrize("attributes", [NodeAttributes("owner", "lessee")])
@pytest.mark.parametrize("version", ["1.115", "latest"])
def test_where_ironic_knows_owner_and_lessee_itself_it_is_asked_for_their_nodes_only(mirror, version):
    for number in range(3000):
        mirror.ironic.add("nodes", uuid=uid(100000 + number), name=f"m{number}", owner=B, properties={})
    for user, expected in (("owner-a", ["n1", "n3", "n6"]), ("consumer-a", ["n1"])):
        mirror.ironic.requests.clear()
        headers = {"X-OpenStack-Ironic-API-Version": version}
        answer = mirror.browser(user).get("/baremetal/v1/nodes", headers=headers)
        assert names(answer.json) == expected
        assert len(mirror.ironic.requests) == 2
        assert all("project=" in one["query"] for one in mirror.ironic.requests)


@pytest.mark.parametrize("attributes", [NodeAttributes("owner", "lessee")])
@pytest.mark.parametrize("version", [None, "1.1", "1.9", "1.64"])
def test_old_microversions_list_the_same_nodes(mirror, version):
    headers = {} if version is None else {"X-OpenStack-Ironic-API-Version": version}
    answer = mirror.browser("owner-a").get("/baremetal/v1/nodes", headers=headers)
    assert names(answer.json) == ["n1", "n3", "n6"]
    assert answer.headers["X-OpenStack-Ironic-API-Version"] == (version or "1.1")


def test_somebody_without_nodes_gets_an_empty_list_and_ironics_word_on_the_request(mirror):
    mirror.clock.advance(11 * 3600)
    answer = mirror.browser("consumer-a").get("/baremetal/v1/nodes", headers={"X-OpenStack-Ironic-API-Version": "1.90"})
    assert answer.json == {"nodes": []}
    assert answer.headers["X-OpenStack-Ironic-API-Version"] == "1.90"
    headers = {"X-OpenStack-Ironic-API-Version": "1.999"}
    assert mirror.browser("consumer-a").get("/baremetal/v1/nodes", headers=headers, status=406)
    assert len(mirror.ironic.requests) == 4


def test_a_list_that_does_not_end_is_given_up(mirror, monkeypatch):
    page = b'{"nodes": [{"uuid": "%s", "properties": {}}], "next": "http://x/?marker=y"}' % uid(1).encode()
    mirror.ironic.say = (200, page, [])
    (error,) = mirror.browser("owner-a").get("/baremetal/v1/nodes", status=503).json["errors"]
    assert error["code"] == "flocx.baremetal.unavailable"
    assert len(mirror.ironic.requests) == 2000


def test_the_lessee_of_two_nodes_lists_both(mirror):
    mirror.node(7, B, LESSEE, mirror.contract(7, LESSEE))
    assert names(listed(mirror, "consumer-a")) == ["n1", "n7"]
