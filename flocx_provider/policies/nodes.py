# SPDX-License-Identifier: Apache-2.0
"""Nodes: owners see theirs; every project may ask what it may use."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, any_of, own

LIST = "flocx_provider:node:list"
GET = "flocx_provider:node:get"
ACCESS = "flocx_provider:node:access"

RULES = [
    policy.DocumentedRuleDefault(
        name=LIST,
        check_str=any_of(ADMIN, own("reader")),
        description="List nodes; without the role admin only those the project owns.",
        operations=[{"method": "GET", "path": "/v1/nodes"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=GET,
        check_str=any_of(ADMIN, own("reader")),
        description="Show a node of the caller's project.",
        operations=[{"method": "GET", "path": "/v1/nodes/{node}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=ACCESS,
        check_str=any_of(ADMIN, own("reader")),
        description="Ask whether the caller's project may use a node now.",
        operations=[{"method": "GET", "path": "/v1/nodes/{node}/access"}],
        scope_types=["project"],
    ),
]
