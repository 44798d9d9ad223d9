# SPDX-License-Identifier: Apache-2.0
"""FLOCX on the cloud of a run: one market, and for each region a provider with that region's Ironic."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acceptance.configuration import Section, write_configuration, write_secret
from acceptance.processes import Command, Processes, Service
from acceptance.site import REGIONS, Site, readiness

MARKET = ("market-api", "market-manager")
#: Where the services listen, managers for their health alone; the services have the same names.
PORTS: Sequence[str] = (
    *MARKET,
    *(f"provider-{number}-{part}" for number in range(1, len(REGIONS) + 1) for part in ("api", "manager")),
)
#: Seconds after a start, or an end, until a provider gives up waiting for a node.
DELIVERY_TIMEOUT = 10
TAKE_BACK_TIMEOUT = 60
#: Seconds that a replacement for a failed node is sought.
REPLACEMENT_TIMEOUT = 30


def provider_in(region: str) -> str:
    """Return the name of a region's provider."""
    return f"provider-{REGIONS.index(region) + 1}"


@dataclass(frozen=True, slots=True)
class Flocx:
    """The services of FLOCX. ``nova`` tells whether there is one in the first region."""

    site: Site
    processes: Processes
    nova: bool

    @property
    def market_url(self) -> str:
        """Where the market is."""
        return self.site.url(MARKET[0])

    def provider_url(self, region: str) -> str:
        """Return where a region's provider is."""
        return self.site.url(f"{provider_in(region)}-api")

    def provider_manager_url(self, region: str) -> str:
        """Return where the manager of a region's provider tells its health."""
        return self.site.url(f"{provider_in(region)}-manager")

    def database(self, name: str) -> str:
        """Return the database of the market or a provider: both kinds of server are used where both answer."""
        preferred = ("mysql", "postgresql") if name == provider_in(REGIONS[0]) else ("postgresql", "mysql")
        return self.site.databases.create(f"flocx_{name.replace('-', '_')}", *preferred)

    def deploy(self) -> None:
        """Set everything up in Keystone and the databases, and start the services.

        :raises CannotRun: something does not start.
        """
        self.configure_market()
        for region in REGIONS:
            self.configure_provider(region)
        first, *others = REGIONS
        self.processes.run(
            [self._bootstrap("market", first, "--market-url", self.market_url)],
            [self._sync("market"), *(self._sync(provider_in(region)) for region in REGIONS)],
        )
        self.processes.run(
            [
                self._bootstrap(
                    provider_in(first),
                    first,
                    *("--provider-url", self.provider_url(first)),
                    *(["--deletes-servers"] if self.nova else []),
                ),
                *(
                    self._bootstrap(
                        provider_in(region),
                        region,
                        *("--market-url", self.market_url),
                        *("--provider-url", self.provider_url(region)),
                        *("--provider-user", _user(provider_in(region))),
                    )
                    for region in others
                ),
            ],
        )
        self.processes.start(*self._services("market"))
        self.processes.start(*(service for region in REGIONS for service in self._services(provider_in(region))))

    def configure_market(self) -> None:
        """Write the market's configuration."""
        self._write(
            "market",
            {
                "api": {"threads": 24, "max_long_polls": 12},
                # Contracts that one can wait for.
                "market": {"shortest_contract": 5, "notice": 10, "replacement_timeout": REPLACEMENT_TIMEOUT},
            },
        )

    def configure_provider(self, region: str, more: Mapping[str, Section] | None = None) -> None:
        """Write the configuration of a region's provider, with ``more`` sections; it reads it when it starts."""
        name = provider_in(region)
        sections: dict[str, Section] = {
            "provider": {
                "name": name,
                "driver": "ironic",
                "turnaround": 5,
                "release_delay": 3,
                "delivery_timeout": DELIVERY_TIMEOUT,
                "take_back_timeout": TAKE_BACK_TIMEOUT,
                "notice": 10,
            },
            # A manager that is killed keeps the next one from its node for so long.
            "ironic": {"auth_section": "keystone_authtoken", "region_name": region, "claim_timeout": 30},
            "market": {"auth_section": "keystone_authtoken", "region_name": region},
            "manager": {"reconcile_interval": 2, "health_interval": 5},
        }
        if self.nova and region == REGIONS[0]:
            sections["nova"] = self.site.service_user(_user(name), region)
        for section, options in (more or {}).items():
            sections[section] = {**sections.get(section, {}), **options}
        self._write(name, sections)

    def configuration(self, name: str) -> Path:
        """Return the configuration file of the market or a provider."""
        return self.site.state / "flocx" / f"{name}.conf"

    def _write(self, name: str, sections: Mapping[str, Section]) -> None:
        ports = self.site.ports
        write_configuration(
            self.configuration(name),
            {
                "database": {"connection": self.database(name)},
                "keystone_authtoken": self.site.token_checks(_user(name)),
                **sections,
                "api": {"auth_strategy": "keystone", "port": ports[f"{name}-api"], **sections.get("api", {})},
                "manager": {"listen": f"127.0.0.1:{ports[f'{name}-manager']}", **sections.get("manager", {})},
            },
        )

    def _sync(self, name: str) -> Command:
        return Command(purpose=f"{name} database", command=[*self._manage(name), "db", "sync"])

    def _bootstrap(self, name: str, region: str, *words: str) -> Command:
        password = write_secret(self.site.state / "flocx" / f"{name}.password", self.site.password(_user(name)))
        return Command(
            purpose=f"{name} in keystone",
            command=[
                *self._manage("provider-1"),
                "bootstrap",
                *words,
                *("--region", region, "--apply", "--os-cloud", "admin", "--password-file", str(password)),
            ],
            environment={"OS_CLIENT_CONFIG_FILE": f"{self.site.state}/clouds.yaml"},
        )

    def _manage(self, name: str) -> Sequence[str]:
        return [_script(f"flocx-{_kind(name)}-manage"), "--config-file", str(self.configuration(name))]

    def _services(self, name: str) -> Sequence[Service]:
        return [self._service(name, part) for part in ("api", "manager")]

    def _service(self, name: str, part: str) -> Service:
        url = self.site.url(f"{name}-{part}")
        return Service(
            name=f"{name}-{part}",
            command=[_script(f"flocx-{_kind(name)}-{part}"), "--config-file", str(self.configuration(name))],
            ready=lambda: readiness(url).status == 200,
        )


def _user(name: str) -> str:
    """Return the service user of the market or a provider: one user speaks for one provider."""
    return {"market": "flocx-market", provider_in(REGIONS[0]): "flocx-provider"}.get(name, f"flocx-{name}")


def _kind(name: str) -> str:
    return name.partition("-")[0]


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)
