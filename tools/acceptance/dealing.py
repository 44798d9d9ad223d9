# SPDX-License-Identifier: Apache-2.0
"""Offers, bids and contracts in steps: made with the client, followed closely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acceptance.scene import Scene
from acceptance.site import REGIONS
from flocx_client.errors import NotFound


def offer(
    scene: Scene, owner: str, *nodes: str, price: str = "1.00", region: str = REGIONS[0], wait: bool = True
) -> Sequence[str]:
    """Offer nodes without an end, and return the offers' UUIDs; with ``wait`` the market knows of them then."""
    words = [word for node in nodes for word in ("--node", node)]
    rows = scene.client.read(
        owner,
        *("flocx", "offer", "create", *words, "--reserve-price", price),
        *(["--wait"] if wait else []),
        region=None if region == REGIONS[0] else region,
    )
    return [str(row["uuid"]) for row in rows]


def bid(scene: Scene, consumer: str, *words: str, limit: str = "5") -> Any:
    """Place a bid, and return it as the client tells it."""
    return scene.client.read(consumer, "flocx", "bid", "create", "--limit-price", limit, *words)


def contract_of(scene: Scene, consumer: str, bid_uuid: str, timeout: float = 20) -> Any:
    """Wait for the contract of a bid, and return it."""
    market = scene.market(consumer)
    return scene.wait(
        "waiting for a contract", lambda: next(market.contracts(bid_uuid=bid_uuid), None), timeout, pause=0.05
    )


def contracted(scene: Scene, consumer: str, offers: Sequence[str], duration: str, *words: str) -> Any:
    """Bid for some offers, and return the contract that comes of it."""
    chosen = [word for one in offers for word in ("--offer", one)]
    placed = bid(scene, consumer, *chosen, "--for", duration, *words)
    return contract_of(scene, consumer, placed["uuid"])


def status_of(scene: Scene, consumer: str, contract: Any) -> str:
    """Return the status of a contract now."""
    return str(scene.market(consumer).get_contract(contract["uuid"])["status"])


def until_status(scene: Scene, consumer: str, contract: Any, status: str, timeout: float = 60) -> float:
    """Wait until a contract has a status, and return the seconds that took."""
    return scene.until(
        f"waiting until the contract is {status}",
        lambda: status_of(scene, consumer, contract) == status,
        timeout,
    )


def end_now(scene: Scene, consumer: str, contract: Any, *nodes: str) -> None:
    """Let a contract end before its time, and wait until its nodes are as they were."""
    scene.client.do(consumer, "flocx", "contract", "terminate", contract["uuid"])
    until_free(scene, *nodes)


def until_free(scene: Scene, *nodes: str, timeout: float = 90) -> None:
    """Wait until nodes carry nothing of a contract and are available."""
    for node in nodes:
        scene.until(f"waiting until {node} is back", lambda node=node: free(scene, node), timeout)  # type: ignore[misc]


def free(scene: Scene, name: str) -> bool:
    """Tell whether a node carries nothing of a contract and is available."""
    node = scene.node(name)
    carries = node.properties.get("project_id") or node.properties.get("flocx_contract_uuid")
    return not carries and node.instance_id is None and node.provision_state == "available"


def withdraw(scene: Scene, owner: str, *offers: str, region: str = REGIONS[0]) -> None:
    """Take offers back, and wait until the market knows."""
    provider = scene.provider(owner, region)
    for one in offers:
        provider.delete_offer(one)
    for one in offers:
        scene.until("waiting until the offer is withdrawn", lambda one=one: not _standing(scene, owner, one))  # type: ignore[misc]


def _standing(scene: Scene, owner: str, uuid: str) -> bool:
    try:
        return scene.market(owner).get_offer(uuid)["status"] in ("available", "suspended")
    except NotFound:
        return False


def event_types(scene: Scene, who: str, entity: str, service: str = "market", region: str | None = None) -> list[str]:
    """Return the types of the events about a thing, the oldest first, as the client tells them."""
    rows = scene.client.read(
        who, "flocx", "event", "list", "--service", service, "--entity", entity, "--all", region=region
    )
    return [str(row["event_type"]) for row in rows]
