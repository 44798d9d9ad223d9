# SPDX-License-Identifier: Apache-2.0
"""The market's store on every kind of database: what is kept, found, hidden, refused and numbered."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from flocx_common.db.transactions import StaleGeneration
from flocx_common.domain.errors import AllocationsOverlap, Busy, IdTaken, MarkerUnknown
from flocx_common.domain.events import Event, projects
from flocx_common.domain.paging import Filter, ListQuery, SortKey
from flocx_common.domain.window import TimeWindow
from flocx_market.db import models
from flocx_market.db.store import MarketStore
from flocx_market.domain import lifecycle
from flocx_market.domain.bid import BidStatus, SpreadRule
from flocx_market.domain.book import to_instant
from flocx_market.domain.contract import AllocationStatus, ContractStatus
from flocx_market.domain.offer import OfferStatus
from flocx_market.ports.store import Viewer
from tests.builders import NOW, allocation, at, contract, market_bid, market_offer, market_provider, uid

EVERYTHING = Viewer()


@pytest.fixture
def store(migrated_market):
    return MarketStore(migrated_market.renew())


def add(store, *, offers=(), bids=(), contracts=(), providers=(1,)):
    def work(uow):
        for number in providers:
            uow.providers.add(market_provider(number))
        for offer in offers:
            uow.nodes.know(offer.node_uuid)
            uow.offers.add(offer)
        for bid in bids:
            uow.bids.add(bid)
        uow.contracts.add(contracts)

    store.write(work)


def offered(store, *offers):
    add(store, offers=offers)


def test_an_offer_comes_back_as_it_was_stored(store):
    offer = market_offer(
        name="\U0001f600",
        window=TimeWindow(NOW, None),
        lessee_project_ids=("consumer-a", "consumer-b"),
        reserve_price=Decimal("0.000001"),
        min_duration=10**10,
        health_problem="fan",
        status=OfferStatus.SUSPENDED,
        status_reason="fan",
        properties={"deep": [{"x": 1.5}]},
    )
    offered(store, offer)
    assert store.read(lambda uow: uow.offers.get(offer.uuid)) == offer


def test_a_bid_comes_back_as_it_was_stored(store):
    bid = market_bid(
        name="b",
        requirements=[["cpus", ">=", 32]],
        duration=3600,
        spread=SpreadRule("rack", 2),
        together="site",
        offer_uuids=(uid(1),),
    )
    add(store, bids=[bid])
    assert store.read(lambda uow: uow.bids.get(bid.uuid)) == bid


def test_a_contract_comes_back_with_its_allocations_in_order(store):
    add(store, offers=[market_offer(1), market_offer(2)], bids=[market_bid()], contracts=[contract(2)])
    assert store.read(lambda uow: uow.contracts.get(uid(6001))) == contract(2)
    assert store.read(lambda uow: uow.contracts.with_allocation(uid(7002))) == contract(2)


def test_a_provider_comes_back_as_it_was_stored(store):
    add(store)
    assert store.read(lambda uow: uow.providers.get(uid(9001))) == market_provider()
    assert store.read(lambda uow: uow.providers.speaking("service-1")) == market_provider()


def test_what_is_not_there_is_none(store):
    assert (
        store.read(lambda uow: (uow.offers.get(uid(1)), uow.bids.get(uid(1)), uow.contracts.get(uid(1)))) == (None,) * 3
    )
    assert store.read(lambda uow: uow.contracts.with_allocation(uid(1))) is None


@pytest.mark.parametrize("what", ["offers", "bids"])
def test_a_uuid_in_use_is_refused_and_nothing_is_changed(store, what):
    add(store, offers=[market_offer()], bids=[market_bid()])
    again = market_offer(name="other") if what == "offers" else market_bid(name="other")
    with pytest.raises(IdTaken, match="in use"):
        store.write(lambda uow: getattr(uow, what).add(again))
    assert store.read(lambda uow: getattr(uow, what).get(again.uuid)).name is None


def test_a_change_of_what_was_read_before_anothers_change_is_refused(store):
    add(store, bids=[market_bid()])
    store.write(lambda uow: uow.bids.update(replace(market_bid(), name="first")))
    with pytest.raises(Busy):
        store.write(lambda uow: uow.bids.update(replace(market_bid(), name="second")), attempts=2)
    assert store.read(lambda uow: uow.bids.get(uid(5001))).name == "first"


def test_a_change_touches_no_other_row(store):
    add(store, offers=[market_offer(1), market_offer(2)], bids=[market_bid(1), market_bid(2)])
    store.write(lambda uow: uow.offers.update(replace(market_offer(1), status=OfferStatus.WITHDRAWN)))
    store.write(lambda uow: uow.bids.update(replace(market_bid(1), status=BidStatus.CANCELLED)))
    assert store.read(lambda uow: uow.offers.get(uid(2))) == market_offer(2)
    assert store.read(lambda uow: uow.bids.get(uid(5002))) == market_bid(2)


class TestLists:
    def pages(self, store, query, viewer=EVERYTHING, what="offers"):
        seen, marker = [], None
        while True:
            page = store.read(lambda uow, m=marker: getattr(uow, what).page(replace(query, marker=m), viewer))
            seen += [item.uuid for item in page.items]
            if not page.more:
                return seen
            marker = page.items[-1].uuid

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("field", ["end_time", "name", "reserve_price", "created_at", "uuid"])
    def test_pages_put_together_are_the_whole_list_in_order(self, store, field, descending):
        offers = [
            market_offer(
                number,
                name=[None, "b", "a", "B", None][number],
                window=TimeWindow(NOW, [None, at(5), at(5), at(3), None][number]),
                reserve_price=Decimal([9, 10, 1, 10, 2][number]),
                created_at=at(number // 2),
            )
            for number in range(5)
        ]
        offered(store, *offers)
        values = {
            "end_time": lambda o: o.window.end,
            "name": lambda o: o.name,
            "reserve_price": lambda o: o.reserve_price,
            "created_at": lambda o: o.created_at,
            "uuid": lambda o: o.uuid,
        }
        value = values[field]
        present = sorted((o for o in offers if value(o) is not None), key=value, reverse=descending)
        missing = [o for o in offers if value(o) is None]
        for limit in (1, 2, 3, 10):
            seen = self.pages(store, ListQuery(sort=(SortKey(field, descending),), limit=limit))
            assert len(seen) == 5
            ranks = [value(next(o for o in offers if o.uuid == uuid)) for uuid in seen]
            expected = [value(o) for o in present]
            absent = [None] * len(missing)
            assert ranks == (absent + expected if descending else expected + absent)

    def test_filters_come_before_the_page_and_know_null(self, store):
        offered(store, market_offer(1, name="x"), market_offer(2), market_offer(3, reserve_price=Decimal(9)))
        for operator, values, expected in [
            ("eq", ("x",), [1]),
            ("in", ("x", None), [1, 2, 3]),
            ("eq", (None,), [2, 3]),
        ]:
            query = ListQuery(filters=(Filter("name", operator, values),), limit=1)
            assert self.pages(store, query) == [uid(n) for n in expected]
        dear = ListQuery(filters=(Filter("reserve_price", "gt", (Decimal("1.5"),)),))
        assert self.pages(store, dear) == [uid(3)]
        at_most = ListQuery(filters=(Filter("reserve_price", "lte", (Decimal("1.5"),)),))
        assert self.pages(store, at_most) == [uid(1), uid(2)]

    def test_a_marker_that_the_viewer_may_not_see_is_unknown(self, store):
        add(store, bids=[market_bid(1), market_bid(2, project_id="consumer-b")])
        with pytest.raises(MarkerUnknown):
            self.page_after(store, uid(5002), Viewer("consumer-a"))

    def page_after(self, store, marker, viewer):
        return store.read(lambda uow: uow.bids.page(ListQuery(marker=marker), viewer))

    def test_an_offer_is_seen_by_everyone_or_by_those_it_is_for_and_its_owner(self, store):
        offered(
            store,
            market_offer(1),
            market_offer(2, lessee_project_ids=("consumer-a",)),
            market_offer(3, provider_uuid=uid(9001), owner_project_id="owner-b", lessee_project_ids=("consumer-b",)),
        )
        seen = {
            who: self.pages(store, ListQuery(), Viewer(who))
            for who in ("consumer-a", "consumer-b", "owner-a", "owner-b")
        }
        assert seen["consumer-a"] == [uid(1), uid(2)]
        assert seen["consumer-b"] == [uid(1), uid(3)]
        assert seen["owner-a"] == [uid(1), uid(2)]
        assert seen["owner-b"] == [uid(1), uid(3)]
        assert self.pages(store, ListQuery(), Viewer(provider_uuid=uid(9001))) == [uid(1), uid(2), uid(3)]
        assert self.pages(store, ListQuery(), Viewer(provider_uuid=uid(9002))) == []

    def test_who_may_see_an_offer_can_change(self, store):
        offered(store, market_offer(1, lessee_project_ids=("consumer-a",)))
        store.write(lambda uow: uow.offers.update(market_offer(1, lessee_project_ids=("consumer-b",))))
        assert self.pages(store, ListQuery(), Viewer("consumer-a")) == []
        assert self.pages(store, ListQuery(), Viewer("consumer-b")) == [uid(1)]

    def test_bids_are_sealed_and_contracts_are_seen_by_both_sides(self, store):
        add(store, offers=[market_offer(1)], bids=[market_bid()], contracts=[contract(1)])
        for who, bids, contracts in (("consumer-a", 1, 1), ("owner-a", 0, 1), ("stranger", 0, 0)):
            assert len(self.pages(store, ListQuery(), Viewer(who), "bids")) == bids
            assert len(self.pages(store, ListQuery(), Viewer(who), "contracts")) == contracts


class TestOneNodeOneContract:
    """No node has two live allocations that overlap: the database itself refuses."""

    def ready(self, store, nodes=1):
        add(store, offers=[market_offer(n) for n in range(1, nodes + 1)], bids=[market_bid(1), market_bid(2)])

    def second(self, **over):
        window = {"start_time": over.pop("start_time", NOW), "end_time": over.pop("end_time", at(10))}
        rival = replace(contract(1, **window), uuid=uid(6002), bid_uuid=uid(5002), allocations=())
        one = replace(allocation(1), uuid=uid(7101), contract_uuid=uid(6002), **window, **over)
        return rival.having(one, now=NOW)

    @pytest.mark.parametrize(
        ("start", "end"),
        [(0, 10), (-5, 1), (9, 20), (2, 3), (-5, 20)],
        ids=["same", "begin", "end", "inside", "around"],
    )
    def test_an_overlapping_allocation_is_refused(self, store, start, end):
        self.ready(store)
        store.write(lambda uow: uow.contracts.add([contract(1)]))
        with pytest.raises(AllocationsOverlap):
            store.write(
                lambda uow: uow.contracts.add([self.second(start_time=at(start), end_time=at(end))]), attempts=1
            )
        assert store.read(lambda uow: uow.contracts.get(uid(6002))) is None

    @pytest.mark.parametrize(("start", "end"), [(10, 20), (-5, 0)], ids=["after", "before"])
    def test_one_that_only_touches_is_not(self, store, start, end):
        self.ready(store)
        store.write(lambda uow: uow.contracts.add([contract(1)]))
        store.write(lambda uow: uow.contracts.add([self.second(start_time=at(start), end_time=at(end))]))
        assert store.read(lambda uow: uow.contracts.get(uid(6002))) is not None

    @pytest.mark.parametrize("status", [AllocationStatus.RELEASED, AllocationStatus.FAILED, AllocationStatus.REPLACED])
    def test_what_is_not_live_is_in_nobodys_way(self, store, status):
        self.ready(store)
        store.write(lambda uow: uow.contracts.add([contract(1)]))
        store.write(lambda uow: uow.contracts.add([self.second(status=status)]))

    def test_an_ended_allocation_cannot_come_to_life_over_another(self, store):
        self.ready(store)
        store.write(lambda uow: uow.contracts.add([contract(1)]))
        store.write(lambda uow: uow.contracts.add([self.second(status=AllocationStatus.FAILED)]))

        def revive(uow):
            rival = uow.contracts.get(uid(6002))
            uow.contracts.update(rival.having(replace(rival.allocations[0], status=AllocationStatus.ACTIVE), now=NOW))

        with pytest.raises(AllocationsOverlap):
            store.write(revive, attempts=1)

    def test_an_empty_window_overlaps_nothing(self, store):
        self.ready(store)
        store.write(lambda uow: uow.contracts.add([contract(1)]))
        store.write(lambda uow: uow.contracts.add([self.second(start_time=at(5), end_time=at(5))]))

    def test_two_in_one_statement_are_refused_too(self, store):
        self.ready(store)
        with pytest.raises(AllocationsOverlap):
            store.write(lambda uow: uow.contracts.add([contract(1), self.second()]), attempts=1)
        assert store.read(lambda uow: uow.contracts.get(uid(6001))) is None

    def test_of_two_writers_that_cannot_see_each_other_exactly_one_wins(self, store):
        self.ready(store)
        generation = store.read(lambda uow: uow.nodes.generations())[uid(1001)]
        ready = threading.Barrier(2, timeout=10)
        outcomes = []

        def sell(made):
            def work(uow):
                uow.nodes.bump({uid(1001): generation})
                uow.contracts.add([made])

            ready.wait()
            try:
                store.write(work, attempts=1)
                outcomes.append("won")
            except (Busy, AllocationsOverlap):
                outcomes.append("lost")

        threads = [threading.Thread(target=sell, args=(made,)) for made in (contract(1), self.second())]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcomes) == ["lost", "won"]
        rows = store.database.read(lambda c: c.execute(sa.select(models.allocations)).all())
        assert len(rows) == 1

    def test_a_bid_has_at_most_one_live_contract(self, store):
        self.ready(store, nodes=2)
        store.write(lambda uow: uow.contracts.add([contract(1)]))
        other = replace(contract(1), uuid=uid(6002), allocations=()).having(
            replace(allocation(2), contract_uuid=uid(6002), uuid=uid(7102)), now=NOW
        )
        with pytest.raises(Busy):
            store.write(lambda uow: uow.contracts.add([other]), attempts=1)

        def fail(uow):
            made = uow.contracts.get(uid(6001))
            uow.contracts.update(lifecycle.cancel(made, NOW).contract)

        store.write(fail)
        store.write(lambda uow: uow.contracts.add([other]))

    def test_a_bid_changed_meanwhile_is_not_matched(self, store):
        self.ready(store)
        store.write(lambda uow: uow.bids.update(replace(market_bid(1), status=BidStatus.CANCELLED)))
        with pytest.raises(Busy):
            store.write(lambda uow: uow.bids.match([market_bid(1)], NOW), attempts=1)

    def test_many_bids_are_matched_in_one_statement(self, store):
        self.ready(store)
        store.write(lambda uow: uow.bids.match([market_bid(1), market_bid(2)], NOW))
        assert {b.status for b in store.read(lambda uow: uow.bids.by_uuid([uid(5001), uid(5002)])).values()} == {
            BidStatus.MATCHED
        }


class TestNodes:
    def test_a_new_node_starts_at_zero_and_is_known_from_then_on(self, store):
        assert store.write(lambda uow: uow.nodes.know(uid(1))) == 0
        store.write(lambda uow: uow.nodes.bump({uid(1): 0}))
        assert store.write(lambda uow: uow.nodes.know(uid(1))) == 1
        assert store.read(lambda uow: uow.nodes.generations([uid(1), uid(2)])) == {uid(1): 1}

    def test_bumping_many_is_all_or_nothing(self, store):
        nodes = {uid(n): 0 for n in range(900)}
        store.write(lambda uow: [uow.nodes.know(node) for node in nodes])
        store.write(lambda uow: uow.nodes.bump(nodes))
        stale = {**dict.fromkeys(nodes, 1), uid(450): 0}
        with pytest.raises(Busy):
            store.write(lambda uow: uow.nodes.bump(stale), attempts=1)
        assert set(store.read(lambda uow: uow.nodes.generations()).values()) == {1}

    def test_nodes_that_differ_in_generation_are_bumped_together(self, store):
        store.write(lambda uow: [uow.nodes.know(uid(node)) for node in range(4)])
        store.write(lambda uow: uow.nodes.bump({uid(1): 0, uid(2): 0}))
        store.write(lambda uow: uow.nodes.bump({uid(0): 0, uid(1): 1, uid(2): 1}))
        assert store.read(lambda uow: uow.nodes.generations()) == {uid(0): 1, uid(1): 2, uid(2): 2, uid(3): 0}
        with pytest.raises(Busy):
            store.write(lambda uow: uow.nodes.bump({uid(0): 2, uid(1): 1}), attempts=1)


class TestDue:
    """A round reads only contracts that time may have something to do to, and misses none."""

    TIMEOUTS = lifecycle.Timeouts(
        delivery=timedelta(minutes=30), replacement=timedelta(minutes=5), notice=timedelta(hours=1)
    )

    def made(self, number, **over):
        one = replace(allocation(number), uuid=uid(7000 + number), contract_uuid=uid(6000 + number))
        made = contract(1, **over)
        return replace(made, uuid=uid(6000 + number), bid_uuid=uid(5000 + number), allocations=()).having(one, now=NOW)

    def ready(self, store):
        waiting, active, failed = self.made(1), self.made(2), self.made(3)
        active = lifecycle.hand_over(active, uid(7002), NOW, NOW).contract
        failed = lifecycle.fail_allocation(failed, uid(7003), "x", NOW).contract
        cancelled = lifecycle.cancel(self.made(4), NOW).contract
        numbers = range(1, 5)
        add(store, offers=[market_offer(n) for n in numbers], bids=[market_bid(n) for n in numbers])
        store.write(lambda uow: uow.contracts.add([waiting, active, failed, cancelled]))

    def due(self, store, now):
        limits = {"end": now, "notice": now + self.TIMEOUTS.notice, "delivery": now - self.TIMEOUTS.delivery}
        return [made.uuid for made in store.read(lambda uow: uow.contracts.due(**limits))]

    def test_what_time_changes_is_due(self, store):
        self.ready(store)
        made = [store.read(lambda uow, n=n: uow.contracts.get(uid(6000 + n))) for n in range(1, 5)]

        def changed(one, now):
            swept = lifecycle.sweep(one, now, self.TIMEOUTS).contract
            return lifecycle.warn(swept, now, self.TIMEOUTS).contract != one

        for minutes in (0, 29, 30, 31, 539, 540, 541, 599, 600, 601):
            now = NOW + timedelta(minutes=minutes)
            assert {one.uuid for one in made if changed(one, now)} <= set(self.due(store, now)), minutes

    def test_what_is_not_due_is_not_read(self, store):
        self.ready(store)
        assert self.due(store, NOW + timedelta(minutes=29)) == []
        assert self.due(store, NOW + timedelta(minutes=30)) == [uid(6001)]
        assert self.due(store, at(9)) == [uid(6001), uid(6002)]
        assert self.due(store, at(10)) == [uid(6001), uid(6002), uid(6003)]

    def test_contracts_that_seek_a_replacement_are_found(self, store):
        self.ready(store)
        assert [made.uuid for made in store.read(lambda uow: uow.contracts.seeking())] == [uid(6003)]


class TestTaken:
    def taken(self, store, since=NOW):
        found = store.read(lambda uow: uow.contracts.taken(since))
        return {
            node: [(to_instant(span.begin), to_instant(span.end)) for span in spans] for node, spans in found.items()
        }

    def test_live_windows_and_delivered_ones_that_end_later_are_taken(self, store):
        add(store, offers=[market_offer(1), market_offer(2)], bids=[market_bid()], contracts=[contract(2)])
        assert self.taken(store) == {uid(1001): [(NOW, at(10))], uid(1002): [(NOW, at(10))]}
        assert self.taken(store, since=at(10)) == {}

        def fail_both(uow):
            made = lifecycle.hand_over(uow.contracts.get(uid(6001)), uid(7001), NOW, NOW).contract
            made = lifecycle.fail_allocation(made, uid(7001), "x", at(2)).contract
            uow.contracts.update(lifecycle.fail_allocation(made, uid(7002), "x", at(2)).contract)

        store.write(fail_both)
        assert self.taken(store) == {uid(1001): [(NOW, at(2))]}


class TestEvents:
    def tell(self, store, *who, name="bid.placed"):
        event = Event(event_type=name, entity_uuid=uid(1), project_ids=projects(*who), occurred_at=NOW, detail={"a": 1})
        store.write(lambda uow: uow.record(event))

    def test_events_are_numbered_in_the_order_of_their_commits_and_seen_by_whom_they_concern(self, store):
        self.tell(store, "a", "b")
        self.tell(store, "b", name="bid.matched")
        self.tell(store, name="provider.silent")
        types = lambda who: [e.event_type for e in store.read(lambda uow: uow.events.since(0, 10, who))]  # noqa: E731
        assert types("a") == ["bid.placed"]
        assert types("b") == ["bid.placed", "bid.matched"]
        assert types("c") == []
        assert types(None) == ["bid.placed", "bid.matched", "provider.silent"]
        first = store.read(lambda uow: uow.events.since(0, 1, None))[0]
        assert first.project_ids == {"a", "b"}
        assert first.detail == {"a": 1}
        assert [e.number for e in store.read(lambda uow: uow.events.since(first.number, 10, "b"))] == [first.number + 1]

    def test_a_transaction_that_tells_nothing_takes_no_number(self, store):
        before = store.read(lambda uow: uow.place())
        add(store, bids=[market_bid()])
        assert store.read(lambda uow: uow.place()) == before

    def test_a_transaction_that_fails_leaves_no_event(self, store):
        def work(uow):
            uow.record(Event(event_type="a.b", entity_uuid=uid(1), project_ids=frozenset(), occurred_at=NOW))
            raise StaleGeneration("x")

        with pytest.raises(Busy):
            store.write(work, attempts=2)
        assert store.read(lambda uow: uow.events.since(0, 10, None)) == []


class TestChanges:
    """The cursor a provider moves along: nothing is skipped, whatever commits when."""

    def changes(self, store, since=0, limit=100, provider=1):
        return store.read(lambda uow: uow.contracts.changed(uid(9000 + provider), since, limit))

    def ready(self, store):
        add(store, offers=[market_offer(1), market_offer(2)], bids=[market_bid()], contracts=[contract(2)])

    def test_new_and_changed_allocations_come_in_the_order_of_their_changes(self, store):
        self.ready(store)
        first = self.changes(store)
        assert [c.allocation.uuid for c in first] == [uid(7001), uid(7002)]
        assert first[0].contract.lessee_project_id == "consumer-a"

        def acknowledge(uow):
            uow.contracts.update(lifecycle.acknowledge(uow.contracts.get(uid(6001)), uid(7001), NOW).contract)

        store.write(acknowledge)
        later = self.changes(store, since=first[-1].number)
        assert [(c.allocation.uuid, c.allocation.status.value) for c in later] == [(uid(7001), "acknowledged")]
        assert [c.allocation.uuid for c in self.changes(store)] == [uid(7002), uid(7001)]

    def test_pages_lose_nothing(self, store):
        self.ready(store)
        one = self.changes(store, limit=1)
        assert [c.allocation.uuid for c in self.changes(store, since=one[0].number, limit=1)] == [uid(7002)]

    def test_a_change_of_the_contract_reaches_all_its_allocations(self, store):
        self.ready(store)
        before = self.changes(store)[-1].number
        store.write(lambda uow: uow.contracts.update(lifecycle.cancel(uow.contracts.get(uid(6001)), NOW).contract))
        after = self.changes(store, since=before)
        assert [c.allocation.uuid for c in after] == [uid(7001), uid(7002)]
        assert {c.contract.status for c in after} == {ContractStatus.CANCELLED}

    def test_another_providers_changes_are_not_seen(self, store):
        self.ready(store)
        assert self.changes(store, provider=2) == []

    def test_a_change_that_commits_late_is_still_delivered(self, store):
        """A writer takes its place, is held up, and commits after another began: a reader in between misses neither."""
        self.ready(store)
        cursor = self.changes(store)[-1].number
        numbered, go_on, seen = threading.Event(), threading.Event(), []

        def slow():
            def transaction(connection):
                from flocx_market.db.store import MarketUnitOfWork

                uow = MarketUnitOfWork(connection)
                uow.contracts.update(lifecycle.acknowledge(uow.contracts.get(uid(6001)), uid(7001), NOW).contract)
                uow.finish()
                numbered.set()
                go_on.wait(20)

            store.database.write(transaction)

        def quick():
            numbered.wait(20)
            store.write(
                lambda uow: uow.record(
                    Event(event_type="x.y", entity_uuid=uid(1), project_ids=frozenset(), occurred_at=NOW)
                )
            )

        threads = [threading.Thread(target=slow), threading.Thread(target=quick)]
        for thread in threads:
            thread.start()
        assert numbered.wait(20)
        for _ in range(5):
            place = store.read(lambda uow: uow.place())
            seen += self.changes(store, since=cursor)
            # A reader remembers how far it has looked, and looks only further.
            cursor = max(cursor, place)
        assert seen == []
        go_on.set()
        for thread in threads:
            thread.join(30)
        seen += self.changes(store, since=cursor)
        assert [c.allocation.status.value for c in seen] == ["acknowledged"]

    def test_readers_that_go_on_from_where_they_were_see_every_change_of_racing_writers(self, store):
        writers, each = 4, 6
        add(
            store,
            offers=[market_offer(n) for n in range(1, writers + 1)],
            bids=[market_bid(n, uuid=uid(5000 + n)) for n in range(1, writers + 1)],
        )
        made = [
            replace(contract(1), uuid=uid(6000 + n), bid_uuid=uid(5000 + n), allocations=()).having(
                replace(allocation(n), contract_uuid=uid(6000 + n), uuid=uid(7000 + n)), now=NOW
            )
            for n in range(1, writers + 1)
        ]
        store.write(lambda uow: uow.contracts.add(made))
        done = threading.Event()
        seen, cursor = {}, 0

        def write(number):
            for step in range(each):

                def touch(uow, step=step):
                    one = uow.contracts.get(uid(6000 + number))
                    changed = replace(one.allocations[0], status_reason=f"step {step}")
                    uow.contracts.update(one.having(changed, now=NOW + timedelta(seconds=step)))

                store.write(touch, attempts=100)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(1, writers + 1)]
        for thread in threads:
            thread.start()

        def read(position):
            place, found = store.read(lambda uow: (uow.place(), uow.contracts.changed(uid(9001), position, 100)))
            for change in found:
                assert change.number > position
                seen[change.allocation.uuid] = change.allocation.status_reason
            return max([place, *(change.number for change in found)])

        while any(thread.is_alive() for thread in threads):
            cursor = read(cursor)
        for thread in threads:
            thread.join()
        read(cursor)
        done.set()
        assert seen == {uid(7000 + n): f"step {each - 1}" for n in range(1, writers + 1)}


class TestProviders:
    def test_a_service_user_and_a_name_speak_for_one_provider_until_it_is_removed(self, store):
        add(store)
        for clash in (market_provider(2, service_user_id="service-1"), market_provider(2, name="provider-1")):
            with pytest.raises(IdTaken):
                store.write(lambda uow, one=clash: uow.providers.add(one))
        store.write(lambda uow: uow.providers.update(market_provider(removed_at=NOW)))
        store.write(lambda uow: uow.providers.add(market_provider(2, service_user_id="service-1", name="provider-1")))
        assert store.read(lambda uow: uow.providers.speaking("service-1")).uuid == uid(9002)
        assert [p.uuid for p in store.read(lambda uow: uow.providers.all())] == [uid(9002)]

    def test_a_heartbeat_never_goes_back(self, store):
        add(store)
        store.write(lambda uow: uow.providers.heard(uid(9001), at(1)))
        store.write(lambda uow: uow.providers.heard(uid(9001), at(0.5)))
        assert store.read(lambda uow: uow.providers.get(uid(9001))).last_heartbeat_at == at(1)
