# SPDX-License-Identifier: Apache-2.0
"""The promises of the log of events, kept by the stores of both services on every kind of database."""

import pytest

from flocx_common.domain.errors import CursorInvalid, Unavailable
from flocx_common.domain.events import Event, projects
from flocx_common.services.events import events_since
from flocx_market.db.store import MarketStore
from flocx_provider.db.store import ProviderStore
from tests.builders import NOW, uid


class Lost(Exception):
    """The work went wrong."""


def event(number, *project_ids):
    return Event(
        event_type="offer.changed",
        entity_uuid=uid(number),
        project_ids=projects(*project_ids),
        occurred_at=NOW,
        reason="a reason",
        detail={"n": number},
    )


def record(store, *events):
    store.write(lambda uow: uow.record(*events))


def seen(store, project_id=None, since=0, limit=10):
    found = store.read(lambda snapshot: snapshot.events.since(since, limit, project_id))
    return [one.entity_uuid for one in found]


class EventStorePromises:
    """The suite. A subclass has fixtures ``store`` and ``silent_store``."""

    def test_events_come_in_the_order_in_which_they_were_committed(self, store):
        record(store, event(1), event(2))
        record(store, event(3))
        assert seen(store) == [uid(1), uid(2), uid(3)]

    def test_an_event_comes_back_as_it_was_recorded(self, store):
        record(store, event(1, "owner-a", "consumer-a"))
        [one] = store.read(lambda snapshot: snapshot.events.since(0, 10, "consumer-a"))
        assert (one.event_type, one.entity_uuid, one.reason, one.detail) == (
            "offer.changed",
            uid(1),
            "a reason",
            {"n": 1},
        )
        assert one.occurred_at == NOW
        assert one.project_ids == {"owner-a", "consumer-a"}

    def test_a_project_is_told_what_concerns_it_and_nothing_else(self, store):
        record(store, event(1, "owner-a"), event(2, "owner-b"), event(3, "owner-a", "owner-b"), event(4))
        assert seen(store, "owner-a") == [uid(1), uid(3)]
        assert seen(store, "owner-b") == [uid(2), uid(3)]
        assert seen(store, "stranger") == []

    def test_reading_on_from_the_last_one_seen_skips_and_repeats_nothing(self, store):
        record(store, *(event(number, "owner-a") for number in range(1, 6)))
        pages, since = [], 0
        while True:
            found = store.read(lambda snapshot, place=since: snapshot.events.since(place, 2, "owner-a"))
            if not found:
                break
            pages.append([one.entity_uuid for one in found])
            since = found[-1].number
        assert pages == [[uid(1), uid(2)], [uid(3), uid(4)], [uid(5)]]

    def test_the_place_of_a_snapshot_is_that_of_its_last_event(self, store):
        record(store, event(1))
        place = store.read(lambda snapshot: snapshot.place())
        assert seen(store, since=place) == []
        record(store, event(2))
        assert seen(store, since=place) == [uid(2)]
        assert store.read(lambda snapshot: snapshot.place()) > place

    def test_events_of_work_that_went_wrong_never_happened(self, store):
        def work(uow):
            uow.record(event(1))
            raise Lost

        with pytest.raises(Lost):
            store.write(work)
        record(store, event(2))
        assert seen(store) == [uid(2)]

    def test_a_place_beyond_everything_is_refused(self, store):
        record(store, event(1))
        with pytest.raises(CursorInvalid):
            events_since(1_000_000, 10, None, store=store)

    def test_from_the_latest_on_nothing_of_what_has_been_is_told(self, store):
        record(store, event(1))
        found, place = events_since(None, 10, None, store=store)
        assert list(found) == []
        record(store, event(2))
        later, _ = events_since(place, 10, None, store=store)
        assert [one.entity_uuid for one in later] == [uid(2)]

    def test_silence_is_said_in_a_word_of_ours(self, silent_store):
        with pytest.raises(Unavailable):
            seen(silent_store)


class TestMarketEvents(EventStorePromises):
    @pytest.fixture
    def store(self, migrated_market):
        return MarketStore(migrated_market.renew())

    @pytest.fixture
    def silent_store(self, silent_database):
        return MarketStore(silent_database)


class TestProviderEvents(EventStorePromises):
    @pytest.fixture
    def store(self, migrated_provider):
        return ProviderStore(migrated_provider.renew())

    @pytest.fixture
    def silent_store(self, silent_database):
        return ProviderStore(silent_database)
