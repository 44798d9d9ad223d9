# SPDX-License-Identifier: Apache-2.0
"""flocx-provider-api: serve the provider's REST API in one process."""

from __future__ import annotations

import sys

from flocx_common.extras import needs_extra


@needs_extra("provider")
def main() -> int:
    """Serve the API until SIGTERM; any other WSGI server can serve flocx_provider.wsgi.api."""
    from flocx_common.api.server import Server, check_threads, serve_until_signalled  # noqa: PLC0415
    from flocx_provider import bootstrap  # noqa: PLC0415

    conf = bootstrap.configuration(sys.argv[1:], command="flocx-provider-api")
    check_threads(conf.api.threads, conf.api.max_long_polls)
    app, readiness = bootstrap.application(conf)
    server = Server(app, conf.api.host, conf.api.port, threads=conf.api.threads)
    serve_until_signalled(server, readiness, conf.api.drain_seconds)
    return 0
