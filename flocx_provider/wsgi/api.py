# SPDX-License-Identifier: Apache-2.0
"""The provider's API for any WSGI server: ``flocx_provider.wsgi.api:application``.

The configuration is looked for where oslo.config looks, or in the files that
``FLOCX_PROVIDER_CONFIG`` names, separated by colons. The server's own command
line is left alone.
"""

from __future__ import annotations

import os

from flocx_provider import bootstrap


def _arguments() -> list[str]:
    files = [name for name in os.environ.get("FLOCX_PROVIDER_CONFIG", "").split(":") if name]
    return [word for name in files for word in ("--config-file", name)]


application, _ = bootstrap.application(bootstrap.configuration(_arguments(), command="flocx-provider-api"))
