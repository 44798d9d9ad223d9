# SPDX-License-Identifier: Apache-2.0
"""Offers: everybody sees what is open to it; only a provider's service user publishes."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, SERVICE, any_of, own

LIST = "flocx_market:offer:list"
GET = "flocx_market:offer:get"
PUBLISH = "flocx_market:offer:publish"
WITHDRAW = "flocx_market:offer:withdraw"

RULES = [
    policy.DocumentedRuleDefault(
        name=LIST,
        check_str=any_of(ADMIN, SERVICE, own("reader")),
        description="List offers; a project sees those open to it and its own, a service user its provider's.",
        operations=[{"method": "GET", "path": "/v1/offers"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=GET,
        check_str=any_of(ADMIN, SERVICE, own("reader")),
        description="Show an offer that the caller may see.",
        operations=[{"method": "GET", "path": "/v1/offers/{offer_uuid}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=PUBLISH,
        check_str=SERVICE,
        description="Publish an offer of the caller's provider.",
        operations=[{"method": "PUT", "path": "/v1/offers/{offer_uuid}"}],
        scope_types=["project"],
    ),
    policy.DocumentedRuleDefault(
        name=WITHDRAW,
        check_str=SERVICE,
        description="Withdraw an offer of the caller's provider.",
        operations=[{"method": "DELETE", "path": "/v1/offers/{offer_uuid}"}],
        scope_types=["project"],
    ),
]
