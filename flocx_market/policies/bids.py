# SPDX-License-Identifier: Apache-2.0
"""Bids: a project sees and changes its own; they are sealed to everybody else."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, any_of, own

LIST = "flocx_market:bid:list"
GET = "flocx_market:bid:get"
EXPLAIN = "flocx_market:bid:explain"
CREATE = "flocx_market:bid:create"
UPDATE = "flocx_market:bid:update"
DELETE = "flocx_market:bid:delete"

RULES = [
    policy.DocumentedRuleDefault(
        name=LIST,
        check_str=any_of(ADMIN, own("reader")),
        description="List bids; without the role admin only the project's own.",
        operations=[{"method": "GET", "path": "/v1/bids"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=GET,
        check_str=any_of(ADMIN, own("reader")),
        description="Show a bid, or why it is open.",
        operations=[
            {"method": "GET", "path": "/v1/bids/{bid_uuid}"},
            {"method": "GET", "path": "/v1/bids/{bid_uuid}/explanation"},
        ],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=EXPLAIN,
        check_str=any_of(ADMIN, own("reader")),
        description="Ask what would become of a bid that is not placed.",
        operations=[{"method": "POST", "path": "/v1/bids/explain"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=CREATE,
        check_str=any_of(ADMIN, own("member")),
        description="Place a bid.",
        operations=[{"method": "POST", "path": "/v1/bids"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=UPDATE,
        check_str=any_of(ADMIN, own("member")),
        description="Change an open bid.",
        operations=[{"method": "PATCH", "path": "/v1/bids/{bid_uuid}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=DELETE,
        check_str=any_of(ADMIN, own("member")),
        description="Cancel an open bid.",
        operations=[{"method": "DELETE", "path": "/v1/bids/{bid_uuid}"}],
        scope_types=["project"],
    ),
]
