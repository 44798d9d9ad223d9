# SPDX-License-Identifier: Apache-2.0
"""The market's composition root: configuration in, wired services out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from importlib.metadata import entry_points
from typing import Any

from oslo_config import cfg
from oslo_policy import policy as oslo_policy

from flocx_common.api.app import assembled, routed
from flocx_common.api.auth import authenticated
from flocx_common.api.health import Check, Readiness
from flocx_common.api.long_poll import ChangeWatcher, LongPolls
from flocx_common.api.middleware import WsgiApp
from flocx_common.api.policy import Policy
from flocx_common.api.query import PageLimits
from flocx_common.api.server import health_server
from flocx_common.conf.loading import load
from flocx_common.db.migration import Migrations
from flocx_common.db.transactions import Database, database_from
from flocx_common.domain.clock import Clock, SystemClock
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.manager.jobs import Component, JobSpec, Manager
from flocx_common.ports.directory import NoDirectory
from flocx_market.api.controllers.root import RootController
from flocx_market.api.services import SERVICE_TYPE, VERSIONS, MarketServices
from flocx_market.conf import opts
from flocx_market.db.store import MarketStore
from flocx_market.domain.bid import Limits
from flocx_market.domain.clearing import Rules
from flocx_market.domain.engine import UNBOUNDED, Effort
from flocx_market.domain.lifecycle import Timeouts
from flocx_market.domain.pricing import PricingOptions
from flocx_market.manager.tasks import market_jobs
from flocx_market.policies.rules import list_rules
from flocx_market.services.settings import MarketSettings

#: The service's name in configuration file names and logs.
SERVICE = "flocx-market"
#: The package that holds its migrations.
MIGRATIONS = "flocx_migrations_market"


def configuration(args: Sequence[str], *, command: str | None = None) -> cfg.ConfigOpts:
    """Return the market's configuration; see :func:`flocx_common.conf.loading.load`."""
    return load(SERVICE, opts.register, args, command=command)


def database(conf: cfg.ConfigOpts) -> Database:
    """Return the market's database."""
    return database_from(conf.database)


def migrations(conf: cfg.ConfigOpts) -> Migrations:
    """Return the migrations of the market's database."""
    return Migrations(MIGRATIONS, database(conf).engine)


def rules(
    *,
    engine: str,
    ranking: str,
    pricing: str,
    k: Decimal,
    effort: Effort = UNBOUNDED,
    pricing_budget: int | None = None,
) -> Rules:
    """Return the rules of these names, from their entry points.

    :param pricing_budget: placements the rule ``critical`` may try in a round; None for no bound.

    :raises ConfigurationInvalid: there is no such entry point.
    """
    return Rules(
        engine=_plugin("clearing_engines", "engine", engine),
        ranking=_plugin("rankings", "ranking", ranking),
        pricing=_plugin("pricing_rules", "pricing", pricing),
        pricing_name=pricing,
        pricing_options=PricingOptions(k=k, budget=pricing_budget),
        effort=effort,
    )


def settings(conf: cfg.ConfigOpts) -> MarketSettings:
    """Return the settings of the market.

    :raises ConfigurationInvalid: they contradict each other.
    """
    market, clearing = conf.market, conf.clearing
    if market.shortest_contract > market.longest_contract:
        raise ConfigurationInvalid(
            f"[market] shortest_contract: {market.shortest_contract} s is more than longest_contract, "
            f"{market.longest_contract} s"
        )
    return MarketSettings(
        limits=Limits(
            shortest_contract=market.shortest_contract,
            longest_contract=market.longest_contract,
            horizon=market.horizon,
            default_duration=market.default_duration,
            max_quantity=market.max_quantity,
        ),
        timeouts=Timeouts(
            delivery=timedelta(seconds=market.delivery_timeout),
            replacement=timedelta(seconds=market.replacement_timeout),
            notice=timedelta(seconds=market.notice),
        ),
        rules=rules(
            engine=clearing.engine,
            ranking=clearing.ranking,
            pricing=clearing.pricing,
            k=Decimal(str(clearing.k)),
            effort=Effort(work=clearing.work_limit, seconds=clearing.time_limit),
            pricing_budget=clearing.pricing_budget,
        ),
        liveness_timeout=timedelta(seconds=market.liveness_timeout),
        audit_interval=timedelta(seconds=clearing.audit_interval) if clearing.audit_interval else None,
    )


