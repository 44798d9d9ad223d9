# SPDX-License-Identifier: Apache-2.0
"""Provider and market stay in step: lost cursors and databases, decisions made meanwhile, managers at once."""

import threading
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from flocx_common.domain.paging import cursor_text
from flocx_market.db import models as market_models
from flocx_provider.db import models as provider_models
from flocx_provider.services.fulfillment import reconcile
from flocx_provider.services.reporting import report_allocations
from tests.builders import NOW, at
from tests.functional.provider.conftest import MACHINES
from tests.harness import ProviderHarness

HOUR = 3600


class TestTalking:
    def test_a_cursor_the_market_has_lost_makes_everything_be_read_anew(self, any_room):
        any_room.offer()
        any_room.work()
        any_room.bid()
        any_room.work()
        store = any_room.provider.store
        lost = cursor_text(10**9)
        store.write(lambda uow: uow.registration.put(replace(uow.registration.get(), cursor=lost)))
        before = (any_room.contract(), any_room.node(), any_room.events("admin"))
        any_room.work()
        assert store.read(lambda uow: uow.registration.get()).cursor not in (None, lost)
        assert (any_room.contract(), any_room.node(), any_room.events("admin")) == before

    def test_a_market_ahead_by_a_second_is_told_of_the_end_again(self, room):
        """A provider whose clock is ahead takes a node back before the market's end of it."""
        room.offer()
        room.work()
        room.bid(end_time=at(1).isoformat())
        room.work()
        early = NOW + timedelta(seconds=HOUR)
        room.clock.advance(HOUR - 1)
        provider = room.provider
        reconcile(inventory=provider.inventory, store=provider.store, rules=provider.settings.fulfillment, now=early)
        assert report_allocations(market=provider.market, store=provider.store, now=early) == 0
        room.clock.advance(2)
        assert report_allocations(market=provider.market, store=provider.store, now=room.clock.now()) == 1
        room.work()
        assert room.statuses() == ("completed", ["released"])

    def test_what_the_market_has_decided_meanwhile_stands(self, room):
        room.offer()
        room.work()
        room.bid()
        room.market.round()
        room.provider.pull()
        room.provider.reconcile()
        contract = room.contract()
        room.market.browser("consumer-a")("POST", f"/v1/contracts/{contract['uuid']}/cancel")
        room.work()
        assert room.statuses() == ("cancelled", ["released"])
        assert room.node()["lessee_project_id"] is None
        assert room.contract()["amount"] == "0.000000"

    def test_several_managers_at_once_do_the_work_of_one(self, any_room):
        any_room.offer()
        any_room.offer("owner-b", node_uuid="n2")
        any_room.provider.beat()
        failures = []

        def manage():
            clear = any_room.market.manager()
            try:
                for _ in range(6):
                    any_room.provider.work()
                    clear()
            except Exception as error:
                failures.append(error)

        any_room.bid(quantity=2)
        threads = [threading.Thread(target=manage) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        any_room.work()
        assert any_room.statuses() == ("active", ["active", "active"])
        for what in ("offer.published", "allocation.acknowledged", "allocation.activated"):
            assert any_room.events("admin").count(what) == 2, what

    def test_a_restored_older_database_takes_its_nodes_back_all_the_same(self, room):
        """The provider has lost its allocations; what it marked before is found and taken back."""
        room.offer()
        room.work()
        room.bid(end_time=at(1).isoformat())
        room.work()
        contract = room.contract()
        database = room.provider.store.database

        def forget(connection):
            for table in (provider_models.allocations, provider_models.contracts):
                connection.execute(sa.delete(table))
            connection.execute(sa.update(provider_models.registration).values(market_cursor=None))

        database.write(forget)
        room.clock.advance(HOUR)
        room.work()
        assert contract["uuid"] not in {state.contract_uuid for state in room.provider.states.all().values()}
        assert room.node()["lessee_project_id"] is None

    def test_a_market_that_forgot_the_provider_gets_to_know_it_again(self, room):
        room.work()
        room.market.store.database.write(lambda connection: connection.execute(sa.delete(market_models.providers)))
        room.offer()
        room.work()
        [registered] = room.market.browser("admin").get("/v1/providers").json["providers"]
        assert registered["name"] == "provider-1"
        assert room.provider.browser("owner-a").get("/v1/offers").json["offers"][0]["publication"] == "published"

    def test_a_changed_turnaround_is_told_with_the_first_beat(self, room, tmp_path, clock):
        room.work()
        url = str(room.provider.store.database.engine.url)
        again = ProviderHarness(
            tmp_path, room.provider.store.database, url, clock, room.market, MACHINES, provider={"turnaround": 900}
        )
        again.beat()
        [registered] = room.market.browser("admin").get("/v1/providers").json["providers"]
        assert registered["turnaround"] == 900
