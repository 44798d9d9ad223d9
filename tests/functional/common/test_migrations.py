# SPDX-License-Identifier: Apache-2.0
"""The migrations of both services, walked up and down with data on every kind of database."""

import importlib
import threading

import alembic.autogenerate
import alembic.runtime.migration
import pytest
import sqlalchemy as sa

from flocx_common.db.engine import create_engine
from flocx_common.db.migration import Migrations
from flocx_common.db.transactions import Database
from flocx_market.db.store import MarketStore
from flocx_provider.db.store import ProviderStore
from tests.builders import contract, market_bid, market_offer, market_provider, uid
from tests.unit.provider.builders import provider_allocation, provider_offer


def fill_market(database):
    def work(uow):
        uow.providers.add(market_provider())
        for node in (1, 2):
            uow.nodes.know(uid(1000 + node))
            uow.offers.add(market_offer(node, lessee_project_ids=("consumer-a",)))
        uow.bids.add(market_bid())
        uow.contracts.add([contract(2)])

    MarketStore(database).write(work)


def fill_provider(database):
    from flocx_provider.domain.allocation import Contract

    def work(uow):
        uow.nodes.know(uid(1001))
        uow.offers.add(provider_offer())
        one = provider_allocation()
        uow.contracts.put(
            Contract(
                uuid=one.contract_uuid,
                lessee_project_id="consumer-a",
                start_time=one.start_time,
                end_time=one.end_time,
                status="created",
                status_reason=None,
            )
        )
        uow.allocations.add(one)

    ProviderStore(database).write(work)


FILL = {"market": fill_market, "provider": fill_provider}


@pytest.fixture
def engine(database_url):
    made = create_engine(database_url)
    yield made
    made.dispose()


@pytest.mark.parametrize("service", FILL)
def test_every_migration_goes_up_and_down_with_data_in_it(service, engine):
    migrations = Migrations(f"flocx_migrations_{service}", engine)
    assert migrations.current() is None
    migrations.upgrade()
    assert migrations.current() == migrations.head
    FILL[service](Database(engine))
    for revision in [*reversed(migrations.revisions()[:-1]), "base"]:
        migrations.downgrade(revision)
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}
    migrations.upgrade()
    FILL[service](Database(engine))


@pytest.mark.parametrize("service", FILL)
def test_the_migrations_make_what_the_models_say(service, engine):
    Migrations(f"flocx_migrations_{service}", engine).upgrade()
    metadata = importlib.import_module(f"flocx_{service}.db.models").metadata
    with engine.connect() as connection:
        context = alembic.runtime.migration.MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert alembic.autogenerate.compare_metadata(context, metadata) == []


@pytest.mark.parametrize("service", FILL)
def test_upgrading_again_changes_nothing(service, engine):
    migrations = Migrations(f"flocx_migrations_{service}", engine)
    migrations.upgrade()
    FILL[service](Database(engine))
    migrations.upgrade()
    assert migrations.current() == migrations.head


@pytest.mark.parametrize("service", FILL)
def test_two_upgrades_at_once_end_well(service, database_url):
    problems = []

    def upgrade():
        engine = create_engine(database_url)
        try:
            Migrations(f"flocx_migrations_{service}", engine).upgrade()
        except Exception as error:
            problems.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    engine = create_engine(database_url)
    assert Migrations(f"flocx_migrations_{service}", engine).current() is not None
    engine.dispose()


@pytest.mark.parametrize("service", FILL)
def test_there_is_one_newest_revision(service, engine):
    migrations = Migrations(f"flocx_migrations_{service}", engine)
    assert migrations.revisions()[-1] == migrations.head
