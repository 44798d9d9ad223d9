# SPDX-License-Identifier: Apache-2.0
"""Transactions, errors and types on every kind of database."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from flocx_common.db.conflicts import DUPLICATE, RETRYABLE, sqlstate
from flocx_common.db.engine import create_engine
from flocx_common.db.nodes import insert_if_missing
from flocx_common.db.schema import MYSQL, new_metadata
from flocx_common.db.transactions import Database, StaleGeneration
from flocx_common.db.types import ExactDecimal, JSONText, UTCDateTime, text
from flocx_common.domain.errors import Busy, ConfigurationInvalid, Unavailable

metadata = new_metadata()
things = sa.Table(
    "things",
    metadata,
    sa.Column("name", text(64), primary_key=True),
    sa.Column("at", UTCDateTime),
    sa.Column("price", ExactDecimal),
    sa.Column("document", JSONText),
    sa.Column("count", sa.Integer),
    **MYSQL,
)


@pytest.fixture
def database(database_url):
    made = Database(create_engine(database_url))
    metadata.create_all(made.engine)
    yield made
    made.dispose()


def put(database, **values):
    database.write(lambda connection: connection.execute(sa.insert(things).values(**values)))


def rows(database, *where):
    return database.read(lambda connection: connection.execute(sa.select(things).where(*where)).all())


def test_instants_decimals_and_documents_survive_exactly(database):
    instant = datetime(2027, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
    document = {"a": [1, 2.5, None, True, "é\u2028\U0001f600"], "nul": "\u0000"}
    put(database, name="one", at=instant, price=Decimal("999999999999.999999"), document=document, count=1)
    row = rows(database)[0]
    assert row.at == instant
    assert row.at.tzinfo is UTC
    assert row.price == Decimal("999999999999.999999")
    assert row.document == document


def test_naive_instants_are_refused(database):
    with pytest.raises(Exception, match="naive"):
        put(database, name="one", at=datetime(2027, 1, 1))  # noqa: DTZ001


def test_prices_and_instants_sort_and_compare_by_value(database):
    for number, price in enumerate(["9", "10", "0.000001", "100"]):
        put(
            database,
            name=str(number),
            price=Decimal(price),
            at=datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=number * 40),
        )
    ordered = database.read(
        lambda connection: connection.execute(sa.select(things.c.price).order_by(things.c.price)).scalars().all()
    )
    assert ordered == [Decimal("0.000001"), Decimal(9), Decimal(10), Decimal(100)]
    assert len(rows(database, things.c.price > Decimal(9))) == 2
    assert len(rows(database, things.c.at <= datetime(2027, 2, 10, tzinfo=UTC))) == 2


def test_text_compares_byte_for_byte(database):
    for name in ("a", "A", "á"):
        put(database, name=name)
    assert len(rows(database, things.c.name == "A")) == 1


def test_text_holds_every_character(database):
    put(database, name="\U0001f600 ünï")
    assert rows(database)[0].name == "\U0001f600 ünï"


def test_a_failed_transaction_leaves_nothing(database):
    def work(connection):
        connection.execute(sa.insert(things).values(name="one"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.write(work)
    assert rows(database) == []


def test_what_a_read_writes_is_rolled_back(database):
    database.read(lambda connection: connection.execute(sa.insert(things).values(name="one")))
    assert rows(database) == []


def test_a_duplicate_is_recognized_by_its_sqlstate(database):
    put(database, name="one")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its kind is what differs
        put(database, name="one")
    assert sqlstate(caught.value) == DUPLICATE


def test_a_stale_write_is_run_again_from_the_start_and_then_given_up(database):
    runs = []

    def stale(_connection):
        runs.append(1)
        raise StaleGeneration("thing one")

    with pytest.raises(Busy, match="thing one"):
        database.write(stale, attempts=3)
    assert len(runs) == 3


def test_a_stale_write_succeeds_once_the_others_are_done(database):
    put(database, name="one", count=0)
    runs = []

    def work(connection):
        runs.append(1)
        if len(runs) < 3:
            raise StaleGeneration("thing one")
        connection.execute(sa.update(things).values(count=5))

    database.write(work)
    assert rows(database)[0].count == 5


def test_writers_that_deadlock_are_both_served(database):
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time, so none can wait for another")
    put(database, name="a", count=0)
    put(database, name="b", count=0)
    both_started = threading.Barrier(2, timeout=10)
    firsts = {"ab": iter([True]), "ba": iter([True])}

    def work(order, connection):
        for position, name in enumerate(order):
            connection.execute(sa.update(things).where(things.c.name == name).values(count=things.c.count + 1))
            if position == 0 and next(firsts[order], False):
                both_started.wait()

    threads = [threading.Thread(target=database.write, args=(lambda c, o=order: work(o, c),)) for order in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {row.name: row.count for row in rows(database)} == {"a": 2, "b": 2}


def test_a_read_sees_one_moment_whatever_is_written_meanwhile(database):
    put(database, name="one", count=1)

    def work(connection):
        before = connection.execute(sa.select(things.c.count)).scalar_one()
        database.write(lambda other: other.execute(sa.update(things).values(count=2)))
        return before, connection.execute(sa.select(things.c.count)).scalar_one()

    assert database.read(work) == (1, 1)
    assert rows(database)[0].count == 2


def test_a_row_is_inserted_only_where_there_is_none(database):
    for count in (1, 2):
        database.write(
            lambda connection, n=count: connection.execute(insert_if_missing(connection, things, name="one", count=n))
        )
    assert [row.count for row in rows(database)] == [1]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:secret@127.0.0.1:1/x",
        "mysql+pymysql://u:secret@127.0.0.1:1/x",
        "sqlite:////nowhere/at/all.db",
    ],
)
def test_a_database_that_does_not_answer_is_unavailable_and_no_secret_is_told(url, caplog):
    database = Database(create_engine(url))
    with pytest.raises(Unavailable) as refused:
        database.read(lambda connection: connection.execute(sa.text("SELECT 1")))
    assert "secret" not in refused.value.detail + caplog.text


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "a database URL is needed"),
        ("no url at all", "no usable database URL"),
        ("oracle://u:secret@h/x", "connection"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(url, problem):
    with pytest.raises(ConfigurationInvalid) as refused:
        create_engine(url)
    assert problem in refused.value.detail
    assert "secret" not in refused.value.detail


def test_retryable_states_are_conflicts_and_not_duplicates():
    assert DUPLICATE not in RETRYABLE
