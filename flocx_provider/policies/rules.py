# SPDX-License-Identifier: Apache-2.0
"""Every policy rule of the provider."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from oslo_policy import policy

from flocx_provider.policies import baremetal, contracts, events, nodes, offers


def list_rules() -> Sequence[policy.RuleDefault]:
    """Return every rule, for the enforcer and for the sample file."""
    return list(itertools.chain(nodes.RULES, offers.RULES, contracts.RULES, events.RULES, baremetal.RULES))
