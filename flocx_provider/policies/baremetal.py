# SPDX-License-Identifier: Apache-2.0
"""Ironic's API through the provider: which users of an owner or a lessee do what.

What a project can do at all is in ``flocx_provider.domain.baremetal_routes``.
``lessee_project_id`` is the target's only while the lessee's contract runs.
"""

from __future__ import annotations

from typing import Any

from oslo_policy import policy

from flocx_common.roles import ADMIN, any_of, own
from flocx_provider.domain.baremetal_routes import ROUTES, Action, Kind, Route

USE = "flocx_provider:baremetal:use"

_PREFIX = "flocx_provider:baremetal:"
_OWNER, _LESSEE = "owner_project_id", "lessee_project_id"
_BOTH = any_of(ADMIN, own("member", _OWNER), own("member", _LESSEE))
_OWNERS = any_of(ADMIN, own("member", _OWNER))

_RULES = {
    Action.GET: (any_of(ADMIN, own("reader", _OWNER), own("reader", _LESSEE)), "See a node and what belongs to it."),
    Action.POWER: (_BOTH, "Switch a node on or off."),
    Action.PROVISION: (_BOTH, "Change a node's provision state; a lessee deploys, undeploys and rebuilds."),
    Action.BOOT_DEVICE: (_BOTH, "Set a node's boot device."),
    Action.CONSOLE: (_BOTH, "Use a node's console."),
    Action.MAINTENANCE: (_OWNERS, "Put a node into maintenance and take it out."),
    Action.MANAGE: (_OWNERS, "Set a node's traits and inject an interrupt."),
    Action.UPDATE: (_OWNERS, "Change fields of a node."),
    Action.PORTS: (_OWNERS, "Add, change and remove ports and port groups of a node."),
    Action.VOLUME: (_OWNERS, "Add, change and remove volume connectors of a node."),
    Action.DRIVER_INFO: (
        any_of(ADMIN, own("manager", _OWNER)),
        "See and change how a node is driven: driver, interfaces, BMC. Asked besides the rule for seeing or changing it.",
    ),
    Action.HELD: (
        ADMIN,
        "Do to a node in a lessee's hands what its owner otherwise may. Asked besides the rule for what is done.",
    ),
    Action.CREATE: ("!", "Enrol a node; it becomes the caller's project's."),
    Action.DELETE: ("!", "Remove a node of the project's own."),
}


def rule_of(action: Action) -> str:
    """Return the name of an action's rule."""
    return _PREFIX + action.value


def _operations(action: Action) -> list[Any]:
    return [{"method": one.method, "path": f"/baremetal{one.path}"} for one in ROUTES if _guards(action, one)]


def _guards(action: Action, route: Route) -> bool:
    if route.kind is Kind.ROOT:
        return False
    if action is Action.DRIVER_INFO:
        return route.kind in (Kind.NODES, Kind.NODE) and route.method in ("GET", "PATCH")
    if action is Action.HELD:
        return (not route.held and route.action is not Action.CREATE) or route.action is Action.UPDATE
    return route.action is action


RULES = [
    policy.DocumentedRuleDefault(
        name=USE,
        check_str=any_of(ADMIN, own("reader")),
        description="Reach Ironic's API through the provider at all. Asked before every other rule of it.",
        operations=[
            {"method": one.method, "path": f"/baremetal{one.path}"} for one in ROUTES if one.kind is not Kind.ROOT
        ],
        scope_types=["project"],
    ),
    *(
        policy.DocumentedRuleDefault(
            name=rule_of(action),
            check_str=check,
            description=description,
            operations=_operations(action),
            scope_types=["project"],
        )
        for action, (check, description) in _RULES.items()
    ),
]
