# SPDX-License-Identifier: Apache-2.0
"""Finding the nodes a project may see in Ironic, and narrowing Ironic's lists to them.

Ironic is asked with the provider's own eyes first, to find out how the project
stands to a node, and then once more with the caller's request. Lists are read in
pages as large as Ironic gives them: the number of calls does not grow one by one
with the nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from flocx_common.domain.errors import Invalid, MarkerUnknown, NodeNotFound, NotFound
from flocx_common.domain.holders import NodeAttributes, holders_of
from flocx_common.domain.ids import is_id
from flocx_common.domain.json_values import JSON
from flocx_provider.domain.allocation import Allocation
from flocx_provider.domain.baremetal_routes import Belongings, is_name
from flocx_provider.domain.baremetal_rules import Standing, standing_of
from flocx_provider.ports.baremetal import (
    BaremetalAnswer,
    BaremetalRequest,
    BaremetalService,
    BaremetalUnavailable,
)
from flocx_provider.ports.store import Store

#: The microversion in which the provider asks for itself: the first that knows owner and lessee.
OWN_VERSION = "1.65"

_HOLDERS = "uuid,name,owner,lessee,properties"
_PAGE = 1000
# Entries that say all about a node are large.
_DETAILED_PAGE = 200
# What Ironic would have to hold for this not to be enough is beyond any cloud.
_MOST_PAGES = 2000


class ThingNotFound(NotFound):
    """There is no such port, port group or volume connector, or the caller may not see it."""

    code = "flocx.baremetal.not_found"
    title = "There is no such thing on the caller's nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at Ironic. ``everything`` makes its project every node's owner."""

    project_id: str
    everything: bool
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """How a viewer stands to a node, and whether Ironic's own filter by project finds the node."""

    standing: Standing
    native: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """A page of a list. ``marker`` is where the next begins, None on the last; ``refusal`` is Ironic's own."""

    items: list[dict[str, JSON]]
    marker: str | None
    headers: Mapping[str, str]
    refusal: BaremetalAnswer | None = None


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The nodes of Ironic, as projects stand to them."""

    service: BaremetalService
    store: Store
    attributes: NodeAttributes

    def find(self, ident: str, viewer: Viewer, now: datetime) -> tuple[str, Standing]:
        """Return the UUID of a node, by name or UUID, and how the viewer stands to it.

        :raises NodeNotFound: there is none that is the viewer's business.
        :raises BaremetalUnavailable: Ironic does not answer.
        """
        wanted = _canonical(ident)
        missing = NodeNotFound(f"node: there is no node {ident!r} that the project owns or holds", field="node")
        if not is_name(wanted):
            raise missing
        answer = self._ask(f"/v1/nodes/{wanted}", (("fields", _HOLDERS),), viewer)
        node = answer.body
        # Ironic also finds what only begins like that; a node has one name here.
        if (
            answer.status in (400, 404)
            or not isinstance(node, dict)
            or wanted not in (node.get("uuid"), node.get("name"))
        ):
            raise missing
        uuid = str(node["uuid"])
        known = self.store.read(lambda uow: uow.allocations.of_nodes([uuid]))
        standing = self._standing(node, known, viewer, now)
        if standing is None:
            raise missing
        return uuid, standing

    def visible(self, viewer: Viewer, now: datetime) -> Mapping[str, Seen]:
        """Return every node that is the viewer's business, by UUID.

        :raises BaremetalUnavailable: Ironic does not answer.
        """
        allocations: dict[str, list[Allocation]] = defaultdict(list)
        for one in self.store.read(lambda uow: uow.allocations.unsettled()):
            allocations[one.node_uuid].append(one)
        found = {}
        query: tuple[tuple[str, str], ...] = (("fields", _HOLDERS),)
        if not viewer.everything and (self.attributes.owner, self.attributes.lessee) == ("owner", "lessee"):
            query += (("project", viewer.project_id),)
        marker: tuple[tuple[str, str], ...] = ()
        for _ in range(_MOST_PAGES):
            answer = self._ask("/v1/nodes", (*query, ("limit", str(_PAGE)), *marker), viewer)
            items, more = _items(answer, "nodes")
            for node in items:
                standing = self._standing(node, allocations.get(str(node["uuid"]), ()), viewer, now)
                if standing is not None:
                    native = viewer.project_id in (node.get("owner"), node.get("lessee"))
                    found[str(node["uuid"])] = Seen(standing, native)
            if not more:
                return found
            marker = (("marker", str(items[-1]["uuid"])),)
        raise BaremetalUnavailable("baremetal: Ironic's list of nodes does not end")

    def node_of(self, collection: Belongings, ident: str, viewer: Viewer) -> tuple[str, str]:
        """Return the UUIDs of a port or the like and of the node it belongs to.

        :raises ThingNotFound: there is none.
        :raises BaremetalUnavailable: Ironic does not answer.
        """
        if not is_name(ident):
            raise self.nothing(ident)
        answer = self._ask(f"{collection.path}/{_canonical(ident)}", (("fields", "uuid,node_uuid"),), viewer)
        if answer.status in (400, 404) or not isinstance(answer.body, dict):
            raise self.nothing(ident)
        return str(answer.body["uuid"]), str(answer.body["node_uuid"])

    @staticmethod
    def nothing(ident: str) -> ThingNotFound:
        """Return the refusal for something that is not there, or not for the viewer."""
        return ThingNotFound(f"path: there is no {ident!r} on the nodes of the project")

    def _standing(
        self, node: Mapping[str, JSON], allocations: Collection[Allocation], viewer: Viewer, now: datetime
    ) -> Standing | None:
        holders = holders_of(node, self.attributes)
        return standing_of(viewer.project_id, holders, allocations, now, everything=viewer.everything)

    def _ask(self, path: str, query: tuple[tuple[str, str], ...], viewer: Viewer) -> BaremetalAnswer:
        answer = self.service.send(
            BaremetalRequest(method="GET", path=path, query=query, version=OWN_VERSION, request_id=viewer.request_id)
        )
        if answer.status not in (200, 400, 404):
            problem = f"microversion {OWN_VERSION} is needed" if answer.status == 406 else "its roles there are too few"
            raise BaremetalUnavailable(f"baremetal: Ironic answers the provider with {answer.status}: {problem}")
        return answer


def narrowed_page(
    service: BaremetalService,
    request: BaremetalRequest,
    collection: str,
    shown: Callable[[dict[str, JSON]], bool],
    *,
    limit: int,
    marker: str | None,
    detailed: bool,
    all_shown: bool,
    none_shown: bool,
) -> Narrowed:
    """Return a page of a list of Ironic's with only what is shown.

    :param request: the list, with filters and order, without limit and marker.
    :param collection: what the list is called in the answer.
    :param all_shown: Ironic's own filters leave nothing but what is shown.
    :param none_shown: nothing is; Ironic is asked for what it has to say to the request itself.
    :raises BaremetalUnavailable: Ironic does not answer, or its list does not end.
    """
    kept: list[dict[str, JSON]] = []
    size = 1 if none_shown else min(_DETAILED_PAGE if detailed else _PAGE, limit + 1 if all_shown else _PAGE)
    for _ in range(_MOST_PAGES):
        place = (("limit", str(size)), *((("marker", marker),) if marker is not None else ()))
        answer = service.send(
            BaremetalRequest(
                method="GET",
                path=request.path,
                query=(*request.query, *place),
                version=request.version,
                request_id=request.request_id,
            )
        )
        if answer.status != 200:
            return Narrowed(items=[], marker=None, headers=answer.headers, refusal=answer)
        items, more = _items(answer, collection)
        for one in items:
            if shown(one):
                if len(kept) == limit:
                    return Narrowed(items=kept, marker=str(kept[-1]["uuid"]), headers=answer.headers)
                kept.append(one)
        if not more or none_shown:
            return Narrowed(items=kept, marker=None, headers=answer.headers)
        marker = str(items[-1]["uuid"])
    raise BaremetalUnavailable("baremetal: Ironic's list does not end")


def page_limit(text: str | None) -> int:
    """Return how many entries a page has.

    :raises Invalid: the text is no whole number above 0.
    """
    if text is None:
        return _PAGE
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise Invalid(f"limit: {text[:40]!r}: a whole number from 1 is expected", field="limit")
    return min(int(text), _PAGE)


def unknown_marker(marker: str) -> MarkerUnknown:
    """Return the refusal of a marker that is nothing the caller may see."""
    return MarkerUnknown(f"marker: {marker[:80]!r}: the uuid of an entry of the list is expected", field="marker")


def _canonical(ident: str) -> str:
    # A UUID is the same however it is written.
    return ident.lower() if is_id(ident.lower()) else ident


def _items(answer: BaremetalAnswer, collection: str) -> tuple[list[dict[str, JSON]], bool]:
    body = answer.body
    items = body.get(collection) if isinstance(body, dict) else None
    if answer.status != 200 or not isinstance(body, dict) or not isinstance(items, list):
        raise BaremetalUnavailable(f"baremetal: Ironic answers {answer.status} without a list of {collection}")
    found = [one for one in items if isinstance(one, dict) and isinstance(one.get("uuid"), str)]
    return found, bool(found) and body.get("next") is not None
