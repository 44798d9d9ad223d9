# SPDX-License-Identifier: Apache-2.0
"""Events: a project is told what concerns it."""

from __future__ import annotations

from oslo_policy import policy

from flocx_common.roles import ADMIN, any_of, own

LIST = "flocx_market:event:list"

RULES = [
    policy.DocumentedRuleDefault(
        name=LIST,
        check_str=any_of(ADMIN, own("reader")),
        description="Read events; without the role admin those that concern the project.",
        operations=[{"method": "GET", "path": "/v1/events"}],
        scope_types=["project"],
    ),
]
