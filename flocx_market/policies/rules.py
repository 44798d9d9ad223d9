# SPDX-License-Identifier: Apache-2.0
"""Every policy rule of the market."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from oslo_policy import policy

from flocx_market.policies import allocations, bids, capacity, contracts, events, offers, providers


def list_rules() -> Sequence[policy.RuleDefault]:
    """Return every rule, for the enforcer and for the sample file."""
    return list(
        itertools.chain(
            bids.RULES,
            capacity.RULES,
            offers.RULES,
            contracts.RULES,
            allocations.RULES,
            providers.RULES,
            events.RULES,
        )
    )
