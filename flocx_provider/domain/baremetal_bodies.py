# SPDX-License-Identifier: Apache-2.0
"""Bodies of requests to Ironic: only known fields, and in them nothing that reaches beyond the node."""

from __future__ import annotations

from flocx_common.domain.errors import Forbidden, Invalid
from flocx_common.domain.holders import NodeAttributes
from flocx_common.domain.json_values import JSON
from flocx_provider.domain.baremetal_routes import Action, Route

#: What a lessee may turn a node's provisioning to.
LESSEE_TARGETS = ("active", "deleted", "undeploy", "rebuild")

_STEP = frozenset({"interface", "step", "args", "priority"})
_STEPS = ("clean_steps", "deploy_steps", "service_steps")


def check_object(route: Route, body: JSON, *, lessee: bool) -> None:
    """Refuse a body that a route does not take.

    :param body: None where there is none.
    :raises Invalid: a field is unknown, or says what does not go through.
    :raises Forbidden: a field is not for lessees.
    """
    if route.body is None:
        if body is not None:
            raise Invalid("body: none is expected")
        return
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise Invalid("body: an object is expected")
    for name in body:
        if name not in route.body:
            known = ", ".join(sorted(route.body)) or "none"
            raise Invalid(f"{name[:80]}: it does not go through here; {known} may be given", field=name[:80])
        if lessee and name not in route.lessee_body:
            raise Forbidden(f"{name}: a lessee may not give it", field=name)
    if route.action is Action.PROVISION:
        _check_provision(body, lessee=lessee)
    elif route.action is Action.CREATE and any(not isinstance(body.get(n, {}), dict) for n in ("properties",)):
        raise Invalid("properties: an object is expected", field="properties")


def _check_provision(body: dict[str, JSON], *, lessee: bool) -> None:
    target = body.get("target")
    if lessee and target not in LESSEE_TARGETS:
        raise Forbidden(
            f"target: {str(target)[:40]!r}: for a lessee one of {', '.join(LESSEE_TARGETS)} is expected", field="target"
        )
    drive = body.get("configdrive")
    if isinstance(drive, str) and ":" in drive:
        # Ironic would fetch it, from where only Ironic can.
        raise Invalid("configdrive: its content is expected, not its address", field="configdrive")
    for name in _STEPS:
        steps = body.get(name) or []
        # A step can be sent on to child nodes, whoever owns those.
        if not isinstance(steps, list) or any(not isinstance(step, dict) or not set(step) <= _STEP for step in steps):
            raise Invalid(f"{name}: a list of objects with {', '.join(sorted(_STEP))} is expected", field=name)


def enrolled(body: dict[str, JSON], project_id: str, attributes: NodeAttributes) -> dict[str, JSON]:
    """Return the body of a new node as its owner's, with nothing that says it is somebody else's.

    :raises Forbidden: a property is about who owns or holds the node.
    """
    properties = body.get("properties") or {}
    assert isinstance(properties, dict)
    for key in properties:
        if key in attributes.keys:
            raise Forbidden(f"properties: {key} says whose the node is and cannot be given", field="properties")
    key = attributes.owner.removeprefix("properties/")
    if key == attributes.owner:
        return {**body, "owner": project_id}
    return {**body, "properties": {**properties, key: project_id}}
