# SPDX-License-Identifier: Apache-2.0
"""A market and a provider as processes, the way an operator starts them."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import requests
from keystoneauth1 import loading
from keystoneauth1 import session as ksa_session

from flocx_client.market import MarketClient
from flocx_client.provider import ProviderClient
from tests.harness import write_conf, write_users

T = TypeVar("T")

#: Longest wait for anything that should take a second or two; the machine may be busy.
PATIENCE = 60


def await_that(condition: Callable[[], T | None], what: str, timeout: float = PATIENCE) -> T:
    """Return what a condition returns as soon as it is neither None nor False; fail after the timeout."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result is not None and result is not False:
            return result
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.05)


def free_ports(number: int) -> list[int]:
    """Return ports of loopback that nobody listens on.

    They lie below those that the system gives to connections, or one of these
    could take them before they are listened on.
    """
    found: list[int] = []
    while len(found) < number:
        port = random.randrange(20000, 32000)
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def script(name: str) -> str:
    """Return the path of an installed command."""
    return str(Path(sys.executable).parent / name)


class Deployment:
    """One market and one provider on databases of any kind, with as many processes as wanted."""

    def __init__(
        self,
        directory: Path,
        market_database: str,
        provider_database: str,
        machines: Sequence[Mapping[str, Any]],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.environment = {**os.environ, **(environment or {})}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        market_port, provider_port = free_ports(2)
        self.market_url = f"http://127.0.0.1:{market_port}"
        self.provider_url = f"http://127.0.0.1:{provider_port}"
        write_users(directory)
        (directory / "nodes.json").write_text(json.dumps(list(machines)))
        basic = {"htpasswd_file": directory / "htpasswd", "users_file": directory / "users.yaml"}
        write_conf(
            directory,
            "market.conf",
            {
                "database": {"connection": market_database},
                "api": {"auth_strategy": "http_basic", "port": market_port, "drain_seconds": 0},
                "http_basic": basic,
                "market": {"shortest_contract": 1, "notice": 1},
                "manager": {"listen": ""},
            },
        )
        write_conf(
            directory,
            "provider.conf",
            {
                "database": {"connection": provider_database},
                "provider": {"name": "provider-1", "notice": 1},
                "static": {"inventory_file": directory / "nodes.json"},
                "api": {"auth_strategy": "http_basic", "port": provider_port, "drain_seconds": 0},
                "http_basic": basic,
                "market": {
                    "auth_type": "http_basic",
                    "username": "provider-1",
                    "password": "provider-1",
                    "endpoint_override": self.market_url,
                },
                "manager": {"listen": ""},
            },
        )

    def run(self, command: str, service: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of a service to its end."""
        return subprocess.run(
            [script(command), "--config-file", str(self.directory / f"{service}.conf"), *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self.environment,
            check=False,
        )

    def sync(self) -> None:
        """Bring both databases to the newest revision."""
        for service in ("market", "provider"):
            done = self.run(f"flocx-{service}-manage", service, "db", "sync")
            assert done.returncode == 0, done.stderr

    def start(self, name: str, *command: str, **environment: str) -> None:
        """Start a process; its output goes to a file of its name."""
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**self.environment, **environment},
                cwd=self.directory,
                start_new_session=True,
            )

    def start_api(self, service: str) -> None:
        """Start a service's API and wait until it is ready."""
        name = f"{service}-api"
        self.start(name, script(f"flocx-{name}"), "--config-file", str(self.directory / f"{service}.conf"))
        self.await_ready(self.market_url if service == "market" else self.provider_url, name)

    def start_manager(self, service: str, number: int = 1) -> None:
        """Start one of a service's managers."""
        command = f"flocx-{service}-manager"
        conf = str(self.directory / f"{service}.conf")
        self.start(f"{service}-manager-{number}", script(command), "--config-file", conf)

    def await_ready(self, url: str, name: str) -> None:
        """Wait until an API says that it is ready."""

        def ready() -> bool:
            assert self.processes[name].poll() is None, self.log(name)
            try:
                return requests.get(f"{url}/readyz", timeout=5).status_code == 200
            except requests.RequestException:
                return False

        await_that(ready, f"{name} is ready")

    def log(self, name: str) -> str:
        """Return what a process has printed."""
        return (self.directory / f"{name}.log").read_text()

    def kill(self, name: str) -> None:
        """Kill a process and its workers, as a power cut would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)

    def terminate(self, name: str, timeout: float = PATIENCE) -> int:
        """Ask a process to end and return its exit status."""
        process = self.processes[name]
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout)
        del self.processes[name]
        return status

    def stop(self) -> None:
        """End whatever still runs."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for name in list(self.processes):
            try:
                self.processes[name].wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill(name)
        self.processes.clear()

    def market(self, user: str) -> MarketClient:
        """Return a user's client of the market."""
        return MarketClient(_session(user, self.market_url), endpoint_override=self.market_url)

    def provider(self, user: str) -> ProviderClient:
        """Return a user's client of the provider."""
        return ProviderClient(_session(user, self.provider_url), endpoint_override=self.provider_url)


def _session(user: str, url: str) -> ksa_session.Session:
    plugin = loading.get_plugin_loader("http_basic").load_from_options(username=user, password=user, endpoint=url)
    return ksa_session.Session(auth=plugin)
