# SPDX-License-Identifier: Apache-2.0
"""Who may do what: oslo.policy rules, defined in code and overridable by file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oslo_config import cfg
from oslo_policy import opts as policy_opts
from oslo_policy import policy

from flocx_common.api.context import Caller
from flocx_common.domain.errors import FlocxError, Forbidden


class Policy:
    """The rules of one service.

    :param rules: every rule there is; asking for another is a defect.
    """

    def __init__(self, conf: cfg.ConfigOpts, rules: Sequence[policy.RuleDefault]) -> None:
        policy_opts.set_defaults(conf, policy_file="policy.yaml")
        self.enforcer = policy.Enforcer(conf)
        self.enforcer.register_defaults(rules)

    def allows(self, rule: str, caller: Caller, target: Mapping[str, Any]) -> bool:
        """Tell whether a rule holds for a caller and the thing it wants to do something to."""
        try:
            return bool(self.enforcer.authorize(rule, dict(target), dict(caller.policy_values)))
        except policy.PolicyNotAuthorized:
            return False
        except policy.InvalidScope:
            raise Forbidden("token: a token scoped to a project is expected") from None

    def require(
        self, rule: str, caller: Caller, target: Mapping[str, Any], *, hidden: tuple[str, FlocxError] | None = None
    ) -> None:
        """Refuse what a rule does not allow.

        :param hidden: (rule that lets one see the thing, error to raise instead
            for those who may not even see it).
        :raises Forbidden: the rule does not hold.
        """
        if self.allows(rule, caller, target):
            return
        if hidden is not None and not self.allows(hidden[0], caller, target):
            raise hidden[1]
        raise Forbidden(f"policy: {rule} does not allow this to the caller's roles")
