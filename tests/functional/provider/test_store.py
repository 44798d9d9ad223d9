# SPDX-License-Identifier: Apache-2.0
"""The provider's store on every kind of database: what is kept, found, hidden and refused."""

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from flocx_common.domain.errors import Busy, IdTaken
from flocx_common.domain.events import Event, projects
from flocx_common.domain.paging import ListQuery, SortKey
from flocx_common.domain.window import TimeWindow
from flocx_provider.db.static_nodes import SqlNodeStates
from flocx_provider.db.store import ProviderStore
from flocx_provider.domain.allocation import AllocationStatus, Contract
from flocx_provider.domain.offer import OfferStatus, Publication
from flocx_provider.ports.node_states import NodeState
from flocx_provider.ports.store import Registered
from tests.builders import NOW, at, uid
from tests.unit.provider.builders import provider_allocation, provider_offer

ALL = ListQuery(filters=(), sort=(SortKey("uuid"),), limit=100, marker=None)


@pytest.fixture
def store(migrated_provider):
    return ProviderStore(migrated_provider.renew())


@pytest.fixture
def states(store):
    return SqlNodeStates(store.database)


def contract_of(allocation):
    return Contract(
        uuid=allocation.contract_uuid,
        lessee_project_id=allocation.lessee_project_id,
        start_time=NOW,
        end_time=at(10),
        status="created",
        status_reason=None,
    )


def add(store, *, offers=(), allocations=()):
    def work(uow):
        for offer in offers:
            uow.nodes.know(offer.node_uuid)
            uow.offers.add(offer)
        for allocation in allocations:
            uow.contracts.put(contract_of(allocation))
            uow.allocations.add(allocation)

    store.write(work)


def uuids(things):
    return [thing.uuid for thing in things]


def test_an_offer_comes_back_as_it_was_stored(store):
    offer = provider_offer(
        name="\U0001f600",
        window=TimeWindow(NOW, None),
        lessee_project_ids=("consumer-a",),
        reserve_price=Decimal("999999999999.999999"),
        problem="fan",
        status=OfferStatus.SUSPENDED,
        status_reason="fan",
        publication=Publication.REFUSED,
        publication_reason="no",
        properties={"deep": [{"x": None}]},
    )
    add(store, offers=[offer])
    assert store.read(lambda uow: uow.offers.get(offer.uuid)) == offer


def test_an_allocation_comes_back_as_it_was_stored(store):
    allocation = provider_allocation(
        status=AllocationStatus.FAILED,
        status_reason="fan",
        delivered_from=NOW,
        delivered_until=at(1),
        breach=True,
        settled=True,
        trouble="x",
        trouble_since=at(1),
        noticed_at=at(2),
    )
    add(store, allocations=[allocation])
    assert store.read(lambda uow: uow.allocations.get(allocation.uuid)) == allocation


def test_what_the_market_says_of_a_contract_stands(store):
    allocation = provider_allocation()
    add(store, allocations=[allocation])
    shorter = replace(contract_of(allocation), end_time=at(5), status="terminated", status_reason="x")
    store.write(lambda uow: uow.contracts.put(shorter))
    assert store.read(lambda uow: uow.contracts.get(shorter.uuid)) == shorter


def test_what_is_not_there_is_none(store):
    def read(uow):
        return uow.offers.get(uid(1)), uow.allocations.get(uid(1)), uow.contracts.get(uid(1)), uow.registration.get()

    assert store.read(read) == (None, None, None, Registered(provider_uuid=None, cursor=None))


def test_a_uuid_in_use_is_refused(store):
    add(store, offers=[provider_offer()])
    with pytest.raises(IdTaken):
        add(store, offers=[provider_offer(name="other")])
    assert store.read(lambda uow: uow.offers.get(uid(1))).name is None


@pytest.mark.parametrize("what", ["offers", "allocations"])
def test_a_change_of_what_others_have_changed_since_is_refused(store, what):
    thing = provider_offer() if what == "offers" else provider_allocation()
    add(store, **{what: [thing]})
    store.write(lambda uow: getattr(uow, what).update(replace(thing, status_reason="first")))
    with pytest.raises(Busy):
        store.write(lambda uow: getattr(uow, what).update(replace(thing, status_reason="second")), attempts=1)
    assert store.read(lambda uow: getattr(uow, what).get(thing.uuid)).status_reason == "first"


def test_the_outbox_gives_what_waits_longest_first(store):
    offers = [
        provider_offer(1, updated_at=at(3)),
        provider_offer(2, updated_at=at(1), publication=Publication.WITHDRAWING),
        provider_offer(3, updated_at=at(0), publication=Publication.PUBLISHED),
        provider_offer(4, updated_at=at(2)),
    ]
    add(store, offers=offers)
    waiting = (Publication.PENDING, Publication.WITHDRAWING)
    assert uuids(store.read(lambda uow: uow.offers.to_publish(waiting, 2))) == [uid(2), uid(4)]


def test_offers_are_found_by_node_and_by_status(store):
    add(
        store,
        offers=[
            provider_offer(1, status=OfferStatus.WITHDRAWN),
            replace(provider_offer(2), node_uuid=uid(1001)),
            provider_offer(3, status=OfferStatus.SUSPENDED),
        ],
    )
    assert uuids(store.read(lambda uow: uow.offers.of_nodes([uid(1001)]))) == [uid(1), uid(2)]
    assert uuids(store.read(lambda uow: uow.offers.standing_of([uid(1001), uid(1003)]))) == [uid(2), uid(3)]
    assert uuids(store.read(lambda uow: uow.offers.with_status([OfferStatus.WITHDRAWN]))) == [uid(1)]


