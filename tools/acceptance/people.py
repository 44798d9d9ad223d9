# SPDX-License-Identifier: Apache-2.0
"""Who takes part, and what they need in Keystone: projects, users, roles, regions and endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openstack
import yaml

from acceptance.configuration import write_secret
from acceptance.services.ironic import name_in
from acceptance.site import REGIONS, Site

#: Users who speak for themselves: user -> (project, role).
PEOPLE: Mapping[str, tuple[str, str]] = {
    "owner-a": ("owner-a", "manager"),
    "owner-b": ("owner-b", "manager"),
    "consumer-a": ("consumer-a", "member"),
    "consumer-b": ("consumer-b", "member"),
}
#: The cloud of clouds.yaml by which the administrator sees all of Ironic.
SYSTEM = "admin-system"


def introduce(site: Site, *, everything: bool) -> None:
    """Make projects, users, roles, regions and endpoints; ``everything`` includes what Nova needs."""
    identity = connect(site, "admin").identity
    for region in REGIONS[1:]:
        identity.create_region(id=region)
    roles = {role.name: role.id for role in identity.roles()}
    projects = {
        name: identity.create_project(name=name, domain_id="default").id
        for name in ("service", *sorted({project for project, _ in PEOPLE.values()}))
    }
    services = ["ironic", *(["placement", "glance", "neutron", "nova"] if everything else [])]
    members = [(user, project, [role]) for user, (project, role) in PEOPLE.items()]
    members += [(service, "service", ["admin", "service"]) for service in services]
    for user, project, names in members:
        made = identity.create_user(name=user, domain_id="default", password=site.password(user))
        for name in names:
            identity.assign_project_role_to_user(projects[project], made.id, roles[name])
    endpoints = [("baremetal", "ironic", region, site.url(name_in(region))) for region in REGIONS]
    if everything:
        endpoints += [
            ("placement", "placement", REGIONS[0], site.url("placement")),
            ("image", "glance", REGIONS[0], site.url("glance")),
            ("network", "neutron", REGIONS[0], site.url("neutron")),
            ("compute", "nova", REGIONS[0], f"{site.url('nova-api')}/v2.1"),
        ]
    endpoints += [("identity", "keystone", region, site.auth_url) for region in REGIONS[1:]]
    known = {service.type: service.id for service in identity.services()}
    for kind, name, region, url in endpoints:
        if kind not in known:
            known[kind] = identity.create_service(type=kind, name=name).id
        for interface in ("public", "internal"):
            identity.create_endpoint(service_id=known[kind], interface=interface, region_id=region, url=url)


def through(cloud: str) -> str:
    """Return the cloud of clouds.yaml by which somebody meets bare metal through the first region's provider."""
    return f"{cloud}-through-flocx"


def write_clouds(site: Site, provider_url: str) -> Path:
    """Write clouds.yaml with everybody's credentials, and return it."""
    # The first region is the default.
    clouds = {name: {**_cloud(site, name), "regions": list(REGIONS)} for name in (*PEOPLE, "admin", SYSTEM)}
    for name in PEOPLE:
        clouds[through(name)] = {**clouds[name], "baremetal_endpoint_override": f"{provider_url}/baremetal"}
    return write_secret(site.state / "clouds.yaml", yaml.safe_dump({"clouds": clouds}, sort_keys=False))


def connect(site: Site, cloud: str, region: str = REGIONS[0]) -> Any:
    """Return a connection of openstacksdk with the credentials of a cloud of clouds.yaml."""
    return openstack.connect(**_cloud(site, cloud), region_name=region, load_yaml_config=False, load_envvars=False)


def _cloud(site: Site, cloud: str) -> dict[str, Any]:
    user = "admin" if cloud == SYSTEM else cloud
    auth: dict[str, str] = {
        "auth_url": site.auth_url,
        "username": user,
        "password": site.password(user),
        "user_domain_id": "default",
    }
    if cloud == SYSTEM:
        auth["system_scope"] = "all"
    else:
        auth |= {"project_name": PEOPLE[user][0] if user in PEOPLE else user, "project_domain_id": "default"}
    return {"auth_type": "password", "identity_api_version": "3", "auth": auth}
