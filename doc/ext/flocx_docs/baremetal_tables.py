# SPDX-License-Identifier: Apache-2.0
"""What owners and lessees reach of Ironic's API through the provider, from the table that decides it."""

from __future__ import annotations

from flocx_docs.rst import literal, table
from flocx_provider.domain.baremetal_routes import ROUTES, Action, Kind, Route
from flocx_provider.domain.baremetal_views import LESSEE_FIELDS
from flocx_provider.policies.baremetal import rule_of


def page() -> str:
    """Return the table of routes, and the list of fields that a lessee sees."""
    rows = [
        [literal(f"{route.method} {route.path}"), _rule(route), _held(route), "yes" if route.lessee else ""]
        for route in ROUTES
    ]
    return table(["Route below ``/baremetal``", "Rule", "Owner, of a held node", "Lessee"], rows, [46, 18, 22, 14])


def fields() -> str:
    """Return the fields of a node that its lessee sees."""
    return ", ".join(literal(name) for name in sorted(LESSEE_FIELDS)) + ".\n"


def _rule(route: Route) -> str:
    if route.kind is Kind.ROOT:
        return "none"
    return literal(rule_of(route.action).rpartition(":")[2])


def _held(route: Route) -> str:
    if route.action is Action.CREATE:
        return ""
    if route.action is Action.UPDATE:
        return "some fields"
    return "yes" if route.held else "by the rule ``held``"