def test_owners_see_their_offers_and_none_but_all(store):
    add(store, offers=[provider_offer(1), provider_offer(2, owner_project_id="owner-b")])
    assert uuids(store.read(lambda uow: uow.offers.page(ALL, "owner-b")).items) == [uid(2)]
    assert uuids(store.read(lambda uow: uow.offers.page(ALL, None)).items) == [uid(1), uid(2)]


def test_contracts_are_seen_by_lessee_and_owners(store):
    add(
        store,
        allocations=[
            provider_allocation(1),
            provider_allocation(2, lessee_project_id="consumer-b", owner_project_id="owner-b"),
        ],
    )

    def seen(project):
        return uuids(store.read(lambda uow: uow.contracts.page(ALL, project)).items)

    assert seen("consumer-a") == seen("owner-a") == [uid(6001)]
    assert seen("consumer-b") == seen("owner-b") == [uid(6002)]
    assert seen("owner-c") == []
    assert seen(None) == [uid(6001), uid(6002)]


def test_what_is_to_be_done_and_to_be_told_is_found(store):
    add(
        store,
        allocations=[
            provider_allocation(1, settled=True, reported="acknowledged"),
            provider_allocation(2, reported="acknowledged"),
            provider_allocation(3, settled=True, market_status="released"),
        ],
    )
    assert uuids(store.read(lambda uow: uow.allocations.unsettled())) == [uid(7002)]
    assert uuids(store.read(lambda uow: uow.allocations.to_report())) == []
    changed = replace(provider_allocation(1, settled=True, reported="created"), generation=0)
    store.write(lambda uow: uow.allocations.update(changed))
    assert uuids(store.read(lambda uow: uow.allocations.to_report())) == [uid(7001)]


def test_a_nodes_history_comes_latest_first_and_what_is_current_apart(store):
    done = {"settled": True, "market_status": "released", "node_uuid": uid(1001)}
    add(
        store,
        allocations=[
            provider_allocation(1, start_time=at(-9), end_time=at(-8), **done),
            provider_allocation(2, start_time=at(-7), end_time=at(-0.5), **done),
            provider_allocation(3, node_uuid=uid(1001)),
        ],
    )
    assert uuids(store.read(lambda uow: uow.allocations.of_nodes([uid(1001)]))) == [uid(7003), uid(7002), uid(7001)]
    assert uuids(store.read(lambda uow: uow.allocations.current_of([uid(1001)], NOW))) == [uid(7003)]
    assert uuids(store.read(lambda uow: uow.allocations.current_of([uid(1001)], at(-1)))) == [uid(7003), uid(7002)]


def test_the_place_on_the_market_is_kept(store):
    known = Registered(provider_uuid=uid(9), cursor="x" * 255)
    store.write(lambda uow: uow.registration.put(known))
    assert store.read(lambda uow: uow.registration.get()) == known


class TestNodeStates:
    def test_a_machine_that_was_never_touched_is_up_and_held_by_nobody(self, states):
        assert states.all() == {}

    def test_a_node_is_given_once_and_again_to_the_same(self, states):
        assert states.assign(uid(1001), "consumer-a", uid(6001))
        assert states.assign(uid(1001), "consumer-a", uid(6001))
        assert not states.assign(uid(1001), "consumer-b", uid(6002))
        assert states.all() == {uid(1001): NodeState(None, "consumer-a", uid(6001))}

    def test_only_the_contract_that_marked_a_node_takes_anything_from_it(self, states):
        states.assign(uid(1001), "consumer-a", uid(6001))
        states.remove_lessee(uid(1001), uid(6002))
        states.remove_mark(uid(1001), uid(6002))
        assert states.all()[uid(1001)] == NodeState(None, "consumer-a", uid(6001))
        states.remove_lessee(uid(1001), uid(6001))
        assert states.all()[uid(1001)] == NodeState(None, None, uid(6001))
        states.remove_mark(uid(1001), uid(6001))
        assert states.all()[uid(1001)] == NodeState()

    def test_health_is_kept_apart_from_who_holds_it_and_told(self, states, store):
        event = Event(event_type="node.down", entity_uuid=uid(1001), project_ids=projects("owner-a"), occurred_at=NOW)
        states.assign(uid(1001), "consumer-a", uid(6001))
        before = store.read(lambda uow: uow.place())
        states.set_down(uid(1001), "fan", event)
        assert states.all()[uid(1001)] == NodeState("fan", "consumer-a", uid(6001))
        assert store.read(lambda uow: uow.place()) == before + 1
        assert [told.event_type for told in store.read(lambda uow: uow.events.since(0, 10, "owner-a"))] == ["node.down"]

    def test_of_two_contracts_that_race_for_a_node_exactly_one_gets_it(self, states):
        for round_number in range(10):
            node, got = uid(1100 + round_number), []
            barrier = threading.Barrier(2)

            def race(contract, node=node, got=got, barrier=barrier):
                barrier.wait()
                got.append(states.assign(node, f"consumer-{contract}", uid(contract)))

            threads = [threading.Thread(target=race, args=(number,)) for number in (1, 2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(got) == [False, True]
