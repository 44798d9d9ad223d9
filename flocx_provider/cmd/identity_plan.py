# SPDX-License-Identifier: Apache-2.0
"""What a cloud's Keystone needs for FLOCX: users, roles, services and endpoints, as a list of things to be there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

#: Service types in the catalog, by the service's name.
SERVICES: Mapping[str, str] = {"flocx-market": "baremetal-market", "flocx-provider": "baremetal-provider"}
_DESCRIPTIONS = {
    "flocx-market": "Marketplace for bare metal",
    "flocx-provider": "Bare metal of this cloud on the market",
}
_INTERFACES = ("public", "internal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that is to be there. ``kind`` is role, project, user, grant, system-grant, service or endpoint.

    ``values`` is what it is made of, ``command`` how the openstack client makes it.
    """

    kind: str
    name: str
    values: Mapping[str, str]
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an operator asks for. ``urls`` has the public URL of each service, by its name.

    ``provider_user`` is the user of the provider: on a market one user speaks for one provider.
    """

    urls: Mapping[str, str]
    region: str
    project: str
    domain: str
    deletes_servers: bool
    provider_user: str = "flocx-provider"


def plan(wanted: Wanted) -> Sequence[Thing]:
    """Return what is to be there, each after what it needs.

    Each service has a user of its own with the role ``service`` in the service
    project, which the peers of a service token ask for, and the role ``reader``
    on the system, to see the names of projects. The provider's user has the role
    ``admin`` in the service project only where it is to delete lessees' servers
    through Nova: Nova knows no smaller role for that.
    """
    return list(_things(wanted))


def _things(wanted: Wanted) -> Iterator[Thing]:
    yield _thing("role", "service", {}, ["role", "create", "--or-show", "service"])
    yield _thing(
        "project",
        wanted.project,
        {"domain": wanted.domain},
        ["project", "create", "--or-show", "--domain", wanted.domain, wanted.project],
    )
    for name, url in wanted.urls.items():
        user = wanted.provider_user if name == "flocx-provider" else name
        yield _thing(
            "user",
            user,
            {"domain": wanted.domain},
            ["user", "create", "--or-show", "--domain", wanted.domain, "--password-prompt", user],
        )
        yield from _grants(user, wanted)
        yield _thing(
            "service",
            name,
            {"type": SERVICES[name], "description": _DESCRIPTIONS[name]},
            ["service", "create", "--name", name, "--description", _DESCRIPTIONS[name], SERVICES[name]],
        )
        for interface in _INTERFACES:
            yield _thing(
                "endpoint",
                f"{interface} of {name}",
                {"service": name, "interface": interface, "region": wanted.region, "url": url},
                ["endpoint", "create", "--region", wanted.region, SERVICES[name], interface, url],
            )


def _grants(user: str, wanted: Wanted) -> Iterator[Thing]:
    roles = ["service"]
    if user == wanted.provider_user and wanted.deletes_servers:
        roles.append("admin")
    who = ["--user", user, "--user-domain", wanted.domain]
    for role in roles:
        yield _thing(
            "grant",
            f"{role} of {user} in project {wanted.project}",
            {"user": user, "role": role, "project": wanted.project, "domain": wanted.domain},
            ["role", "add", *who, "--project", wanted.project, "--project-domain", wanted.domain, role],
        )
    yield _thing(
        "system-grant",
        f"reader of {user} on the system",
        {"user": user, "role": "reader", "domain": wanted.domain},
        ["role", "add", *who, "--system", "all", "reader"],
    )


def _thing(kind: str, name: str, values: Mapping[str, str], words: Sequence[str]) -> Thing:
    return Thing(kind=kind, name=name, values=values, command=shlex.join(["openstack", *words]))
