# SPDX-License-Identifier: Apache-2.0
"""What the services of a run share: where things are, who listens where, who has which password."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests

from acceptance.configuration import Section
from acceptance.databases import Databases
from acceptance.environments import Environment

REGIONS = ("RegionOne", "RegionTwo")

_WSGI_SERVER = Path(__file__).resolve().parent / "programs" / "wsgi_server.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One run's machine room."""

    state: Path
    ports: Mapping[str, int]
    databases: Databases
    openstack: Environment
    #: None where Neutron is not wanted.
    neutron: Environment | None
    _passwords: dict[str, str] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Return where a service is."""
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def auth_url(self) -> str:
        """Where Keystone is."""
        return f"{self.url('keystone')}/v3"

    def directory(self, name: str) -> Path:
        """Return a directory of the state, made if it is not there."""
        path = self.state / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def password(self, user: str) -> str:
        """Return a user's password, made when it is first asked for."""
        return self._passwords.setdefault(user, secrets.token_urlsafe(12))

    def service_user(self, user: str, region: str = REGIONS[0]) -> Section:
        """Return the options by which a service authenticates."""
        return {
            "auth_type": "password",
            "auth_url": self.auth_url,
            "username": user,
            "password": self.password(user),
            "project_name": "service",
            "user_domain_id": "default",
            "project_domain_id": "default",
            "region_name": region,
        }

    def token_checks(self, user: str, region: str = REGIONS[0]) -> Section:
        """Return the options by which a service checks the tokens of its callers."""
        return {
            **self.service_user(user, region),
            "www_authenticate_uri": self.auth_url,
            "service_token_roles": "service",
            "service_token_roles_required": True,
            "token_cache_time": 30,
        }

    def wsgi(self, environment: Environment, module: str, name: str) -> list[str]:
        """Return the command that serves a WSGI module at the port of a service."""
        return [environment.python, str(_WSGI_SERVER), module, "127.0.0.1", str(self.ports[name])]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a service says of itself: ``status`` is that of HTTP, 0 if nobody answers."""

    status: int
    failing: Sequence[str]


def responds(url: str) -> bool:
    """Tell whether something at a URL answers, and not with a fault of its own."""
    answer = _get(url)
    return answer is not None and answer.status_code < 500


def readiness(url: str) -> Readiness:
    """Return what ``/readyz`` of one of our services says."""
    answer = _get(f"{url}/readyz")
    return Readiness(0, ()) if answer is None else Readiness(answer.status_code, answer.json()["failing"])


def _get(url: str) -> requests.Response | None:
    session = requests.Session()
    session.trust_env = False
    try:
        return session.get(url, timeout=10)
    except requests.RequestException:
        return None
