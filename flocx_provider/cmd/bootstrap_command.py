# SPDX-License-Identifier: Apache-2.0
"""``flocx-provider-manage bootstrap``: what a Keystone needs for FLOCX, printed or done."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.manage import add_command
from flocx_provider.cmd.identity_plan import SERVICES, Wanted, plan

_DESCRIPTION = (
    "Print the openstack commands that make the users, roles, services and endpoints of FLOCX, or make them with "
    "--apply. What is there already is left as it is, so that it can be done again."
)


def add_bootstrap_command(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "bootstrap", _bootstrap, "print or make what Keystone needs for FLOCX", _DESCRIPTION
    )
    parser.add_argument("--provider-url", metavar="URL", help="where clients reach this provider; registers it")
    parser.add_argument("--market-url", metavar="URL", help="where clients reach the market; registers it, too")
    parser.add_argument("--region", default="RegionOne", help="region of the endpoints (default: %(default)s)")
    parser.add_argument("--project", default="service", help="project of the service users (default: %(default)s)")
    parser.add_argument("--domain", default="Default", help="domain of that project (default: %(default)s)")
    parser.add_argument(
        "--provider-user",
        default="flocx-provider",
        metavar="NAME",
        help="user of this provider (default: %(default)s); where one Keystone serves several providers, each needs "
        "one of its own",
    )
    parser.add_argument(
        "--deletes-servers",
        action="store_true",
        help="give the provider's user the role admin in that project, which Nova asks of whoever deletes the server "
        "of a lessee whose time is over",
    )
    parser.add_argument("--apply", action="store_true", help="make them, as the administrator of --os-cloud")
    parser.add_argument(
        "--os-cloud", metavar="NAME", help="with --apply: entry of clouds.yaml; by default what OS_* variables say"
    )
    parser.add_argument("--password-file", metavar="FILE", help="with --apply: the password of users that are made")


def _bootstrap(conf: Any) -> tuple[Sequence[Mapping[str, Any]], int]:
    given = conf.command
    urls = {"flocx-market": given.market_url, "flocx-provider": given.provider_url}
    chosen = {name: url for name, url in urls.items() if url is not None}
    if not chosen:
        raise ConfigurationInvalid("--provider-url or --market-url: at least one is expected")
    for name, url in chosen.items():
        if not url.startswith(("http://", "https://")):
            raise ConfigurationInvalid(f"--{SERVICES[name].removeprefix('baremetal-')}-url: {url!r}: a URL is expected")
    things = plan(
        Wanted(
            urls=chosen,
            region=given.region,
            project=given.project,
            domain=given.domain,
            deletes_servers=given.deletes_servers,
            provider_user=given.provider_user,
        )
    )
    if not given.apply:
        return [{"kind": one.kind, "name": one.name, "command": one.command} for one in things], 0
    from flocx_provider.cmd.identity_setup import IdentitySetup  # noqa: PLC0415

    setup = IdentitySetup(_identity(given.os_cloud), _password(given.password_file))
    return [{"kind": one.kind, "name": one.name, "outcome": outcome} for one, outcome in setup.apply(things)], 0


def _identity(cloud: str | None) -> Any:
    import openstack  # noqa: PLC0415
    from keystoneauth1 import exceptions as keystone_exceptions  # noqa: PLC0415
    from openstack import exceptions as sdk_exceptions  # noqa: PLC0415

    try:
        return openstack.connect(cloud=cloud).identity
    except (sdk_exceptions.SDKException, keystone_exceptions.ClientException) as error:
        raise ConfigurationInvalid(f"--os-cloud: {' '.join(str(error).split())}") from None


def _password(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        password = (sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(
            f"--password-file: {path}: {getattr(error, 'strerror', None) or 'no text'}"
        ) from None
    if not password:
        raise ConfigurationInvalid(f"--password-file: {path}: it is empty")
    return password
