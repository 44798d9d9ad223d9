# SPDX-License-Identifier: Apache-2.0
"""Who is refused which node, for one request of the scheduler."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping

from flocx_common.domain.holders import Holders
from nova_filters.decision import refusal_of
from nova_filters.lookup import LookUpFailed, NodeLookup

LOG = logging.getLogger(__name__)

_NO_PROJECT = "the request names no project"
_UNKNOWN = "the nodes cannot be looked up now"
# Nodes named in one line of the log.
_NAMED = 50


class Gate:
    """Decides about all nodes of a request with at most one look-up of its own."""

    def __init__(self, lookup: NodeLookup) -> None:
        self._lookup = lookup

    def refusals(self, node_uuids: Collection[str], project_id: str | None, *, server: str | None) -> Mapping[str, str]:
        """Return why the project may not land on nodes, by node; the others are open to it.

        A node is refused on no knowledge older than the request: a lease that
        has begun a moment ago works. Where nothing can be known all are
        refused. Every refusal is logged.

        :param server: what the request is for, for the log.
        """
        refused = self._judged({uuid.lower(): uuid for uuid in node_uuids}, project_id)
        _log(refused, project_id, server)
        return refused

    def _judged(self, nodes: Mapping[str, str], project_id: str | None) -> Mapping[str, str]:
        if not project_id:
            return dict.fromkeys(nodes.values(), _NO_PROJECT)
        ticket = self._lookup.ticket()
        try:
            refused = _refused(nodes, project_id, self._lookup.nodes(ticket))
            if refused:
                # Costs nothing where what was decided on is as new as that.
                refused = _refused(nodes, project_id, self._lookup.fresh_nodes(ticket))
        except LookUpFailed:
            return dict.fromkeys(nodes.values(), _UNKNOWN)
        return refused


def _refused(nodes: Mapping[str, str], project_id: str, known: Mapping[str, Holders]) -> Mapping[str, str]:
    judged = {given: refusal_of(known.get(uuid), project_id) for uuid, given in nodes.items()}
    return {uuid: reason for uuid, reason in judged.items() if reason is not None}


def _log(refused: Mapping[str, str], project_id: str | None, server: str | None) -> None:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for uuid, reason in refused.items():
        by_reason[reason].append(uuid)
    for reason, uuids in by_reason.items():
        for start in range(0, len(uuids), _NAMED):
            LOG.info(
                "server %s of project %s is refused %s: %s",
                server or "?",
                project_id or "?",
                ", ".join(uuids[start : start + _NAMED]),
                reason,
            )
