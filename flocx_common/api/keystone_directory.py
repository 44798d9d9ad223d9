# SPDX-License-Identifier: Apache-2.0
"""The names of projects, from Keystone: all of them in one list, kept for a while."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keystoneauth1 import exceptions as keystone_exceptions

from flocx_common.domain.errors import Invalid, Unavailable

LOG = logging.getLogger(__name__)

# Keystone's ids, and those that other identity services hand it.
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}")
# Seconds between two questions about names that are not known.
_AGAIN = 5.0


class ProjectUnknown(Invalid):
    """No project has this name, or several have it."""

    code = "flocx.project.unknown"
    title = "The project is not known"


class DirectoryUnavailable(Unavailable):
    """Keystone does not answer or does not let us, and the name of a project is not known without it."""

    code = "flocx.directory.unavailable"
    title = "The identity service does not tell names"


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """All projects at one moment: name by id, ids by name, and ids by ``DOMAIN/NAME``."""

    taken: float
    names: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by_full_name: Mapping[str, str] = field(default_factory=dict)


class KeystoneDirectory:
    """Names of projects and domains.

    A name that several domains have is written, and shown, as ``DOMAIN/NAME``.

    :param connections: return keystoneauth adapters of the identity service,
        in the order in which they are tried; the first that may list projects is kept.
    :param lifetime: seconds for which a list is kept.
    :param monotonic: a clock for that.
    """

    def __init__(
        self,
        connections: Sequence[Callable[[], Any]],
        *,
        lifetime: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connections = list(connections)
        self._lifetime = lifetime
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._asked = float("-inf")
        self._problem: str | None = None

    def resolve(self, name_or_id: str) -> str:
        """Return the id of a project by id, by name, or by ``DOMAIN/NAME``.

        :raises ProjectUnknown: there is none, or there are several.
        :raises DirectoryUnavailable: Keystone does not answer and what was given may be a name.
        """
        snapshot = self._current()
        if (snapshot is not None and name_or_id in snapshot.names) or _ID.fullmatch(name_or_id):
            return name_or_id
        if snapshot is None or (name_or_id not in snapshot.by_name and name_or_id not in snapshot.by_full_name):
            snapshot = self._current(missing=True)
        if snapshot is None:
            raise DirectoryUnavailable(
                f"project: {name_or_id!r} cannot be looked up, as the identity service does not tell names; its id would do"
            )
        if name_or_id in snapshot.by_full_name:
            return snapshot.by_full_name[name_or_id]
        found = snapshot.by_name.get(name_or_id, ())
        if len(found) == 1:
            return found[0]
        told = f"{len(found)} domains have it; DOMAIN/NAME or an id is expected" if found else "there is none"
        raise ProjectUnknown(f"project: {name_or_id!r}: {told}")

    def names(self, project_ids: Collection[str]) -> Mapping[str, str]:
        """Return the names of those of these projects that are known."""
        snapshot = self._current()
        if snapshot is not None and any(one not in snapshot.names for one in project_ids):
            snapshot = self._current(missing=True)
        known = {} if snapshot is None else snapshot.names
        return {one: known[one] for one in project_ids if one in known}

    def _current(self, *, missing: bool = False) -> _Snapshot | None:
        """Return the projects, from Keystone where what is kept is too old, or lacks something; None without any."""
        now = self._monotonic()
        snapshot = self._snapshot
        age = float("inf") if snapshot is None else now - snapshot.taken
        if age < (_AGAIN if missing else self._lifetime):
            return snapshot
        # Who waits for another's question is served by its answer; who has something at hand does not wait.
        if not self._lock.acquire(blocking=snapshot is None or missing):
            return snapshot
        try:
            newest = self._snapshot
            if newest is not snapshot or now - self._asked < _AGAIN:
                return newest
            self._asked = now
            asked = self._asked_of_keystone(now)
            if asked is not None:
                self._snapshot = asked
            return self._snapshot
        finally:
            self._lock.release()

    def _asked_of_keystone(self, now: float) -> _Snapshot | None:
        problem = "no credentials"
        for connect in list(self._connections):
            try:
                connection = connect()
                projects = connection.get("/projects").json()["projects"]
                domains = connection.get("/domains").json()["domains"]
            except keystone_exceptions.ClientException as error:
                problem = f"{type(error).__name__}"
            except (LookupError, TypeError, ValueError):
                problem = "what answers there is no Keystone"
            else:
                self._connections = [connect]
                self._tell(None)
                return _snapshot(projects, {one["id"]: one["name"] for one in domains}, now)
        self._tell(problem)
        return None

    def _tell(self, problem: str | None) -> None:
        """Log a change of state, not each try."""
        if problem is not None and problem != self._problem:
            LOG.warning(
                "names of projects cannot be read from Keystone (%s): names are not shown, and ids are expected; the "
                "service user needs the role reader on the system, or admin",
                problem,
            )
        elif problem is None and self._problem is not None:
            LOG.info("names of projects can be read from Keystone again")
        self._problem = problem


def _snapshot(projects: Sequence[Mapping[str, Any]], domains: Mapping[str, str], now: float) -> _Snapshot:
    by_name: dict[str, list[str]] = defaultdict(list)
    full = {}
    for project in projects:
        by_name[project["name"]].append(project["id"])
        full[project["id"]] = f"{domains.get(project['domain_id'], project['domain_id'])}/{project['name']}"
    names = {
        project["id"]: project["name"] if len(by_name[project["name"]]) == 1 else full[project["id"]]
        for project in projects
    }
    return _Snapshot(now, names, by_name, {name: uuid for uuid, name in full.items()})
