# SPDX-License-Identifier: Apache-2.0
"""Capacity: everybody may ask what it could have; what a node would have earned only its owner."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, any_of, own

ASK = "flocx_market:capacity:ask"
EARNINGS = "flocx_market:capacity:earnings"

RULES = [
    policy.DocumentedRuleDefault(
        name=ASK,
        check_str=any_of(ADMIN, own("reader")),
        description="Ask how many nodes could be had at which price; of offers that the project may use.",
        operations=[{"method": "POST", "path": "/v1/capacity"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=EARNINGS,
        check_str=any_of(ADMIN, own("reader", "owner_project_id")),
        description="Ask what a node would have earned; without the role admin only of the project's own nodes.",
        operations=[{"method": "POST", "path": "/v1/capacity"}],
        scope_types=["project"],
    ),
]
