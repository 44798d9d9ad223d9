# SPDX-License-Identifier: Apache-2.0
"""Where the endpoint of a service is taken from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit


class Override:
    """How the endpoint of a service type can be named in place of the catalog's."""

    def __init__(self, service_type: str, service: str) -> None:
        self.service_type = service_type
        #: What the service is called in sentences.
        self.service = service
        #: Its key in ``clouds.yaml``, as openstacksdk reads it.
        self.key = f"{service_type.replace('-', '_')}_endpoint_override"
        self.option = f"--os-{service_type}-endpoint-override"
        self.variable = f"OS_{self.key.upper()}"


#: By service type.
OVERRIDES: Mapping[str, Override] = {
    override.service_type: override
    for override in (Override("baremetal-market", "market"), Override("baremetal-provider", "provider"))
}


def origin(override: Override, cloud: Any, options: Any, environment: Mapping[str, str]) -> str:
    """Return where the endpoint of a service was taken from, in words.

    :param cloud: the ``CloudRegion`` in use.
    :param options: the global options of the command.
    """
    config = cloud.config
    given = getattr(options, override.key, None)
    if given and given == environment.get(override.variable):
        return f"the environment variable {override.variable}"
    if given:
        return f"the option {override.option}"
    for key in (override.key, override.key.removesuffix("_override")):
        if config.get(key):
            return f"{key} of the cloud {cloud.name!r} in clouds.yaml"
    if "endpoint" in config.get("auth", {}):
        return f"the endpoint of the auth type {config.get('auth_type')}, which holds for every service without its own"
    return "the catalog of the identity service"


def auth_origin(cloud: Any, options: Any, environment: Mapping[str, str]) -> str:
    """Return where the address of the identity service was taken from, in words."""
    given = getattr(options, "auth_url", None)
    if given and given == environment.get("OS_AUTH_URL"):
        return "the environment variable OS_AUTH_URL"
    if given:
        return "the option --os-auth-url"
    return f"auth_url of the cloud {cloud.name!r} in clouds.yaml"


def without_secrets(url: str) -> str:
    """Return a URL without the credentials that it may hold."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
