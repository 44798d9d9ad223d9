# SPDX-License-Identifier: Apache-2.0
"""Offers: owners see, make and change their own."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, any_of, own

LIST = "flocx_provider:offer:list"
GET = "flocx_provider:offer:get"
CREATE = "flocx_provider:offer:create"
UPDATE = "flocx_provider:offer:update"
DELETE = "flocx_provider:offer:delete"

RULES = [
    policy.DocumentedRuleDefault(
        name=LIST,
        check_str=any_of(ADMIN, own("reader")),
        description="List offers; without the role admin only the project's own.",
        operations=[{"method": "GET", "path": "/v1/offers"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=GET,
        check_str=any_of(ADMIN, own("reader", "owner_project_id")),
        description="Show an offer.",
        operations=[{"method": "GET", "path": "/v1/offers/{offer_uuid}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=CREATE,
        check_str=any_of(ADMIN, own("member")),
        description="Offer a node; it must be the project's own.",
        operations=[{"method": "POST", "path": "/v1/offers"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=UPDATE,
        check_str=any_of(ADMIN, own("member", "owner_project_id")),
        description="Change price or end of an offer.",
        operations=[{"method": "PATCH", "path": "/v1/offers/{offer_uuid}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=DELETE,
        check_str=any_of(ADMIN, own("member", "owner_project_id")),
        description="Withdraw an offer.",
        operations=[{"method": "DELETE", "path": "/v1/offers/{offer_uuid}"}],
        scope_types=["project"],
    ),
]
