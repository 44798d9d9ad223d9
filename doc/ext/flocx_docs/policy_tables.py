# SPDX-License-Identifier: Apache-2.0
"""The policy rules of a service."""

from __future__ import annotations

from flocx_docs.rst import definition, escaped, heading, literal
from flocx_market.policies.rules import list_rules as market_rules
from flocx_provider.policies.rules import list_rules as provider_rules

SERVICES = {"market": market_rules, "provider": provider_rules}


def page(service: str) -> str:
    """Return every rule: what it is for, which routes it guards, its default."""
    parts = [heading(f"Rules of the {service}", "-")]
    for rule in SERVICES[service]():
        routes = ", ".join(literal(f"{one['method']} {one['path']}") for one in rule.operations)
        about = f"{escaped(rule.description)} Guards {routes}."
        parts.append(definition(literal(rule.name), [about, f"Default: {literal(rule.check_str)}"]))
    return "\n".join(parts)