def application(
    conf: cfg.ConfigOpts, *, clock: Clock | None = None, db: Database | None = None
) -> tuple[WsgiApp, Readiness]:
    """Return the market's WSGI application, and what decides whether it is ready.

    :param db: the database to work on, instead of one of its own.
    """
    db = db or database(conf)
    store = MarketStore(db)
    services = MarketServices(
        policy=Policy(conf, list_rules()),
        directory=NoDirectory(),
        page_limits=PageLimits(min(conf.api.default_limit, conf.api.max_limit), conf.api.max_limit),
        public_endpoint=conf.api.public_endpoint,
        check_answers=conf.api.check_answers,
        store=store,
        event_store=store,
        clock=clock or SystemClock(),
        settings=settings(conf),
        long_polls=LongPolls(
            ChangeWatcher(lambda: store.read(lambda uow: uow.place()), conf.api.wake_interval),
            conf.api.max_long_polls,
            conf.api.max_wait,
        ),
        price_unit=conf.market.price_unit,
    )
    app, services.directory = authenticated(routed(RootController(services)), conf)
    readiness = Readiness(checks(conf, db), dismiss=services.long_polls.stop)
    return assembled(app, conf, readiness=readiness, service_type=SERVICE_TYPE, versions=VERSIONS), readiness


def checks(conf: cfg.ConfigOpts, db: Database) -> Mapping[str, Check]:
    """Return what must work for the market to be ready, by name."""
    schema = Migrations(MIGRATIONS, db.engine)

    def database_at_head() -> None:
        if schema.current() != schema.head:
            raise ConfigurationInvalid("the database is not at the newest revision")

    found: dict[str, Check] = {"database": database_at_head}
    if conf.api.auth_strategy == "keystone":
        from flocx_common.api.keystone import keystone_check  # noqa: PLC0415 - optional

        found["keystone"] = keystone_check(conf)
    return found


def build_manager(args: Sequence[str]) -> Manager:
    """Return the market's manager; called in the process that runs it."""
    conf = configuration(args, command=f"{SERVICE}-manager")
    db = database(conf)
    return manager(conf, MarketStore(db), Readiness({"database": checks(conf, db)["database"]}), SystemClock())


def manager(conf: cfg.ConfigOpts, store: MarketStore, readiness: Readiness, clock: Clock) -> Manager:
    """Return the manager of a store."""
    jobs: Sequence[JobSpec] = market_jobs(
        store,
        settings(conf),
        clearing_interval=conf.manager.clearing_interval,
        liveness_interval=conf.manager.liveness_interval,
        gather=conf.clearing.gather,
    )
    components: list[Component] = []
    if conf.manager.listen:
        components.append(health_server(conf.manager.listen, readiness))
    return Manager(
        jobs,
        clock=clock,
        read_place=lambda: store.read(lambda uow: uow.place()),
        wake_interval=conf.manager.wake_interval,
        components=components,
    )


def policy_enforcer() -> oslo_policy.Enforcer:
    """Return an enforcer with the market's rules, for the tools of oslo.policy."""
    return Policy(configuration([]), list_rules()).enforcer


def _plugin(group: str, option: str, name: str) -> Any:
    found = {entry.name: entry for entry in entry_points(group=f"flocx_market.{group}")}
    if name not in found:
        known = ", ".join(sorted(found)) or "none; is flocx installed?"
        raise ConfigurationInvalid(f"[clearing] {option}: {name!r} is not known; known are {known}")
    return found[name].load()
