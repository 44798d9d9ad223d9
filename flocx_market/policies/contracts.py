# SPDX-License-Identifier: Apache-2.0
"""Contracts: lessees and owners see theirs; only the lessee ends one."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, any_of, own

LIST = "flocx_market:contract:list"
GET = "flocx_market:contract:get"
CANCEL = "flocx_market:contract:cancel"
TERMINATE = "flocx_market:contract:terminate"

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
    policy.DocumentedRuleDefault(
        name=CANCEL,
        check_str=any_of(ADMIN, own("member", "lessee_project_id")),
        description="Call a contract off before its start.",
        operations=[{"method": "POST", "path": "/v1/contracts/{contract_uuid}/cancel"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=TERMINATE,
        check_str=any_of(ADMIN, own("member", "lessee_project_id")),
        description="End a running contract.",
        operations=[{"method": "POST", "path": "/v1/contracts/{contract_uuid}/terminate"}],
        scope_types=["project"],
    ),
]
