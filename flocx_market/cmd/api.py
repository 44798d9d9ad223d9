# SPDX-License-Identifier: Apache-2.0
"""flocx-market-api: serve the market's REST API in one process."""

from __future__ import annotations

import sys

from flocx_common.extras import needs_extra


@needs_extra("market")
def main() -> int:
    """Serve the API until SIGTERM; any other WSGI server can serve flocx_market.wsgi.api."""
    from flocx_common.api.server import Server, check_threads, serve_until_signalled  # noqa: PLC0415
    from flocx_market import bootstrap  # noqa: PLC0415

    conf = bootstrap.configuration(sys.argv[1:], command="flocx-market-api")
    check_threads(conf.api.threads, conf.api.max_long_polls)
    app, readiness = bootstrap.application(conf)
    server = Server(app, conf.api.host, conf.api.port, threads=conf.api.threads)
    serve_until_signalled(server, readiness, conf.api.drain_seconds)
    return 0
