# SPDX-License-Identifier: Apache-2.0
"""Policy check strings for the roles that projects, owners and services have.

What a rule compares with comes from the thing itself, never from the caller:
``project_id``, ``lessee_project_id`` and ``owner_project_id`` are the target's.
"""

from __future__ import annotations

#: Does everything in any project.
ADMIN = "role:admin"
#: A service user that speaks for a provider.
SERVICE = "role:service"


def own(role: str, target: str = "project_id") -> str:
    """Return the check for a role in the project that ``target`` names."""
    return f"(role:{role} and project_id:%({target})s)"


def any_of(*checks: str) -> str:
    """Return the check that one of several holds."""
    return " or ".join(checks)
