# SPDX-License-Identifier: Apache-2.0
"""Who calls: what the authentication in front of the API has found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oslo_context import context as oslo_context

from flocx_common.domain.errors import Forbidden, Unauthenticated

#: Headers by which authentication tells who calls; never taken from outside. X-Auth-Token
#: and X-Service-Token are not among them: those are what clients prove themselves with.
IDENTITY_HEADERS = (
    "X-Identity-Status",
    "X-Service-Identity-Status",
    *(
        f"X-{prefix}{name}"
        for prefix in ("", "Service-")
        for name in (
            "User-Id",
            "User-Name",
            "User-Domain-Id",
            "User-Domain-Name",
            "Project-Id",
            "Project-Name",
            "Project-Domain-Id",
            "Project-Domain-Name",
            "Domain-Id",
            "Domain-Name",
            "Roles",
            "Catalog",
        )
    ),
    "X-Is-Admin-Project",
    "OpenStack-System-Scope",
    "X-User",
    "X-Tenant",
    "X-Tenant-Id",
    "X-Tenant-Name",
    "X-Role",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated user in one project. ``policy_values`` is what policy rules look at."""

    user_id: str
    project_id: str
    project_name: str | None
    roles: frozenset[str]
    policy_values: Mapping[str, Any]

    @property
    def is_admin(self) -> bool:
        """Whether it may do everything in any project."""
        return "admin" in self.roles


def caller_from(environ: Mapping[str, Any]) -> Caller:
    """Return who calls.

    :raises Unauthenticated: nobody has been authenticated.
    :raises Forbidden: the caller has no project.
    """
    context = oslo_context.RequestContext.from_environ(
        dict(environ), request_id=environ.get("openstack.request_id"), overwrite=True
    )
    if environ.get("HTTP_X_IDENTITY_STATUS", "Confirmed") != "Confirmed" or not context.user_id:
        raise Unauthenticated("token: valid credentials are expected with the request")
    if environ.get("HTTP_X_SERVICE_IDENTITY_STATUS", "Confirmed") != "Confirmed":
        raise Unauthenticated("service token: one of a service user is expected, or none")
    if not context.project_id:
        raise Forbidden("token: a token scoped to a project is expected")
    return Caller(
        user_id=context.user_id,
        project_id=context.project_id,
        project_name=context.project_name,
        roles=frozenset(role.lower() for role in context.roles),
        policy_values=context.to_policy_values(),
    )
