# SPDX-License-Identifier: Apache-2.0
"""A market and providers in this process: real services, real databases, a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import bcrypt
import requests
import webtest
import yaml
from keystoneauth1 import loading
from keystoneauth1 import session as ksa_session

from flocx_client.market import MarketClient
from flocx_client.provider import ProviderClient
from flocx_common.db.transactions import Database
from flocx_common.testing.clock import FrozenClock
from flocx_common.testing.wsgi import WsgiAdapter
from flocx_market import bootstrap as market_bootstrap
from flocx_market.db.store import MarketStore
from flocx_market.services.clearing import RoundReport, run_round
from flocx_market.services.providers import notice_silence
from flocx_market.services.standing import StandingMarket
from flocx_provider import bootstrap as provider_bootstrap
from flocx_provider.db.static_nodes import SqlNodeStates
from flocx_provider.db.store import ProviderStore
from flocx_provider.drivers.market_http import HttpMarketGateway
from flocx_provider.services.fulfillment import reconcile
from flocx_provider.services.health import examine_offers
from flocx_provider.services.publishing import publish_offers
from flocx_provider.services.pulling import pull_allocations
from flocx_provider.services.registration import Heart
from flocx_provider.services.reporting import report_allocations

#: user -> (project id, project name, roles); passwords are the names.
USERS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "owner-a": ("p-owner-a", "owner-a", ("manager",)),
    "owner-a-member": ("p-owner-a", "owner-a", ("member",)),
    "owner-a-reader": ("p-owner-a", "owner-a", ("reader",)),
    "owner-b": ("p-owner-b", "owner-b", ("manager",)),
    "consumer-a": ("p-consumer-a", "consumer-a", ("member",)),
    "consumer-a-reader": ("p-consumer-a", "consumer-a", ("reader",)),
    "consumer-b": ("p-consumer-b", "consumer-b", ("member",)),
    "admin": ("p-admin", "admin", ("admin",)),
    "provider-1": ("p-services", "services", ("service",)),
    "provider-2": ("p-services", "services", ("service",)),
    "service": ("p-services", "services", ("service",)),
}

MARKET_URL = "http://market.test"


@lru_cache
def _digests() -> str:
    return "".join(f"{user}:{bcrypt.hashpw(user.encode(), bcrypt.gensalt(4)).decode()}\n" for user in USERS)


def write_users(directory: Path) -> None:
    """Write the htpasswd and users files of http_basic."""
    (directory / "htpasswd").write_text(_digests())
    users = {
        name: {"project_id": project_id, "project_name": project, "roles": list(roles)}
        for name, (project_id, project, roles) in USERS.items()
    }
    (directory / "users.yaml").write_text(yaml.safe_dump({"users": users}))


def write_conf(directory: Path, name: str, sections: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write a configuration file."""
    path = directory / name
    path.write_text(
        "".join(
            f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
            for section, options in sections.items()
        )
    )
    return path


def _api(directory: Path, **more: Any) -> dict[str, dict[str, Any]]:
    return {
        "api": {"auth_strategy": "http_basic", "check_answers": True, "wake_interval": 0.02, **more},
        "http_basic": {"htpasswd_file": directory / "htpasswd", "users_file": directory / "users.yaml"},
    }


class Browser:
    """One user's requests to an application."""

    def __init__(self, app: Any, user: str | None) -> None:
        self._app = webtest.TestApp(app)
        if user is not None:
            self._app.authorization = ("Basic", (user, user))

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        status: int | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> webtest.TestResponse:
        """Make a request; ``status`` None expects success."""
        sent = {"Content-Type": "application/json", **(headers or {})} if body is not None else dict(headers or {})
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self._app.request(path, method=method, body=raw, headers=sent, status=status or "2*")

    def get(self, path: str, **more: Any) -> webtest.TestResponse:
        """GET a path."""
        return self("GET", path, **more)


