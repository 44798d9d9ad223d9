# SPDX-License-Identifier: Apache-2.0
"""Which method of the SDK reaches which route, what it answers with, and answers as the documents describe them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flocx_client import resources
from tests.unit.documented import route_pages

#: What stands for a UUID or a name in a path.
NAMED = "u"

#: (METHOD, path) -> (method of the SDK, its arguments, the entity that it returns or yields).
_BOTH = {
    ("GET", "/"): ("get_api_root", {}, resources.ApiRoot),
    ("GET", "/healthcheck"): ("is_alive", {}, None),
    ("GET", "/metrics"): ("get_metrics", {}, None),
    ("GET", "/readyz"): ("get_readiness", {}, resources.Readiness),
    ("GET", "/v1/"): ("get_api_version", {}, resources.ApiVersion),
    ("GET", "/v1/events"): ("events", {}, resources.Event),
    ("GET", "/v1/openapi.json"): ("get_api_document", {}, None),
}
ROUTES: dict[str, dict[tuple[str, str], tuple[str, dict[str, Any], type[resources.Entity] | None]]] = {
    "market": {
        **_BOTH,
        ("GET", "/v1/allocations"): ("allocation_changes", {}, resources.AllocationChange),
        ("PATCH", "/v1/allocations/{allocation_uuid}"): (
            "report_allocation",
            {"allocation": NAMED, "status": "active"},
            resources.Allocation,
        ),
        ("POST", "/v1/allocations/{allocation_uuid}/release"): (
            "release_allocation",
            {"allocation": NAMED},
            resources.Allocation,
        ),
        ("GET", "/v1/bids"): ("bids", {}, resources.Bid),
        ("POST", "/v1/bids"): ("create_bid", {"limit_price": "1"}, resources.Bid),
        ("POST", "/v1/bids/explain"): ("dry_run_bid", {"limit_price": "1"}, resources.Explanation),
        ("GET", "/v1/bids/{bid_uuid}"): ("get_bid", {"bid": NAMED}, resources.Bid),
        ("PATCH", "/v1/bids/{bid_uuid}"): ("update_bid", {"bid": NAMED, "limit_price": "2"}, resources.Bid),
        ("DELETE", "/v1/bids/{bid_uuid}"): ("delete_bid", {"bid": NAMED}, None),
        ("GET", "/v1/bids/{bid_uuid}/explanation"): ("explain_bid", {"bid": NAMED}, resources.Explanation),
        ("POST", "/v1/capacity"): ("capacity", {"quantity": 2}, resources.Capacity),
        ("GET", "/v1/contracts"): ("contracts", {}, resources.Contract),
        ("GET", "/v1/contracts/{contract_uuid}"): ("get_contract", {"contract": NAMED}, resources.Contract),
        ("POST", "/v1/contracts/{contract_uuid}/cancel"): (
            "cancel_contract",
            {"contract": NAMED},
            resources.Contract,
        ),
        ("POST", "/v1/contracts/{contract_uuid}/terminate"): (
            "terminate_contract",
            {"contract": NAMED},
            resources.Contract,
        ),
        ("GET", "/v1/offers"): ("offers", {}, resources.MarketOffer),
        ("GET", "/v1/offers/{offer_uuid}"): ("get_offer", {"offer": NAMED}, resources.MarketOffer),
        ("PUT", "/v1/offers/{offer_uuid}"): ("put_offer", {"uuid": NAMED}, resources.MarketOffer),
        ("DELETE", "/v1/offers/{offer_uuid}"): ("delete_offer", {"offer": NAMED}, None),
        ("GET", "/v1/providers"): ("providers", {}, resources.Provider),
        ("POST", "/v1/providers"): ("create_provider", {"name": "p"}, resources.Provider),
        ("GET", "/v1/providers/{provider_uuid}"): ("get_provider", {"provider": NAMED}, resources.Provider),
        ("PATCH", "/v1/providers/{provider_uuid}"): (
            "update_provider",
            {"provider": NAMED, "turnaround": 5},
            resources.Provider,
        ),
        ("DELETE", "/v1/providers/{provider_uuid}"): ("delete_provider", {"provider": NAMED}, None),
        ("PUT", "/v1/providers/{provider_uuid}/heartbeat"): ("heartbeat", {"provider": NAMED}, resources.Provider),
    },
    "provider": {
        **_BOTH,
        ("GET", "/v1/contracts"): ("contracts", {}, resources.DeliveredContract),
        ("GET", "/v1/contracts/{contract_uuid}"): ("get_contract", {"contract": NAMED}, resources.DeliveredContract),
        ("GET", "/v1/nodes"): ("nodes", {}, resources.Node),
        ("GET", "/v1/nodes/{node}"): ("get_node", {"node": NAMED}, resources.Node),
        ("GET", "/v1/nodes/{node}/access"): ("get_node_access", {"node": NAMED}, resources.NodeAccess),
        ("GET", "/v1/offers"): ("offers", {}, resources.Offer),
        ("POST", "/v1/offers"): ("create_offer", {"node_uuid": "n", "reserve_price": "1"}, resources.Offer),
        ("GET", "/v1/offers/{offer_uuid}"): ("get_offer", {"offer": NAMED}, resources.Offer),
        ("PATCH", "/v1/offers/{offer_uuid}"): ("update_offer", {"offer": NAMED, "reserve_price": "2"}, resources.Offer),
        ("DELETE", "/v1/offers/{offer_uuid}"): ("delete_offer", {"offer": NAMED}, None),
    },
}


def served(service: str) -> dict[tuple[str, str], list[tuple[int, dict[str, Any] | None]]]:
    """Return every route of a service's served document, with the statuses and schemas of its answers."""
    return {
        (method, path): [
            (int(status), _schema(response)) for status, response in operation["responses"].items() if status < "3"
        ]
        for method, path, operation in route_pages.routes(service)
    }


