# SPDX-License-Identifier: Apache-2.0
"""What a round asks of its database: a bounded number of statements, whatever the size of the market."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from flocx_common.db import rows
from flocx_common.db.rows import insert_many
from flocx_common.domain.errors import Unavailable
from flocx_common.domain.events import Event
from flocx_market.db import models
from flocx_market.db import offers as offer_queries
from flocx_market.db.mappers import bid_values, offer_values
from flocx_market.domain.book import to_seconds
from flocx_market.domain.clearing import hold_round
from flocx_market.domain.hardware_classes import HardwareClasses
from flocx_market.domain.offer import OfferStatus
from flocx_market.services import clearing
from flocx_market.services import standing as services_standing
from flocx_market.services.clearing import run_round
from flocx_market.services.open_book import open_book
from flocx_market.services.replacing import replace_failed
from flocx_market.services.standing import StandingMarket
from tests.builders import NOW, at, market_bid, market_offer, market_provider, uid

#: Statements that a hundred contracts may cost: a transaction of the round.
PER_HUNDRED = 10


def machine(number):
    """Return the document of a machine with a serial number of its own; there are two kinds."""
    disks = [{"size": 480 + number % 2, "serial": f"S{number}"}]
    return {"cpus": 32, "disks": disks, "mac": f"52:54:00:00:{number // 256:02x}:{number % 256:02x}"}


def load(store, *, offers=(), bids=()):
    """Put offers, of nodes of their own, and bids into a market."""

    def work(connection):
        if connection.execute(sa.select(models.providers.c.uuid)).first() is None:
            provider = market_provider()
            columns = {column.name: getattr(provider, column.name, "") for column in models.providers.columns}
            insert_many(connection, models.providers, [columns | {"removal": "", "removed_at": None}])
        documents = {offer.properties_digest: offer.properties for offer in offers}
        rows = [{"digest": digest, "document": document} for digest, document in documents.items()]
        insert_many(connection, models.hardware_documents, rows)
        insert_many(connection, models.nodes, [{"node_uuid": offer.node_uuid, "generation": 0} for offer in offers])
        for table, made, values in ((models.offers, offers, offer_values), (models.bids, bids, bid_values)):
            insert_many(connection, table, [{"uuid": one.uuid, **values(one), "generation": 0} for one in made])

    store.database.write(work)


def offers_of(numbers, **over):
    return [
        market_offer(n, uuid=uid(100_000 + n), node_uuid=uid(200_000 + n), properties=machine(n), **over)
        for n in numbers
    ]


def bids_of(numbers, **over):
    return [market_bid(n, uuid=uid(300_000 + n), **over) for n in numbers]


@contextmanager
def statements(store) -> Iterator[list[str]]:
    """Collect the statements that reach the database's server."""
    engine, seen = store.database.engine, []

    def one(_cursor, statement, *_):
        if statement not in ("BEGIN", "BEGIN IMMEDIATE", "ROLLBACK"):
            seen.append(statement)

    def many(_cursor, statement, parameters, _context):
        # PostgreSQL's driver sends a statement for each row, the others one for all.
        seen.extend([statement] * (len(parameters) if engine.dialect.name == "postgresql" else 1))

    listeners = [("do_execute", one), ("do_execute_no_params", one), ("do_executemany", many)]
    for name, listener in listeners:
        sa.event.listen(engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners:
            sa.event.remove(engine, name, listener)


def place(market, number):
    """Place a bid as its project does."""
    body = {"uuid": uid(600_000 + number), "limit_price": "2", "end_time": at(10).isoformat()}
    market.browser("consumer-a")("POST", "/v1/bids", body)


class Away:
    """A store that does not answer."""

    def read(self, work):
        raise Unavailable("it does not answer")


def offer_event(number):
    """Tell of an offer of :func:`offers_of` that it has changed."""
    return Event(
        event_type="offer.changed", entity_uuid=uid(100_000 + number), project_ids=frozenset(), occurred_at=NOW
    )


@pytest.fixture
def store(any_market):
    return any_market.store


@pytest.fixture
def run(any_market):
    """Run a round and return what it did, and the statements that took."""

    def once(standing=None, now=NOW):
        with statements(any_market.store) as seen:
            report = run_round(store=any_market.store, settings=any_market.settings, now=now, standing=standing)
        return report, seen

    return once


def test_statements_grow_by_a_constant_for_each_hundred_contracts(store, run):
    load(store, offers=offers_of(range(260)), bids=bids_of(range(30)))
    few, first = run()
    load(store, bids=bids_of(range(100, 330)))
    many, second = run()
    assert (few.matched, many.matched) == (30, 230)
    assert len(first) <= 12 + PER_HUNDRED
    assert len(second) <= len(first) + 2 * PER_HUNDRED


def test_contracts_of_many_nodes_take_no_more_statements(store, run):
    load(store, offers=offers_of(range(300)), bids=bids_of(range(3), quantity=100))
    report, seen = run()
    assert report.matched == 3
    assert len(seen) <= 12 + PER_HUNDRED


def test_reading_takes_as_many_statements_for_many_offers_as_for_few(store, run):
    wanted = [["sum(disks[].size)", ">", 9999]]
    load(store, offers=offers_of(range(200)), bids=bids_of(range(2), requirements=wanted))
    _, few = run()
    load(store, offers=offers_of(range(200, 2000)))
    _, many = run()
    documents = [statement for statement in many if "hardware_documents" in statement]
    assert len(documents) == 2, "a thousand documents a statement"
    assert len(many) == len(few) + 1


def test_what_is_not_due_is_not_read(store, run, any_market):
    load(store, offers=offers_of(range(40)), bids=bids_of(range(80)))
    assert run()[0].matched == 40
    with statements(store) as seen:
        now, settings = NOW, any_market.settings
        assert clearing.expire(store=store, settings=settings, now=now) == 0
        assert clearing.sweep_contracts(store=store, settings=settings, now=now) == 0
        assert replace_failed(store=store, settings=settings, now=now) == 0
    assert len(seen) == 4
    assert not any("hardware_documents" in statement for statement in seen)


def test_serials_do_not_split_a_class_of_hardware(store, any_market):
    load(store, offers=offers_of(range(50)), bids=bids_of([1], requirements=[["disks[0].size", ">", 1]]))
    opened = store.read(lambda uow: open_book(uow, any_market.settings, NOW))
    assert len(opened.book.offers) == 50
    assert len({offer.hardware.digest for offer in opened.book.offers}) == 2


class TestRememberedClasses:
    """A manager that goes on reads only new documents, and decides what a fresh one would."""

    def deals(self, any_market, classes):
        opened = any_market.store.read(lambda uow: open_book(uow, any_market.settings, NOW, classes))
        held = hold_round(opened.book, to_seconds(NOW), any_market.settings.rules)
        return [(d.award.bid.uuid, [o.uuid for o in d.award.offers], d.award.contract, d.prices) for d in held.deals]

    def test_a_round_decides_what_a_fresh_process_would(self, store, any_market):
        classes = HardwareClasses()
        odd, even = ([["disks[0].size", "==", size]] for size in (481, 480))
        load(store, offers=offers_of(range(20)), bids=bids_of(range(3), requirements=odd, together="mac"))
        self.deals(any_market, classes)
        load(
            store,
            offers=offers_of(range(20, 30)),
            bids=bids_of(range(3, 6), requirements=even, quantity=4) + bids_of([6], requirements=odd, quantity=2),
        )
        gone = offers_of(range(4))
        store.write(lambda uow: [uow.offers.update(replace(one, status=OfferStatus.WITHDRAWN)) for one in gone])
        remembered = self.deals(any_market, classes)
        assert len(remembered) == 7
        assert remembered == self.deals(any_market, None) == self.deals(any_market, classes)


class TestStandingMarket:
    """A manager that goes on asks for what has changed."""

    def test_a_late_bid_is_decided_without_reading_what_is_for_sale(self, store, run, any_market):
        standing = StandingMarket(any_market.settings)
        # One that is never served, so that the book stands.
        load(store, offers=offers_of(range(300)), bids=bids_of([1], requirements=[["cpus", ">", 64]]))
        run(standing)
        _, idle = run(standing)
        place(any_market, 2)
        report, seen = run(standing)
        assert report.matched == 1
        assert not any("hardware_documents" in statement for statement in idle + seen)
        assert len(idle) <= 11
        assert len(seen) <= len(idle) + 3 + PER_HUNDRED
        # Its own contracts are not read again.
        _, after = run(standing)
        assert len(after) == len(idle)

    def test_only_what_is_new_is_read(self, store, run, any_market):
        standing = StandingMarket(any_market.settings)
        load(store, offers=offers_of(range(20)), bids=bids_of([1], requirements=[["cpus", ">", 64]]))
        run(standing)
        any_market.store.write(lambda uow: uow.record(offer_event(7)))
        _, seen = run(standing)
        [lines] = [s for s in seen if "JOIN nodes" in s]
        assert "IN (" in lines

    def test_a_database_that_was_away_for_a_moment_does_not_make_it_read_all_again(self, store, run, any_market):
        standing = StandingMarket(any_market.settings)
        load(store, offers=offers_of(range(20)), bids=bids_of([1], requirements=[["cpus", ">", 64]]))
        run(standing)
        with pytest.raises(Unavailable):
            standing.hold(Away(), NOW)
        _, seen = run(standing)
        assert not any("JOIN nodes" in statement for statement in seen)

    def test_an_audit_of_a_book_without_bids_does_not_make_it_read_all_again(self, store, run, any_market):
        standing = StandingMarket(replace(any_market.settings, audit_interval=timedelta(seconds=10)))
        load(store, offers=offers_of(range(20)), bids=bids_of([1]))
        assert run(standing)[0].matched == 1
        run(standing, NOW + timedelta(seconds=10))
        place(any_market, 2)
        report, seen = run(standing, NOW + timedelta(seconds=11))
        assert report.matched == 1
        assert not any("JOIN nodes" in statement for statement in seen)

    def test_a_book_in_which_offers_have_changed_often_is_made_anew(self, store, run, any_market, monkeypatch):
        monkeypatch.setattr(services_standing, "_MOST_CHANGES", 5)
        standing = StandingMarket(any_market.settings)
        load(store, offers=offers_of([1]), bids=bids_of([1], requirements=[["cpus", ">", 64]]))
        anew = 0
        for price in range(20):
            [offer] = store.read(lambda uow: uow.offers.of_node(uid(200_001)))
            cheaper = replace(offer, reserve_price=Decimal(price))
            store.write(lambda uow, cheaper=cheaper: (uow.offers.update(cheaper), uow.record(offer_event(1))))
            _, seen = run(standing)
            [lines] = [s for s in seen if "JOIN nodes" in s]
            anew += "IN (" not in lines
        assert anew == 3

    def test_more_changes_than_can_be_followed_are_read_anew(self, store, run, any_market, monkeypatch):
        monkeypatch.setattr(services_standing, "_MOST_CHANGES", 2)
        standing = StandingMarket(any_market.settings)
        load(store, offers=offers_of(range(20)), bids=bids_of([1], requirements=[["cpus", ">", 64]]))
        run(standing)
        for number in range(2, 6):
            place(any_market, number)
        assert run(standing)[0].matched == 4


@pytest.mark.parametrize("by_digest", [0, 10], ids=["streamed", "by digest"])
def test_documents_come_with_their_digests_and_no_others(store, monkeypatch, by_digest):
    monkeypatch.setattr(rows, "_CHUNK", 2)
    monkeypatch.setattr(offer_queries, "_MOST_BY_DIGEST", by_digest)
    monkeypatch.setattr(offer_queries, "_FETCHED", 2)
    load(store, offers=offers_of(range(9)))
    wanted = {offer.properties_digest: offer.properties for offer in offers_of(range(1, 8))}
    read = store.read(lambda uow: list(uow.offers.documents(set(wanted))))
    assert len(read) == 7
    assert dict(read) == wanted