class MarketHarness:
    """A market: its application, its store, and its manager's work on demand."""

    def __init__(self, directory: Path, database: Database, url: str, clock: FrozenClock, **options: Any) -> None:
        write_users(directory)
        sections = _api(directory, **options.pop("api", {}))
        sections["database"] = {"connection": url}
        sections["market"] = {"shortest_contract": 60, "notice": 3600, **options.pop("market", {})}
        sections["clearing"] = {"audit_interval": 0, **options.pop("clearing", {})}
        sections["oslo_middleware"] = options.pop("oslo_middleware", {})
        path = write_conf(directory, "market.conf", sections)
        self.conf = market_bootstrap.configuration(["--config-file", str(path)])
        self.clock = clock
        self.app, self.readiness = market_bootstrap.application(self.conf, clock=clock, db=database)
        self.store = MarketStore(database)
        self.settings = market_bootstrap.settings(self.conf)
        self.standing = StandingMarket(self.settings)
        self.adapter = WsgiAdapter(self.app)

    def browser(self, user: str | None) -> Browser:
        """Return a user's browser; None for one without credentials."""
        return Browser(self.app, user)

    def session(self, user: str) -> ksa_session.Session:
        """Return a user's keystoneauth session over this process."""
        plugin = loading.get_plugin_loader("http_basic").load_from_options(
            username=user, password=user, endpoint=MARKET_URL
        )
        http = requests.Session()
        http.mount(MARKET_URL, self.adapter)
        return ksa_session.Session(auth=plugin, session=http)

    def client(self, user: str) -> MarketClient:
        """Return a user's client."""
        return MarketClient(self.session(user), endpoint_override=MARKET_URL, retries=0)

    def round(self) -> RoundReport:
        """Run a round of the market now, and see to it that nothing is left that could be served."""
        now = self.clock.now()
        report = run_round(store=self.store, settings=self.settings, now=now, standing=self.standing)
        if not report.lost:
            assert StandingMarket(self.settings).hold(self.store, now).round.deals == ()
        return report

    def manager(self) -> Callable[[], RoundReport]:
        """Return the rounds of one more manager of this market; it knows what it has read itself."""
        standing = StandingMarket(self.settings)
        return lambda: run_round(store=self.store, settings=self.settings, now=self.clock.now(), standing=standing)

    def watch(self) -> int:
        """Notice silent providers now."""
        return notice_silence(store=self.store, now=self.clock.now(), liveness_timeout=self.settings.liveness_timeout)


class ProviderHarness:
    """A provider: its application, its store, and its manager's work on demand."""

    def __init__(
        self,
        directory: Path,
        database: Database,
        url: str,
        clock: FrozenClock,
        market: MarketHarness,
        machines: list[dict[str, Any]],
        *,
        user: str = "provider-1",
        **options: Any,
    ) -> None:
        write_users(directory)
        (directory / f"{user}.json").write_text(json.dumps(machines))
        sections = _api(directory, **options.pop("api", {}))
        sections["database"] = {"connection": url}
        sections["provider"] = {"name": user, **options.pop("provider", {})}
        sections["static"] = {"inventory_file": directory / f"{user}.json", **options.pop("static", {})}
        path = write_conf(directory, f"{user}.conf", sections)
        self.conf = provider_bootstrap.configuration(["--config-file", str(path)])
        self.clock = clock
        self.app, self.readiness = provider_bootstrap.application(self.conf, clock=clock, db=database)
        self.store = ProviderStore(database)
        self.states = SqlNodeStates(database)
        self.inventory = provider_bootstrap.inventory(self.conf, database, provider_bootstrap.directory(self.conf))
        self.settings = provider_bootstrap.settings(self.conf, self.inventory)
        self.market = HttpMarketGateway(lambda: market.client(user))
        self.heart = Heart(self.market, self.store, self.settings)
        self.adapter = WsgiAdapter(self.app)

    def browser(self, user: str | None) -> Browser:
        """Return a user's browser; None for one without credentials."""
        return Browser(self.app, user)

    def client(self, user: str) -> ProviderClient:
        """Return a user's client."""
        url = "http://provider.test"
        plugin = loading.get_plugin_loader("http_basic").load_from_options(username=user, password=user, endpoint=url)
        http = requests.Session()
        http.mount(url, self.adapter)
        return ProviderClient(ksa_session.Session(auth=plugin, session=http), endpoint_override=url, retries=0)

    def beat(self) -> None:
        """Tell the market that the provider is alive."""
        self.heart.beat(self.clock.now())

    def publish(self) -> int:
        """Tell the market of offers."""
        return publish_offers(market=self.market, store=self.store, now=self.clock.now())

    def examine(self) -> int:
        """Look after the health of offered nodes."""
        return examine_offers(
            inventory=self.inventory, private=self.settings.private, store=self.store, now=self.clock.now()
        )

    def pull(self) -> int:
        """Take over what the market wants."""
        return pull_allocations(market=self.market, store=self.store, now=self.clock.now())

    def reconcile(self) -> Any:
        """Hand nodes over and take them back."""
        return reconcile(
            inventory=self.inventory, store=self.store, rules=self.settings.fulfillment, now=self.clock.now()
        )

    def report(self) -> int:
        """Tell the market what became of allocations."""
        return report_allocations(market=self.market, store=self.store, now=self.clock.now())

    def work(self) -> None:
        """Do everything a manager does, once."""
        self.beat()
        self.examine()
        self.publish()
        self.pull()
        self.reconcile()
        self.report()
        self.pull()
