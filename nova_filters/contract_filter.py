# SPDX-License-Identifier: Apache-2.0
"""The filter as Nova loads it: bare-metal nodes only for those who may use them.

``[filter_scheduler] available_filters`` names it by
``nova_filters.contract_filter.FlocxContractFilter``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import nova.conf
from nova.scheduler import filters
from oslo_config import cfg

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.domain.holders import Holders
from nova_filters.conf import register, settings_of
from nova_filters.gate import Gate
from nova_filters.host_kinds import is_bare_metal
from nova_filters.lookup import LookUpFailed, NodeLookup
from nova_filters.node_list import IronicNodeList, connect

CONF = nova.conf.CONF
register(CONF)


class FlocxContractFilter(filters.BaseHostFilter):  # type: ignore[misc]
    """Lets a project land on a bare-metal node that it leases, or that it owns and nobody leases.

    Other hosts pass untouched.
    """

    # Who may use a node does not depend on how many servers are asked for. Nova
    # passes what is left on from each server of a request to its next, and one
    # request must not look up more than once.
    run_filter_once_per_request = True

    # A rebuild deploys anew. A project whose lease has ended must not, though
    # its server is still on the node; whoever may use the node can.
    RUN_ON_REBUILD = True

    def __init__(self, lookup: NodeLookup | None = None) -> None:
        self._gate = Gate(lookup or lookup_of(CONF))

    def filter_all(self, filter_obj_list: Iterable[Any], spec_obj: Any) -> list[Any]:
        """Return the hosts that the request's project may land on, in the order given."""
        hosts = list(filter_obj_list)
        nodes = {host.nodename for host in hosts if is_bare_metal(host.hypervisor_type, host.nodename)}
        if not nodes:
            return hosts
        refused = self._gate.refusals(nodes, _told(spec_obj, "project_id"), server=_told(spec_obj, "instance_uuid"))
        return [host for host in hosts if host.nodename not in refused]


def lookup_of(conf: cfg.ConfigOpts) -> NodeLookup:
    """Return the look-up that the configuration describes; with a wrong one it always fails, and says why."""
    try:
        settings = settings_of(conf)
    except ConfigurationInvalid as error:
        return NodeLookup(partial(_fail, error.detail), max_age=0)
    nodes = IronicNodeList(
        partial(connect, conf, settings.lookup_timeout), settings.attributes, settings.lookup_timeout
    )
    return NodeLookup(nodes.read, max_age=settings.max_age)


def _fail(reason: str) -> Mapping[str, Holders]:
    raise LookUpFailed(reason)


def _told(spec_obj: Any, field: str) -> str | None:
    """Return a field of a request; of old requests Nova raises for what they do not have."""
    value = getattr(spec_obj, field) if field in spec_obj else None
    return value if isinstance(value, str) and value else None
