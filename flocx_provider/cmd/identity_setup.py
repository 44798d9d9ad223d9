# SPDX-License-Identifier: Apache-2.0
"""Brings what FLOCX needs into a Keystone, and leaves what is there already as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flocx_common.domain.errors import ConfigurationInvalid, Unavailable
from flocx_provider.cmd.identity_plan import Thing


class IdentitySetup:
    """Makes things in Keystone as its administrator.

    :param identity: the identity proxy of an openstacksdk connection.
    :param password: what new users get; users that are there keep theirs.
    """

    def __init__(self, identity: Any, password: str | None) -> None:
        self._identity = identity
        self._password = password
        self._make: Mapping[str, Callable[[Thing], bool]] = {
            "role": self._role,
            "project": self._project,
            "user": self._user,
            "grant": self._grant,
            "system-grant": self._system_grant,
            "service": self._service,
            "endpoint": self._endpoint,
        }

    def apply(self, things: Sequence[Thing]) -> Sequence[tuple[Thing, str]]:
        """Make what is missing; return each thing with ``made``, ``changed`` or ``was there``. Again is harmless.

        :raises ConfigurationInvalid: a user is to be made and there is no password for it.
        :raises Unavailable: Keystone does not answer, or refuses. What was made before stays.
        """
        from keystoneauth1 import exceptions as keystone_exceptions  # noqa: PLC0415
        from openstack import exceptions as sdk_exceptions  # noqa: PLC0415

        done = []
        for thing in things:
            try:
                done.append((thing, "made" if self._make[thing.kind](thing) else "was there"))
            except (sdk_exceptions.SDKException, keystone_exceptions.ClientException) as error:
                words = " ".join(str(error).split())[:300]
                raise Unavailable(f"keystone: {thing.kind} {thing.name}: {words}") from None
        return done

    def _role(self, thing: Thing) -> bool:
        if self._identity.find_role(thing.name) is not None:
            return False
        self._identity.create_role(name=thing.name)
        return True

    def _project(self, thing: Thing) -> bool:
        domain = self._domain(thing)
        if self._identity.find_project(thing.name, domain_id=domain) is not None:
            return False
        self._identity.create_project(name=thing.name, domain_id=domain)
        return True

    def _user(self, thing: Thing) -> bool:
        domain = self._domain(thing)
        if self._identity.find_user(thing.name, domain_id=domain) is not None:
            return False
        if not self._password:
            raise ConfigurationInvalid(f"--password-file: user {thing.name} is to be made and needs a password")
        self._identity.create_user(name=thing.name, domain_id=domain, password=self._password)
        return True

    def _grant(self, thing: Thing) -> bool:
        domain = self._domain(thing)
        project = self._identity.find_project(thing.values["project"], domain_id=domain, ignore_missing=False)
        user, role = self._user_and_role(thing, domain)
        if self._identity.validate_user_has_project_role(project, user, role):
            return False
        self._identity.assign_project_role_to_user(project, user, role)
        return True

    def _system_grant(self, thing: Thing) -> bool:
        user, role = self._user_and_role(thing, self._domain(thing))
        if self._identity.validate_user_has_system_role(user, role, "all"):
            return False
        self._identity.assign_system_role_to_user(user, role, "all")
        return True

    def _service(self, thing: Thing) -> bool:
        if self._registered(thing.name) is not None:
            return False
        self._identity.create_service(
            name=thing.name, type=thing.values["type"], description=thing.values["description"]
        )
        return True

    def _endpoint(self, thing: Thing) -> bool:
        service = self._registered(thing.values["service"])
        interface, region, url = (thing.values[key] for key in ("interface", "region", "url"))
        there = list(self._identity.endpoints(service_id=service.id, interface=interface, region_id=region))
        if any(one.url == url for one in there):
            return False
        if there:
            raise ConfigurationInvalid(
                f"{thing.name}: region {region} has another one, {there[0].url}; change or delete it first"
            )
        if self._identity.find_region(region) is None:
            self._identity.create_region(id=region)
        self._identity.create_endpoint(service_id=service.id, interface=interface, region_id=region, url=url)
        return True

    def _registered(self, name: str) -> Any:
        return next(iter(self._identity.services(name=name)), None)

    def _domain(self, thing: Thing) -> str:
        return str(self._identity.find_domain(thing.values["domain"], ignore_missing=False).id)

    def _user_and_role(self, thing: Thing, domain: str) -> tuple[Any, Any]:
        user = self._identity.find_user(thing.values["user"], domain_id=domain, ignore_missing=False)
        return user, self._identity.find_role(thing.values["role"], ignore_missing=False)
