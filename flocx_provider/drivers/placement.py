# SPDX-License-Identifier: Apache-2.0
"""Aggregates of projects over the APIs of Placement and Nova.

Ours is an aggregate of Nova that is named after a project and says so in its
metadata. It has no hosts; which nodes belong to it is said in Placement alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from keystoneauth1 import exceptions

from flocx_client.reasons import reason_of
from flocx_common.domain.errors import FlocxError
from flocx_provider.ports.placement import PlacementRefused, PlacementUnavailable, ProjectAggregate

_PREFIX = "flocx-"
# Tells our aggregates from others that are merely named alike.
_MARK = "flocx_project_id"
# What Nova looks for when it holds a project to aggregates.
_TENANT = "filter_tenant_id"
# With it Placement refuses to set aggregates over somebody else's.
_PLACEMENT_VERSION = "1.19"
# The first of Nova that tells the uuid of an aggregate.
_NOVA_VERSION = "2.41"
# How often others may be faster in changing a resource provider.
_ATTEMPTS = 5
# Nobody could change anything with these; there is no point in trying the next.
_HOPELESS = frozenset({401, 403, 502, 503, 504})


class HttpPlacementAggregates:
    """The aggregates of projects.

    :param placement: returns a keystoneauth adapter of Placement; called when it is first needed.
    :param compute: the same for Nova.
    """

    def __init__(self, placement: Callable[[], Any], compute: Callable[[], Any]) -> None:
        self._placement = _Api("placement", placement, _PLACEMENT_VERSION)
        self._compute = _Api("nova", compute, _NOVA_VERSION)

    def aggregates(self) -> Sequence[ProjectAggregate]:
        """Return all aggregates of ours, by one call."""
        return [ours for one in self._listed() if (ours := _ours(one)) is not None]

    def members(self, aggregate_uuid: str) -> frozenset[str]:
        """Return the uuids of all resource providers in an aggregate, by one call."""
        return self._providers({"member_of": aggregate_uuid})

    def providers(self) -> frozenset[str]:
        """Return the uuids of all resource providers there are, by one call."""
        return self._providers({})

    def create(self, project_id: str) -> ProjectAggregate:
        """Make an aggregate for a project, or take on what an interrupted call has left; not in force yet."""
        name = f"{_PREFIX}{project_id}"
        made = self._compute.call("POST", "/os-aggregates", {"aggregate": {"name": name}}, fine=(200, 409))
        if made is None:
            made = next((one for one in self._listed() if one["name"] == name), None)
            if made is None or not _adoptable(made):
                raise PlacementRefused(f"nova: the aggregate {name} is somebody else's; FLOCX needs the name")
        else:
            made = made["aggregate"]
        with _as_expected("nova"):
            self._set_metadata(made["id"], {_MARK: project_id})
            return ProjectAggregate(uuid=made["uuid"], number=made["id"], project_id=project_id, in_force=False)

    def change(self, node_uuid: str, *, add: Collection[str], remove: Collection[str]) -> None:
        """Put a node's resource provider into aggregates and take it out of others, whatever others do to it."""
        path = f"/resource_providers/{node_uuid}/aggregates"
        for _ in range(_ATTEMPTS):
            found = self._placement.call("GET", path, fine=(200, 404))
            if found is None:
                return
            with _as_expected("placement"):
                before = frozenset(found["aggregates"])
                generation = found["resource_provider_generation"]
            after = (before | frozenset(add)) - frozenset(remove)
            if after == before:
                return
            body = {"aggregates": sorted(after), "resource_provider_generation": generation}
            if self._placement.call("PUT", path, body, fine=(200, 409)) is not None:
                return
        raise PlacementRefused(f"placement: others kept changing resource provider {node_uuid}")

    def put_in_force(self, aggregate: ProjectAggregate) -> None:
        """Let Nova hold the project to the aggregate."""
        self._set_metadata(aggregate.number, {_MARK: aggregate.project_id, _TENANT: aggregate.project_id})

    def lift(self, aggregate: ProjectAggregate) -> None:
        """Let Nova no longer hold the project to the aggregate."""
        self._set_metadata(aggregate.number, {_TENANT: None}, fine=(200, 404))

    def delete(self, aggregate: ProjectAggregate) -> None:
        """Delete an aggregate; one that is gone is deleted."""
        self._compute.call("DELETE", f"/os-aggregates/{aggregate.number}", fine=(200, 202, 204, 404))

    def check(self) -> None:
        """Say nothing when Placement and Nova answer."""
        self._placement.call("GET", "/")
        self._listed()

    def _listed(self) -> Sequence[Mapping[str, Any]]:
        with _as_expected("nova"):
            found = self._compute.read("/os-aggregates")["aggregates"]
            for one in found:
                _ = (one["id"], one["uuid"], one["name"].startswith, one["metadata"].get, len(one["hosts"]))
            return list(found)

    def _providers(self, query: Mapping[str, str]) -> frozenset[str]:
        with _as_expected("placement"):
            found = self._placement.read("/resource_providers", query)["resource_providers"]
            return frozenset(str(one["uuid"]) for one in found)

    def _set_metadata(self, number: int, metadata: Mapping[str, str | None], fine: Collection[int] = (200,)) -> None:
        body = {"set_metadata": {"metadata": dict(metadata)}}
        self._compute.call("POST", f"/os-aggregates/{number}/action", body, fine=fine)


