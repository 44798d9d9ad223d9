# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/nodes."""

from __future__ import annotations

from flocx_common.api.operation import Answer, Call, Controller, operation
from flocx_common.api.query import ListSpec
from flocx_common.domain.paging import SortKey
from flocx_provider.api import views
from flocx_provider.api.schemas import nodes as schemas
from flocx_provider.api.services import ProviderServices
from flocx_provider.policies import nodes as policy
from flocx_provider.services import nodes as service
from flocx_provider.services.nodes import NodeView

LISTING = ListSpec(
    fields={
        "node_uuid": "uuid",
        "node_name": "text",
        "owner_project_id": "project",
        "resource_class": "text",
        "lessee_project_id": "project",
    },
    default_sort=(SortKey("node_name"),),
)


class NodesController(Controller[ProviderServices]):
    """All nodes."""

    def below(self, segment: str) -> Controller[ProviderServices] | None:
        """Return the controller of one node, by name or uuid."""
        return NodeController(self._services, {"node": segment})

    @operation(
        method="GET",
        path="/v1/nodes",
        summary="List nodes",
        policy=policy.LIST,
        listing=LISTING,
        answers={200: schemas.NODES},
    )
    def list(self, call: Call[ProviderServices]) -> Answer:
        """List the nodes the caller owns."""
        call.require({"project_id": call.caller.project_id})
        now = call.services.clock.now()
        page = service.list_nodes(
            call.query,
            _owner(call),
            inventory=call.services.inventory,
            store=call.services.store,
            turnaround=call.services.settings.turnaround,
            now=now,
        )
        names = call.services.names(project for one in page.items for project in _projects(one))
        links = call.next_links(page.items[-1].facts.node_uuid if page.more else None)
        return Answer(body={"nodes": [views.node(one, names, now) for one in page.items], "links": links})


class NodeController(Controller[ProviderServices]):
    """One node."""

    def __init__(self, services: ProviderServices, path: dict[str, str]) -> None:
        super().__init__(services, path)
        self.access = AccessController(services, path)

    @operation(
        method="GET", path="/v1/nodes/{node}", summary="Show a node", policy=policy.GET, answers={200: schemas.NODE}
    )
    def show(self, call: Call[ProviderServices]) -> Answer:
        """Show a node the caller owns."""
        call.require({"project_id": call.caller.project_id})
        now = call.services.clock.now()
        one = service.get_node(
            call.path["node"],
            _owner(call),
            inventory=call.services.inventory,
            store=call.services.store,
            turnaround=call.services.settings.turnaround,
            now=now,
        )
        return Answer(body=views.node(one, call.services.names(_projects(one)), now))


class AccessController(Controller[ProviderServices]):
    """Whether the caller's project may use a node now."""

    @operation(
        method="GET",
        path="/v1/nodes/{node}/access",
        summary="Ask whether the caller's project may use a node now",
        policy=policy.ACCESS,
        answers={200: schemas.ACCESS},
    )
    def show(self, call: Call[ProviderServices]) -> Answer:
        """Answer by the rule that the Nova filter applies."""
        call.require({"project_id": call.caller.project_id})
        project_id = call.caller.project_id
        facts, answer = service.node_access(call.path["node"], project_id, inventory=call.services.inventory)
        return Answer(body=views.access(facts, project_id, answer))


def _owner(call: Call[ProviderServices]) -> str | None:
    return None if call.caller.is_admin else call.caller.project_id


def _projects(one: NodeView) -> set[str | None]:
    return {
        one.facts.owner_project_id,
        one.facts.lessee_project_id,
        *(allocation.lessee_project_id for allocation in one.allocations),
        *(allocation.owner_project_id for allocation in one.allocations),
    }
