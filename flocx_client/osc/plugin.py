# SPDX-License-Identifier: Apache-2.0
"""What the OpenStack client asks of a plugin.

It is imported with every ``openstack`` command, whatever that does: nothing
that takes time is imported here.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from flocx_client.osc.endpoints import OVERRIDES
from flocx_client.osc.secrecy import mask_command_line

if TYPE_CHECKING:
    from flocx_client.osc.clients import Clients

API_NAME = "flocx"
API_VERSION_OPTION = "os_flocx_api_version"
DEFAULT_API_VERSION = "1"
API_VERSIONS = {"1": "flocx_client.osc.clients.Clients"}


def make_client(instance: Any) -> Clients:
    """Return the clients of both services for the client manager of a command."""
    from flocx_client.osc.clients import Clients  # noqa: PLC0415 - see above

    return Clients(instance)


def build_option_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add our global options. The shell calls this before it logs anything."""
    mask_command_line()
    parser.add_argument(
        "--os-flocx-api-version",
        metavar="<flocx-api-version>",
        default=os.environ.get("OS_FLOCX_API_VERSION") or DEFAULT_API_VERSION,
        choices=sorted(API_VERSIONS),
        help=f"FLOCX API version, default={DEFAULT_API_VERSION} (Env: OS_FLOCX_API_VERSION)",
    )
    for override in OVERRIDES.values():
        parser.add_argument(
            override.option,
            metavar="<url>",
            dest=override.key,
            default=os.environ.get(override.variable) or None,
            help=f"Endpoint of {override.service_type}, in place of that of the catalog (Env: {override.variable})",
        )
    return parser