class _Api:
    """Calls of one service, with what goes wrong in the words of the port."""

    def __init__(self, name: str, connect: Callable[[], Any], version: str) -> None:
        self._name = name
        self._connect = connect
        self._version = version
        self._connected: Any = None

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Return what is there.

        :raises PlacementUnavailable: it cannot be read.
        """
        try:
            return self.call("GET", path, query=query)
        except PlacementRefused as error:
            raise PlacementUnavailable(error.detail) from error

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        fine: Collection[int] = (200,),
    ) -> Any:
        """Return what is answered with a success, None for another status that is fine."""
        try:
            if self._connected is None:
                self._connected = self._connect()
            answer = self._connected.request(
                path,
                method,
                json=body,
                params=dict(query or {}),
                microversion=self._version,
                raise_exc=False,
            )
        except exceptions.ClientException as error:
            raise PlacementUnavailable(f"{self._name}: it does not answer: {reason_of(error)}") from error
        if answer.status_code in fine:
            return _content(self._name, answer) if answer.ok else None
        trouble = f"{self._name}: {method} {path} is answered with HTTP {answer.status_code}"
        raise (PlacementUnavailable if answer.status_code in _HOPELESS else PlacementRefused)(trouble)


def _ours(aggregate: Mapping[str, Any]) -> ProjectAggregate | None:
    metadata = aggregate["metadata"]
    project_id = metadata.get(_MARK)
    if not project_id or aggregate["name"] != f"{_PREFIX}{project_id}":
        return None
    return ProjectAggregate(
        uuid=aggregate["uuid"],
        number=aggregate["id"],
        project_id=project_id,
        in_force=metadata.get(_TENANT) == project_id,
        shared=bool(aggregate["hosts"]),
    )


def _adoptable(aggregate: Mapping[str, Any]) -> bool:
    """Tell whether an aggregate of our name is ours, or what an interrupted call of ours would have left."""
    return _ours(aggregate) is not None or not (aggregate["metadata"] or aggregate["hosts"])


def _content(name: str, answer: Any) -> Any:
    if not answer.content:
        return {}
    with _as_expected(name):
        return answer.json()


@contextmanager
def _as_expected(name: str) -> Iterator[None]:
    """Say in the port's words that something else answers: a proxy's page, say."""
    try:
        yield
    except FlocxError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise PlacementUnavailable(f"{name}: what answers there does not answer as {name} would") from error
