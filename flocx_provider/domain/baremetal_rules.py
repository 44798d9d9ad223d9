# SPDX-License-Identifier: Apache-2.0
"""What a project may do to a node through the provider: by ownership, or by a running contract.

The rules are a project's bounds. Within them policy decides which of its users
may do what: :func:`needed` returns the actions that policy is to be asked about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flocx_common.domain.errors import Forbidden, Invalid
from flocx_common.domain.holders import Holders, NodeAttributes
from flocx_common.domain.json_values import JSON
from flocx_provider.domain.allocation import Allocation, AllocationStatus
from flocx_provider.domain.baremetal_bodies import check_object
from flocx_provider.domain.baremetal_patch import checked_patch
from flocx_provider.domain.baremetal_routes import DRIVER_FIELDS, HELD_FIELDS, Action, Kind, Route


class Side(StrEnum):
    """Which side of a node a project is on."""

    OWNER = "owner"
    LESSEE = "lessee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a project stands to a node.

    ``held`` says that the node is in other hands than its owner's, or on its
    way there or back.
    """

    side: Side
    held: bool
    owner_project_id: str | None
    lessee_project_id: str | None


def standing_of(
    project_id: str, holders: Holders, allocations: Collection[Allocation], now: datetime, *, everything: bool = False
) -> Standing | None:
    """Return how a project stands to a node, None where the node is none of its business.

    A lessee counts only while the node carries it and our mark, and the
    contract of that mark runs by the provider's own book.

    :param allocations: what the provider has of this node.
    :param everything: the project is every node's owner.
    """
    running = [one for one in allocations if one.status is AllocationStatus.ACTIVE and not one.over(now)]
    leases = not holders.conflict and any(
        one.contract_uuid == holders.contract_uuid
        and one.lessee_project_id == holders.lessee_project_id == project_id
        and one.start_time <= now
        for one in running
    )
    lessee = project_id if leases else None
    if everything or holders.owner_project_id == project_id:
        foreign = holders.lessee_project_id not in (None, holders.owner_project_id)
        touched = foreign or holders.contract_uuid is not None or holders.conflict is not None or bool(running)
        return Standing(
            side=Side.OWNER,
            held=touched and not leases,
            owner_project_id=holders.owner_project_id,
            lessee_project_id=lessee,
        )
    if leases:
        return Standing(
            side=Side.LESSEE, held=True, owner_project_id=holders.owner_project_id, lessee_project_id=lessee
        )
    return None


def check_query(route: Route, query: Collection[tuple[str, str]]) -> None:
    """Refuse query parameters that do not go through, or come twice.

    :raises Invalid: there is one.
    """
    seen = set()
    for name, value in query:
        if name not in route.query:
            known = ", ".join(sorted(route.query)) or "none"
            raise Invalid(f"{name[:80]}: it does not go through here; {known} may be given", field=name[:80])
        if name in seen:
            raise Invalid(f"{name}: given more than once; once is expected", field=name)
        seen.add(name)
        if len(value) > 2000 or not value.isprintable():
            raise Invalid(f"{name}: up to 2000 printable characters are expected", field=name)


def needed(
    route: Route, standing: Standing, query: Mapping[str, str], body: JSON, attributes: NodeAttributes
) -> frozenset[Action]:
    """Return the actions that policy must allow, too.

    :raises Forbidden: the project may not do this to the node, whoever in it asks.
    :raises Invalid: the body asks for what does not go through.
    """
    actions = {route.action}
    if standing.side is Side.LESSEE:
        if not route.lessee:
            raise Forbidden(f"path: a lessee may not {route.about}")
        beyond = sorted(set(query) - route.lessee_query)
        if beyond:
            raise Forbidden(f"{beyond[0]}: a lessee may not give it", field=beyond[0])
    if route.patch:
        assert route.body is not None
        fields = checked_patch(body, route.body, attributes if route.kind is Kind.NODE else None)
        if route.kind is Kind.NODE:
            if fields & DRIVER_FIELDS:
                actions.add(Action.DRIVER_INFO)
            if standing.held and not fields <= HELD_FIELDS:
                actions.add(Action.HELD)
    else:
        check_object(route, body, lessee=standing.side is Side.LESSEE)
    if standing.side is Side.OWNER and standing.held and not route.held:
        actions.add(Action.HELD)
    return frozenset(actions)
