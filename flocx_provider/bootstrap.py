# SPDX-License-Identifier: Apache-2.0
"""The provider's composition root: configuration in, wired services out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from importlib.metadata import entry_points

from keystoneauth1 import loading
from oslo_config import cfg
from oslo_policy import policy as oslo_policy

from flocx_client.market import MarketClient
from flocx_common.api.app import assembled, routed
from flocx_common.api.auth import authenticated
from flocx_common.api.health import Check, Readiness
from flocx_common.api.long_poll import ChangeWatcher, LongPolls
from flocx_common.api.middleware import WsgiApp
from flocx_common.api.policy import Policy
from flocx_common.api.query import PageLimits
from flocx_common.api.server import health_server
from flocx_common.api.users_file import UsersFile
from flocx_common.conf.loading import load
from flocx_common.db.migration import Migrations
from flocx_common.db.transactions import Database, database_from
from flocx_common.domain.clock import Clock, SystemClock
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.extras import missing_extra
from flocx_common.manager.jobs import Component, Manager
from flocx_common.ports.directory import NoDirectory, ProjectDirectory
from flocx_provider.api.baremetal import mirrored
from flocx_provider.api.baremetal_exchange import MirrorServices
from flocx_provider.api.controllers.root import RootController
from flocx_provider.api.services import SERVICE_TYPE, VERSIONS, ProviderServices
from flocx_provider.conf import opts
from flocx_provider.db.inspections import SqlInspections
from flocx_provider.db.node_claims import SqlNodeClaims
from flocx_provider.db.static_nodes import SqlNodeStates
from flocx_provider.db.store import ProviderStore
from flocx_provider.domain.fulfillment import FulfillmentRules
from flocx_provider.domain.private_properties import PrivateProperties
from flocx_provider.drivers import placement_setup
from flocx_provider.drivers.market_http import HttpMarketGateway
from flocx_provider.manager.tasks import Intervals, provider_jobs
from flocx_provider.policies.rules import list_rules
from flocx_provider.ports.driver import DriverContext
from flocx_provider.ports.inventory import NodeInventory
from flocx_provider.services.baremetal import Nodes
from flocx_provider.services.settings import ProviderSettings

#: The service's name in configuration file names and logs.
SERVICE = "flocx-provider"
#: The package that holds its migrations.
MIGRATIONS = "flocx_migrations_provider"

# Seconds that any answer of the market but a long poll may take.
_ANSWER_TIMEOUT = 30


def configuration(args: Sequence[str], *, command: str | None = None) -> cfg.ConfigOpts:
    """Return the provider's configuration; see :func:`flocx_common.conf.loading.load`."""
    return load(SERVICE, opts.register, args, command=command)


def database(conf: cfg.ConfigOpts) -> Database:
    """Return the provider's database."""
    return database_from(conf.database)


def migrations(conf: cfg.ConfigOpts) -> Migrations:
    """Return the migrations of the provider's database."""
    return Migrations(MIGRATIONS, database(conf).engine)


def inventory(conf: cfg.ConfigOpts, db: Database, directory: ProjectDirectory) -> NodeInventory:
    """Return the inventory of the configured driver.

    :raises ConfigurationInvalid: there is no such driver, or it cannot be set up.
    """
    found = {entry.name: entry for entry in entry_points(group="flocx_provider.node_drivers")}
    if conf.provider.driver not in found:
        known = ", ".join(sorted(found)) or "none; is flocx installed?"
        raise ConfigurationInvalid(f"[provider] driver: {conf.provider.driver!r} is not known; known are {known}")
    context = DriverContext(
        states=SqlNodeStates(db),
        claims=SqlNodeClaims(db),
        inspections=SqlInspections(db),
        resolve=directory.resolve,
        clock=SystemClock(),
    )
    try:
        create: Callable[..., NodeInventory] = found[conf.provider.driver].load()
        return create(conf, context)
    except ModuleNotFoundError as error:
        raise ConfigurationInvalid(
            missing_extra(f"[provider] driver: {conf.provider.driver}", error.name, "openstack")
        ) from None


def settings(conf: cfg.ConfigOpts, nodes: NodeInventory) -> ProviderSettings:
    """Return the settings of the provider."""
    options = conf.provider
    turnaround = nodes.turnaround if options.turnaround is None else options.turnaround
    release_delay = nodes.release_delay if options.release_delay is None else options.release_delay
    return ProviderSettings(
        name=options.name,
        turnaround=timedelta(seconds=turnaround),
        private=PrivateProperties(options.private_properties),
        fulfillment=FulfillmentRules(
            delivery_timeout=timedelta(seconds=options.delivery_timeout),
            take_back_timeout=timedelta(seconds=options.take_back_timeout),
            undeploy=options.undeploy,
            release_delay=timedelta(seconds=release_delay),
            notice=timedelta(seconds=options.notice),
        ),
    )


def directory(conf: cfg.ConfigOpts) -> ProjectDirectory:
    """Return what knows the names of projects, as far as the authentication strategy does."""
    match conf.api.auth_strategy:
        case "keystone":
            from flocx_common.api.keystone import keystone_directory  # noqa: PLC0415 - optional

            return keystone_directory(conf)
        case "http_basic":
            return UsersFile(conf.http_basic.users_file)
        case _:
            return NoDirectory()