def _schema(response: dict[str, Any]) -> dict[str, Any] | None:
    for content in response.get("content", {}).values():
        return dict(content["schema"])
    return None


def item_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the items of a list, or of a thing itself."""
    lists = [one for name, one in schema["properties"].items() if name != "links" and one.get("type") == "array"]
    envelope = set(schema["properties"]) - {"next_since", "links"}
    return dict(lists[0]["items"]) if len(envelope) == len(lists) == 1 else schema


def answers(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield an answer with everything in it, and one with null wherever it may be."""
    yield sample(schema, nulls=False)
    yield sample(schema, nulls=True)


def sample(schema: dict[str, Any], *, nulls: bool) -> Any:
    """Return a value that a schema describes."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    options = schema.get("anyOf", [])
    if nulls and ("null" in kinds or {"type": "null"} in options):
        return None
    if options:
        return sample(options[0], nulls=nulls)
    if "enum" in schema:
        return schema["enum"][0]
    match kinds[0] if kinds else None:
        case "object" if "properties" in schema:
            return {name: sample(one, nulls=nulls) for name, one in schema["properties"].items()}
        case "object":
            return {"any": ["thing"]}
        case "array":
            return [sample(schema["items"], nulls=nulls)]
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
        case "string":
            return _text(schema)
        case None:
            return ["cpus", ">=", 32]
        case unknown:
            raise AssertionError(f"no sample for {unknown}")


def is_price(schema: dict[str, Any]) -> bool:
    """Tell whether a schema is that of a price in an answer."""
    return schema.get("pattern") == r"^[0-9]+\.[0-9]{6}$"


def is_instant(schema: dict[str, Any]) -> bool:
    """Tell whether a schema is that of an instant in an answer."""
    return schema.get("format") == "date-time"


def _text(schema: dict[str, Any]) -> str:
    if is_instant(schema):
        return "2027-01-01T12:00:00Z"
    return "1.500000" if is_price(schema) else "text"
