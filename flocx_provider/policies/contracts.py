# SPDX-License-Identifier: Apache-2.0
"""Contracts: lessees and owners see what concerns them."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, any_of, own

LIST = "flocx_provider:contract:list"
GET = "flocx_provider:contract:get"

RULES = [
    policy.DocumentedRuleDefault(
        name=LIST,
        check_str=any_of(ADMIN, own("reader")),
        description="List contracts; without the role admin those the project is lessee or owner in.",
        operations=[{"method": "GET", "path": "/v1/contracts"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=GET,
        check_str=any_of(ADMIN, own("reader", "lessee_project_id"), own("reader", "owner_project_id")),
        description="Show a contract; an owner sees its own allocations in it.",
        operations=[{"method": "GET", "path": "/v1/contracts/{contract_uuid}"}],
        scope_types=["project"],
    ),
]
