# SPDX-License-Identifier: Apache-2.0
"""The services of the quickstart: their files, their processes, their end."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import bcrypt
import requests
import yaml

from flocx_provider.drivers.inventory_file import InventoryMapping
from quickstart.console import Console, StoryFailed
from quickstart.machines import Machine, write_inventory

#: Who takes part: user -> (project, role).
USERS: Mapping[str, tuple[str, str]] = {
    "owner-a": ("owner-a", "manager"),
    "owner-b": ("owner-b", "manager"),
    "consumer-a": ("consumer-a", "member"),
    "consumer-b": ("consumer-b", "member"),
    "admin": ("admin", "admin"),
    "provider-1": ("services", "service"),
    "provider-2": ("services", "service"),
}
PEOPLE = ("owner-a", "owner-b", "consumer-a", "consumer-b", "admin")

#: Seconds of the shortest contract: short enough for a story one watches.
SHORTEST_CONTRACT = 5

_START_TIMEOUT = 60
_STOP_TIMEOUT = 40


class CannotStart(Exception):
    """The services cannot be started; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the APIs and the managers' health endpoints listen, on loopback."""

    market: int
    provider: int
    second_provider: int
    market_manager: int
    provider_manager: int
    second_provider_manager: int


@dataclass(frozen=True, slots=True)
class Service:
    """One process: its name, its command, and where it says that it is ready."""

    name: str
    command: str
    config: str
    ready: str


