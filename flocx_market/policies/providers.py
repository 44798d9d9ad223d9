# SPDX-License-Identifier: Apache-2.0
"""Providers: service users speak for themselves, admins for all."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, SERVICE, any_of

LIST = "flocx_market:provider:list"
GET = "flocx_market:provider:get"
CREATE = "flocx_market:provider:create"
UPDATE = "flocx_market:provider:update"
HEARTBEAT = "flocx_market:provider:heartbeat"
DELETE = "flocx_market:provider:delete"

RULES = [
    policy.DocumentedRuleDefault(
        name=LIST,
        check_str=any_of(ADMIN, SERVICE),
        description="List providers; a service user sees its own.",
        operations=[{"method": "GET", "path": "/v1/providers"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=GET,
        check_str=any_of(ADMIN, "(role:service and user_id:%(service_user_id)s)"),
        description="Show a provider.",
        operations=[{"method": "GET", "path": "/v1/providers/{provider_uuid}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=CREATE,
        check_str=any_of(ADMIN, "(role:service and user_id:%(service_user_id)s)"),
        description="Register a provider; a service user can only register itself.",
        operations=[{"method": "POST", "path": "/v1/providers"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=UPDATE,
        check_str=any_of(ADMIN, "(role:service and user_id:%(service_user_id)s)"),
        description="Change a provider's name or turnaround.",
        operations=[{"method": "PATCH", "path": "/v1/providers/{provider_uuid}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=HEARTBEAT,
        check_str="role:service and user_id:%(service_user_id)s",
        description="Say that a provider is alive.",
        operations=[{"method": "PUT", "path": "/v1/providers/{provider_uuid}/heartbeat"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=DELETE,
        check_str=ADMIN,
        description="Remove a provider.",
        operations=[{"method": "DELETE", "path": "/v1/providers/{provider_uuid}"}],
        scope_types=["project"],
    ),
]
