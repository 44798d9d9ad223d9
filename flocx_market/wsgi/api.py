# SPDX-License-Identifier: Apache-2.0
"""The market's API for any WSGI server: ``flocx_market.wsgi.api:application``.

The configuration is looked for where oslo.config looks, or in the files that
``FLOCX_MARKET_CONFIG`` names, separated by colons. The server's own command
line is left alone.
"""

from __future__ import annotations

import os

from flocx_market import bootstrap


def _arguments() -> list[str]:
    files = [name for name in os.environ.get("FLOCX_MARKET_CONFIG", "").split(":") if name]
    return [word for name in files for word in ("--config-file", name)]


application, _ = bootstrap.application(bootstrap.configuration(_arguments(), command="flocx-market-api"))
