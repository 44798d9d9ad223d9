# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx node`` and ``openstack flocx provider``."""

from __future__ import annotations

from tests.builders import uid
from tests.functional.cli.conftest import without


def test_nodes_are_listed_to_their_owner(place):
    place.offer("n1")
    shown = place.done("owner-a", "node list").out
    assert "1.50 credits/h" in shown
    assert "n2" not in shown
    assert place.done("owner-a", "node list --idle -f value -c node_name").out.split() == ["n3", "n4"]
    assert place.done("owner-a", "node list --idle --limit 1 -f value -c node_name").out.split() == ["n3"]
    assert place.done("owner-a", "node list --resource-class gpu -f value -c node_name").out.split() == ["n4"]
    [told] = place.provider.browser("owner-a").get("/v1/nodes?node_name=n1").json["nodes"]
    assert place.done("owner-a", "node list --long --name n1 -f json").json == [told]


def test_a_node_is_shown_with_its_history(place):
    place.contract()
    place.provider.work()
    told = place.provider.browser("owner-a").get("/v1/nodes/n1").json
    for name in ("n1", uid(1001)):
        assert place.done("owner-a", f"node show {name} -f json").json == told
    shown = place.done("owner-a", "node show n1").out
    assert "consumer-a: " in shown
    assert "15.00 credits" in shown


def test_anybody_may_ask_who_may_use_a_node(place):
    told = place.done("consumer-a", "node access n1 -f json").json
    assert told["allowed"] is False
    assert "| Allowed    | no " in place.done("consumer-a", "node access n1").out
    assert place.done("owner-a", "node access n1 -f json").json["allowed"] is True
    assert place.run("consumer-a", "node access nowhere").status == 3


def test_a_provider_is_registered_shown_changed_and_removed(place):
    made = place.done("admin", "provider create room --service-user provider-2 --turnaround 10m -f json").json
    assert (made["name"], made["service_user_id"], made["turnaround"]) == ("room", "provider-2", 600)
    assert "| Turnaround        | 10m" in place.done("admin", "provider show room").out
    place.done("admin", "provider set room --name cellar --turnaround 0")
    [listed] = place.done("admin", "provider list --long -f json").json
    assert without(listed, "updated_at") == without({**made, "name": "cellar", "turnaround": 0}, "updated_at")
    place.done("admin", f"provider delete {made['uuid']}")
    assert place.done("admin", "provider list -f json").json == []


def test_a_provider_in_use_is_not_removed(place):
    place.offer("n1")
    ended = place.run("admin", "provider delete provider-1")
    assert ended.status == 5
    assert "flocx.provider.in_use" in ended.err


def test_silent_providers_are_listed_apart(place):
    place.offer("n1")
    assert place.done("admin", "provider list --silent -f json").json == []
    place.clock.advance(10**5)
    place.market.watch()
    assert len(place.done("admin", "provider list --silent -f json").json) == 1


def test_providers_are_no_consumers_business(place):
    ended = place.run("consumer-a", "provider list")
    assert ended.status == 4
    assert "flocx.auth.forbidden" in ended.err