@dataclass
class Stack:
    """A market and two providers with all their managers, in a state directory."""

    state: Path
    ports: Ports
    machines: tuple[Sequence[Machine], Sequence[Machine]]
    mapping: InventoryMapping
    console: Console
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def market_url(self) -> str:
        """Where the market is."""
        return f"http://127.0.0.1:{self.ports.market}"

    @property
    def provider_urls(self) -> tuple[str, str]:
        """Where the providers are."""
        return f"http://127.0.0.1:{self.ports.provider}", f"http://127.0.0.1:{self.ports.second_provider}"

    @property
    def clouds_yaml(self) -> Path:
        """The file with everybody's credentials and endpoints."""
        return self.state / "clouds.yaml"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the services while the block does.

        :raises CannotStart: they cannot be.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CannotStart(f"another quickstart runs in {self.state}; --state-dir takes another place") from None
            self._refuse_taken_ports()
            self._write_files()
            try:
                self._start()
                yield
            finally:
                self._stop()

    def process_ids(self) -> Mapping[str, int]:
        """Return the process ids of the services by name."""
        return {name: process.pid for name, process in self._processes.items()}

    def check_alive(self) -> None:
        """Raise when a service has ended by itself.

        :raises StoryFailed: one has.
        """
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise StoryFailed(f"{name} has ended with status {process.returncode}; see {self.state / name}.log")

    def _services(self) -> Sequence[Service]:
        ports = self.ports
        return [
            Service("market-api", "flocx-market-api", "market.conf", f"{self.market_url}/readyz"),
            Service("market-manager", "flocx-market-manager", "market.conf", _health(ports.market_manager)),
            Service("provider-1-api", "flocx-provider-api", "provider-1.conf", f"{self.provider_urls[0]}/readyz"),
            Service("provider-1-manager", "flocx-provider-manager", "provider-1.conf", _health(ports.provider_manager)),
            Service("provider-2-api", "flocx-provider-api", "provider-2.conf", f"{self.provider_urls[1]}/readyz"),
            Service(
                "provider-2-manager",
                "flocx-provider-manager",
                "provider-2.conf",
                _health(ports.second_provider_manager),
            ),
        ]

    def _refuse_taken_ports(self) -> None:
        for name, port in vars_of(self.ports).items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    option = "--" + name.replace("_", "-") + "-port"
                    raise CannotStart(f"port {port} of 127.0.0.1 is taken; {option} takes another") from None

    def _write_files(self) -> None:
        credentials = self._credentials()
        for number, machines in enumerate(self.machines, 1):
            write_inventory(self.state / f"provider-{number}.jsonl", machines)
        self._write_clouds(credentials)
        self._write("market.conf", self._market_conf())
        for number in (1, 2):
            password = credentials[f"provider-{number}"]["password"]
            self._write(f"provider-{number}.conf", self._provider_conf(number, password), secret=True)

    def _credentials(self) -> Mapping[str, Mapping[str, str]]:
        """Return everybody's password and project id: made once, kept for the next start."""
        path = self.state / "credentials.json"
        if path.exists():
            kept: Mapping[str, Mapping[str, str]] = json.loads(path.read_text(encoding="utf-8"))
            return kept
        projects = {project: secrets.token_hex(16) for project, _ in USERS.values()}
        made = {
            user: {"password": secrets.token_urlsafe(12), "project_id": projects[project]}
            for user, (project, _) in USERS.items()
        }
        htpasswd = "".join(
            f"{user}:{bcrypt.hashpw(entry['password'].encode(), bcrypt.gensalt(8)).decode()}\n"
            for user, entry in made.items()
        )
        users = {
            user: {"project_id": made[user]["project_id"], "project_name": project, "roles": [role]}
            for user, (project, role) in USERS.items()
        }
        self._write("htpasswd", htpasswd, secret=True)
        self._write("users.yaml", yaml.safe_dump({"users": users}))
        # Last: with it everything else is there.
        self._write("credentials.json", json.dumps(made, indent=2), secret=True)
        return made

    def _write_clouds(self, credentials: Mapping[str, Mapping[str, str]]) -> None:
        clouds = {
            user: {
                "auth_type": "http_basic",
                "auth": {"username": user, "password": credentials[user]["password"], "endpoint": self.market_url},
                "baremetal_market_endpoint_override": self.market_url,
                "baremetal_provider_endpoint_override": self.provider_urls[0],
                "vendor_hook": "flocx_client.openstack_services:register",
            }
            for user in PEOPLE
        }
        self._write("clouds.yaml", yaml.safe_dump({"clouds": clouds}, sort_keys=False), secret=True)

    def _market_conf(self) -> str:
        return f"""[database]
connection = sqlite:///{self.state / "market.sqlite"}
[api]
port = {self.ports.market}
auth_strategy = http_basic
threads = 24
max_long_polls = 12
[http_basic]
htpasswd_file = {self.state / "htpasswd"}
users_file = {self.state / "users.yaml"}
[market]
shortest_contract = {SHORTEST_CONTRACT}
notice = 5
[manager]
listen = 127.0.0.1:{self.ports.market_manager}
"""

    def _provider_conf(self, number: int, password: str) -> str:
        port, manager = {
            1: (self.ports.provider, self.ports.provider_manager),
            2: (self.ports.second_provider, self.ports.second_provider_manager),
        }[number]
        mapping = self.mapping
        owners = ",".join(f"{value}:{project}" for value, project in mapping.owner_map.items())
        return f"""[database]
connection = sqlite:///{self.state / f"provider-{number}.sqlite"}
[provider]
name = provider-{number}
notice = 5
[static]
inventory_file = {self.state / f"provider-{number}.jsonl"}
uuid_expression = {_escaped(mapping.uuid_expression)}
name_expression = {_escaped(mapping.name_expression)}
owner_expression = {_escaped(mapping.owner_expression)}
owner_map = {_escaped(owners)}
resource_class_expression = {_escaped(mapping.resource_class_expression)}
properties_expression = {_escaped(mapping.properties_expression)}
[api]
port = {port}
auth_strategy = http_basic
[http_basic]
htpasswd_file = {self.state / "htpasswd"}
users_file = {self.state / "users.yaml"}
[market]
auth_type = http_basic
username = provider-{number}
password = {_escaped(password)}
endpoint_override = {self.market_url}
[manager]
listen = 127.0.0.1:{manager}
"""

    def _write(self, name: str, text: str, *, secret: bool = False) -> None:
        path = self.state / name
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if secret else 0o644)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)

    def _start(self) -> None:
        for kind, config in (("market", "market"), ("provider", "provider-1"), ("provider", "provider-2")):
            command = [
                _script(f"flocx-{kind}-manage"),
                "--config-file",
                str(self.state / f"{config}.conf"),
                "db",
                "sync",
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise CannotStart(f"the database of {config} cannot be set up: {done.stderr.strip()[-500:]}")
        for service in self._services():
            log = (self.state / f"{service.name}.log").open("ab")
            self._processes[service.name] = subprocess.Popen(
                [_script(service.command), "--config-file", str(self.state / service.config)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                # A session of its own, so that Ctrl-C reaches us first and all of it can be ended together.
                start_new_session=True,
            )
            log.close()
        for service in self._services():
            self.console.wait(f"waiting for {service.name}", partial(self._ready, service.ready), _START_TIMEOUT, 0.1)

    def _ready(self, url: str) -> bool | None:
        try:
            self.check_alive()
        except StoryFailed as error:
            raise CannotStart(str(error)) from None
        try:
            return True if requests.get(url, timeout=5).status_code == 200 else None
        except requests.RequestException:
            return None

    def _stop(self) -> None:
        # Providers first: what they have in hand they can still report.
        for name in reversed(list(self._processes)):
            _signal(self._processes[name], signal.SIGTERM)
        deadline = time.monotonic() + _STOP_TIMEOUT
        for process in self._processes.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                # Who presses Ctrl-C again means it.
                deadline = 0
                _signal(process, signal.SIGKILL)
                process.wait()
        self._processes.clear()


def vars_of(ports: Ports) -> Mapping[str, int]:
    """Return the ports by name."""
    return {name: getattr(ports, name) for name in Ports.__slots__}


def _health(port: int) -> str:
    return f"http://127.0.0.1:{port}/readyz"


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _escaped(value: str) -> str:
    # oslo.config substitutes $names.
    return value.replace("$", "$$")


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
