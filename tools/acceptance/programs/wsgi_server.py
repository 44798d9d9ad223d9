# SPDX-License-Identifier: Apache-2.0
"""Serves a WSGI module with cheroot, in the environment of the service: ``wsgi_server.py MODULE ADDRESS PORT``."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from typing import Any


def main() -> None:
    """Serve until SIGTERM."""
    module, address, port = sys.argv[1:]
    # Services read the command line as theirs when they are imported.
    sys.argv = [module]
    application = importlib.import_module(module).application
    if "sqlalchemy" in sys.modules:
        # Neutron cannot answer a list of ports before any other query has set up what models know of each other.
        importlib.import_module("sqlalchemy.orm").configure_mappers()
    # After the application, which may patch what the server uses.
    wsgi = importlib.import_module("cheroot.wsgi")
    server = wsgi.Server((address, int(port)), application, numthreads=8, request_queue_size=64)

    def stop(*_: Any) -> None:
        threading.Thread(target=server.stop, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    server.start()


if __name__ == "__main__":
    main()
