# SPDX-License-Identifier: Apache-2.0
"""Allocations: providers report on them, lessees give nodes back, owners' managers take them back."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, SERVICE, any_of, own

LIST = "flocx_market:allocation:list"
UPDATE = "flocx_market:allocation:update"
GET = "flocx_market:allocation:get"
RELEASE = "flocx_market:allocation:release"

RULES = [
    policy.DocumentedRuleDefault(
        name=LIST,
        check_str=SERVICE,
        description="Read the changes of the caller's provider's allocations.",
        operations=[{"method": "GET", "path": "/v1/allocations"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=UPDATE,
        check_str=SERVICE,
        description="Report on an allocation of the caller's provider.",
        operations=[{"method": "PATCH", "path": "/v1/allocations/{allocation_uuid}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=GET,
        check_str=any_of(ADMIN, own("reader", "lessee_project_id"), own("reader", "owner_project_id")),
        description="Know that an allocation exists; whoever may not gets 404.",
        operations=[{"method": "POST", "path": "/v1/allocations/{allocation_uuid}/release"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=RELEASE,
        check_str=any_of(ADMIN, own("member", "lessee_project_id"), own("manager", "owner_project_id")),
        description="Give a node back as its lessee, or take it back early as its owner's manager (a breach).",
        operations=[{"method": "POST", "path": "/v1/allocations/{allocation_uuid}/release"}],
        scope_types=["project"],
    ),
]
