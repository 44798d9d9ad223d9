# SPDX-License-Identifier: Apache-2.0
"""A WSGI server in one process, for the api commands and the managers' health endpoints.

Any other WSGI server can serve the same applications by module path.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from types import FrameType

from cheroot.wsgi import Server as CherootServer

from flocx_common.api.health import Readiness, health_only
from flocx_common.api.middleware import WsgiApp
from flocx_common.domain.errors import ConfigurationInvalid

LOG = logging.getLogger(__name__)


class _LoggedServer(CherootServer):
    """The server with its messages in our log."""

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        LOG.log(level, "%s", msg.strip(), exc_info=traceback)


class Server:
    """Serves one application until it is stopped.

    :param threads: how many requests are served at once.
    :raises ConfigurationInvalid: the address cannot be listened on.
    """

    def __init__(self, app: WsgiApp, host: str, port: int, *, threads: int = 1, stop_timeout: int = 5) -> None:
        self._server = _LoggedServer(
            (host, port), app, numthreads=threads, server_name=host, shutdown_timeout=stop_timeout
        )
        try:
            self._server.prepare()
        except OSError as error:
            raise _unusable(host, port, error) from None

    @property
    def port(self) -> int:
        """The port it listens on; the one the system chose when 0 was asked for."""
        return int(self._server.bind_addr[1])

    def run(self) -> None:
        """Serve until :meth:`stop` is called."""
        self._server.serve()

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self.run, name="server", daemon=True).start()

    def stop(self) -> None:
        """Finish the requests in hand and stop."""
        self._server.stop()


def health_server(listen: str, readiness: Readiness) -> Server:
    """Return a server of the health endpoints on ``host:port``, for a manager.

    :raises ConfigurationInvalid: the address makes no sense or is taken.
    """
    return Server(health_only(readiness), *_address(listen))


def check_threads(threads: int, max_long_polls: int) -> None:
    """Refuse a server in which requests that wait leave no thread for others.

    :raises ConfigurationInvalid: it is one.
    """
    if threads <= max_long_polls:
        raise ConfigurationInvalid(
            f"[api] threads: {threads} is not more than max_long_polls, {max_long_polls}: requests that wait for "
            "changes would leave no thread for others"
        )


def check_listen(listen: str, workers: int) -> None:
    """Refuse what no manager process could listen on, before there are any.

    :raises ConfigurationInvalid: the address makes no sense, is taken, or is one for several processes.
    """
    if not listen:
        return
    host, port = _address(listen)
    if workers > 1:
        raise ConfigurationInvalid(
            f"[manager] workers: {workers} processes cannot share listen = {listen}; 1, or an empty listen, is expected"
        )
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        raise _unusable(host, port, error) from None


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ConfigurationInvalid(f"[manager] listen: {listen!r}: host:port is expected")
    return host.strip("[]"), int(port)


def _unusable(host: str, port: int, error: OSError) -> ConfigurationInvalid:
    return ConfigurationInvalid(f"listen: {host}:{port} cannot be listened on: {error}")


def serve_until_signalled(server: Server, readiness: Readiness, drain_seconds: float) -> None:
    """Serve until SIGTERM or SIGINT; then say "not ready" for a while, finish, and return."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)

    def drain() -> None:
        stopping.wait()
        readiness.stopping = True
        LOG.info("stopping: not ready from now on, finishing in %s s", drain_seconds)
        time.sleep(drain_seconds)
        readiness.dismiss()
        server.stop()

    thread = threading.Thread(target=drain, name="drain", daemon=True)
    thread.start()
    server.run()
    thread.join(timeout=30)