def market(conf: cfg.ConfigOpts) -> HttpMarketGateway:
    """Return the market as ``[market]`` describes it; nothing is connected yet.

    :raises ConfigurationInvalid: the credentials cannot be used.
    """
    try:
        auth = loading.load_auth_from_conf_options(conf, "market")
        session = loading.load_session_from_conf_options(conf, "market", auth=auth)
    except Exception as error:
        raise ConfigurationInvalid(f"[market] auth: {error}") from None
    if session.timeout is None:
        session.timeout = _ANSWER_TIMEOUT

    def connect() -> MarketClient:
        options = conf.market
        return MarketClient(
            session,
            endpoint_override=options.endpoint_override,
            region_name=options.region_name,
            interface=options.valid_interfaces,
            # The jobs do again what did not come through.
            retries=0,
        )

    return HttpMarketGateway(connect)


def application(
    conf: cfg.ConfigOpts, *, clock: Clock | None = None, db: Database | None = None
) -> tuple[WsgiApp, Readiness]:
    """Return the provider's WSGI application, and what decides whether it is ready.

    :param db: the database to work on, instead of one of its own.
    """
    db = db or database(conf)
    store = ProviderStore(db)
    nodes = inventory(conf, db, directory(conf))
    services = ProviderServices(
        policy=Policy(conf, list_rules()),
        directory=NoDirectory(),
        page_limits=PageLimits(min(conf.api.default_limit, conf.api.max_limit), conf.api.max_limit),
        public_endpoint=conf.api.public_endpoint,
        check_answers=conf.api.check_answers,
        store=store,
        event_store=store,
        inventory=nodes,
        clock=clock or SystemClock(),
        settings=settings(conf, nodes),
        long_polls=LongPolls(
            ChangeWatcher(lambda: store.read(lambda uow: uow.place()), conf.api.wake_interval),
            conf.api.max_long_polls,
            conf.api.max_wait,
        ),
    )
    app, services.directory = authenticated(mirrored(routed(RootController(services)), baremetal(conf, services)), conf)
    readiness = Readiness(checks(conf, db, nodes), dismiss=services.long_polls.stop)
    return assembled(app, conf, readiness=readiness, service_type=SERVICE_TYPE, versions=VERSIONS), readiness


def baremetal(conf: cfg.ConfigOpts, services: ProviderServices) -> MirrorServices | None:
    """Return what serves Ironic's API to owners and lessees, None where the nodes are not in Ironic."""
    if conf.provider.driver != "ironic":
        return None
    from flocx_provider.drivers.baremetal_http import BaremetalHttp, connector  # noqa: PLC0415 - optional
    from flocx_provider.drivers.ironic_setup import attributes  # noqa: PLC0415 - optional

    ironic = BaremetalHttp(connector(conf))
    return MirrorServices(
        service=ironic,
        nodes=Nodes(service=ironic, store=services.store, attributes=attributes(conf)),
        policy=services.policy,
        private=services.settings.private,
        clock=services.clock,
        public_endpoint=services.public_endpoint,
    )


def checks(conf: cfg.ConfigOpts, db: Database, nodes: NodeInventory) -> Mapping[str, Check]:
    """Return what must work for the provider to be ready, by name."""
    schema = Migrations(MIGRATIONS, db.engine)

    def database_at_head() -> None:
        if schema.current() != schema.head:
            raise ConfigurationInvalid("the database is not at the newest revision")

    found: dict[str, Check] = {"database": database_at_head, "inventory": nodes.check}
    if conf.api.auth_strategy == "keystone":
        from flocx_common.api.keystone import keystone_check  # noqa: PLC0415 - optional

        found["keystone"] = keystone_check(conf)
    return found


def build_manager(args: Sequence[str]) -> Manager:
    """Return the provider's manager; called in the process that runs it."""
    conf = configuration(args, command=f"{SERVICE}-manager")
    db = database(conf)
    nodes = inventory(conf, db, directory(conf))
    found = checks(conf, db, nodes)
    needed = {name: found[name] for name in ("database", "inventory")}
    placement = placement_setup.create(conf)
    if placement is not None:
        needed["placement"] = placement.check
    readiness = Readiness(needed)
    store = ProviderStore(db)
    options = conf.manager
    intervals = Intervals(
        publish=options.publish_interval,
        resync=options.resync_interval,
        pull=options.pull_interval,
        reconcile=options.reconcile_interval,
        report=options.report_interval,
        health=options.health_interval,
        heartbeat=options.heartbeat_interval,
        wait=conf.market.wait,
        placement=conf.placement_aggregates.interval,
    )
    components: list[Component] = []
    if options.listen:
        components.append(health_server(options.listen, readiness))
    return Manager(
        provider_jobs(store, nodes, market(conf), settings(conf, nodes), intervals, placement),
        clock=SystemClock(),
        read_place=lambda: store.read(lambda uow: uow.place()),
        wake_interval=options.wake_interval,
        components=components,
    )


def policy_enforcer() -> oslo_policy.Enforcer:
    """Return an enforcer with the provider's rules, for the tools of oslo.policy."""
    return Policy(configuration([]), list_rules()).enforcer
