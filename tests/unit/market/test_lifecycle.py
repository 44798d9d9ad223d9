# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_common.domain.errors import AllocationNotFound, FlocxError, InvalidTransition
from flocx_common.domain.money import amount_for, total
from flocx_market.domain import lifecycle
from flocx_market.domain.contract import LIVE, AllocationStatus, ContractStatus
from flocx_market.domain.lifecycle import AlreadyOver, HandedOver, StillRunning, Timeouts
from tests.builders import HOUR, NOW, allocation, at, contract, uid

TIMEOUTS = Timeouts(delivery=timedelta(hours=1), replacement=timedelta(minutes=5), notice=timedelta(hours=1))
FIRST, SECOND = uid(7001), uid(7002)


def status(made, uuid=FIRST):
    return made.allocation(uuid).status.value


def types(change):
    return [event.event_type for event in change.events]


def running(nodes=1):
    """A contract whose nodes were all handed over at its start."""
    made = contract(nodes)
    for one in made.allocations:
        made = lifecycle.hand_over(made, one.uuid, NOW, NOW).contract
    return made


def test_forming_tells_lessee_and_owner_of_contract_and_allocation():
    change = lifecycle.formed(contract())
    assert types(change) == ["contract.created", "allocation.created"]
    assert all(event.project_ids == {"consumer-a", "owner-a"} for event in change.events)


def test_acknowledging_is_harmless_to_repeat():
    once = lifecycle.acknowledge(contract(), FIRST, NOW)
    assert status(once.contract) == "acknowledged"
    again = lifecycle.acknowledge(once.contract, FIRST, NOW)
    assert again.contract == once.contract
    assert again.events == ()


def test_a_contract_is_active_once_all_its_nodes_are_handed_over():
    first = lifecycle.hand_over(contract(2), FIRST, NOW, NOW)
    assert first.contract.status is ContractStatus.CREATED
    second = lifecycle.hand_over(first.contract, SECOND, NOW, NOW)
    assert second.contract.status is ContractStatus.ACTIVE
    assert types(second) == ["allocation.activated", "contract.activated"]


def test_handing_over_again_changes_nothing():
    made = running()
    assert lifecycle.hand_over(made, FIRST, at(1), at(1)).contract == made


def test_time_before_the_hand_over_is_not_charged_and_parts_of_a_second_are_not_either():
    late = NOW + timedelta(seconds=59, milliseconds=1)
    made = lifecycle.hand_over(contract(), FIRST, late, late).contract
    done = lifecycle.take_back(made, FIRST, at(10), at(10)).contract
    assert done.allocation(FIRST).delivered_from == NOW + timedelta(seconds=60)
    assert done.amount == amount_for(Decimal("1.5"), timedelta(hours=10, seconds=-60))


def test_a_hand_over_before_the_start_counts_from_the_start():
    early = lifecycle.hand_over(contract(), FIRST, at(-1), NOW).contract
    assert early.allocation(FIRST).delivered_from == NOW


def test_a_hand_over_after_the_end_is_refused():
    with pytest.raises(AlreadyOver):
        lifecycle.hand_over(contract(), FIRST, at(10), at(10))


def test_before_the_end_the_agreed_hours_are_shown():
    assert contract().amount == Decimal("15.000000")
    assert running().amount == Decimal("15.000000")


def test_the_last_node_taken_back_completes_the_contract():
    made = running(2)
    first = lifecycle.take_back(made, FIRST, at(10), at(10))
    assert first.contract.status is ContractStatus.ACTIVE
    second = lifecycle.take_back(first.contract, SECOND, at(10), at(10))
    assert second.contract.status is ContractStatus.COMPLETED
    assert types(second) == ["allocation.released", "contract.completed"]
    assert second.contract.amount == Decimal("30.000000")


def test_a_node_taken_back_late_is_charged_to_the_end_only():
    done = lifecycle.take_back(running(), FIRST, at(12), at(12)).contract
    assert done.allocation(FIRST).delivered_until == at(10)


def test_a_provider_cannot_release_before_the_end():
    with pytest.raises(StillRunning):
        lifecycle.take_back(running(), FIRST, at(1), at(1))


def test_a_provider_cannot_release_what_it_never_handed_over():
    with pytest.raises(InvalidTransition):
        lifecycle.take_back(contract(), FIRST, at(10), at(10))


def test_taking_back_again_changes_nothing():
    done = lifecycle.take_back(running(), FIRST, at(10), at(10)).contract
    assert lifecycle.take_back(done, FIRST, at(11), at(11)).contract == done


def test_a_failed_node_is_sought_a_replacement_for_and_charged_as_delivered():
    change = lifecycle.fail_allocation(running(2), FIRST, "power lost", at(4), failed_at=at(3))
    failed = change.contract.allocation(FIRST)
    assert (failed.status.value, failed.status_reason) == ("failed", "power lost")
    assert failed.delivered_until == failed.end_time == at(3)
    assert failed.amount == Decimal("4.500000")
    assert lifecycle.sought(change.contract) == (FIRST,)
    assert change.contract.quantity == 2
    assert change.events[0].detail["breach"] is False


def test_a_node_that_was_never_delivered_costs_nothing():
    failed = lifecycle.fail_allocation(contract(), FIRST, "gone", at(1)).contract
    assert failed.amount == 0


def test_failing_again_changes_nothing():
    once = lifecycle.fail_allocation(contract(2), FIRST, "gone", at(1)).contract
    assert lifecycle.fail_allocation(once, FIRST, "other", at(2)).contract == once


def test_a_replacement_takes_the_failed_ones_place():
    failed = lifecycle.fail_allocation(running(2), FIRST, "gone", at(4)).contract
    successor = replace(allocation(9), start_time=at(4), end_time=at(10))
    change = lifecycle.replace_allocation(failed, FIRST, successor, at(4))
    assert types(change) == ["allocation.replaced", "allocation.created"]
    assert status(change.contract) == "replaced"
    assert change.contract.allocation(FIRST).status_reason == "gone"
    assert change.contract.quantity == 2
    assert lifecycle.sought(change.contract) == ()
    assert change.contract.amount == Decimal("6.0") + Decimal("15.0") + Decimal("9.0")


def test_without_replacement_a_contract_is_made_smaller_by_a_recorded_event():
    failed = lifecycle.fail_allocation(contract(2), FIRST, "gone", at(1)).contract
    change = lifecycle.give_up_replacing(failed, [FIRST], at(2))
    assert change.contract.quantity == 1
    assert change.events[0].event_type == "contract.reduced"
    assert change.events[0].detail["quantity_before"] == 2


def test_a_contract_made_smaller_may_become_active_by_it():
    half = lifecycle.hand_over(contract(2), SECOND, NOW, NOW).contract
    failed = lifecycle.fail_allocation(half, FIRST, "gone", at(1)).contract
    change = lifecycle.give_up_replacing(failed, [FIRST], at(2))
    assert types(change) == ["contract.reduced", "contract.activated"]


def test_without_any_node_left_a_contract_fails():
    failed = lifecycle.fail_allocation(contract(), FIRST, "gone", at(1)).contract
    change = lifecycle.give_up_replacing(failed, [FIRST], at(2))
    assert change.contract.status is ContractStatus.FAILED
    assert change.contract.status_reason == "gone"
    assert lifecycle.undelivered(change.contract)


def test_giving_a_node_back_ends_its_charge_and_makes_the_contract_smaller():
    change = lifecycle.give_back(running(2), FIRST, at(4))
    given = change.contract.allocation(FIRST)
    assert (given.status.value, given.end_time, given.delivered_until) == ("active", at(4), at(4))
    assert given.amount == Decimal("6.000000")
    assert change.contract.quantity == 1
    assert types(change) == ["allocation.given_back", "contract.reduced"]
    assert lifecycle.take_back(change.contract, FIRST, at(5), at(5)).contract.status is ContractStatus.ACTIVE


def test_giving_back_in_the_middle_of_a_second_rounds_the_end_up():
    moment = at(4) + timedelta(milliseconds=300)
    given = lifecycle.give_back(running(2), FIRST, moment).contract.allocation(FIRST)
    assert given.end_time == at(4) + timedelta(seconds=1)


def test_giving_back_the_last_node_ends_the_contract():
    change = lifecycle.give_back(running(), FIRST, at(4))
    assert change.contract.status is ContractStatus.TERMINATED
    assert change.contract.end_time == at(4)
    before_start = lifecycle.give_back(contract(start_time=at(1)), FIRST, NOW)
    assert before_start.contract.status is ContractStatus.CANCELLED
    assert status(before_start.contract) == "released"
    assert before_start.contract.amount == 0


def test_giving_back_the_last_of_a_half_delivered_contract_terminates_it():
    half = lifecycle.hand_over(contract(2), FIRST, NOW, NOW).contract
    one_left = lifecycle.give_back(half, FIRST, at(1)).contract
    change = lifecycle.give_back(one_left, SECOND, at(1))
    assert change.contract.status is ContractStatus.TERMINATED


def test_giving_back_what_is_given_back_changes_nothing():
    once = lifecycle.give_back(running(2), FIRST, at(4)).contract
    assert lifecycle.give_back(once, FIRST, at(5)).contract == once


def test_a_contract_can_be_cancelled_until_a_node_is_handed_over():
    change = lifecycle.cancel(contract(2), NOW)
    assert change.contract.status is ContractStatus.CANCELLED
    assert {a.status for a in change.contract.allocations} == {AllocationStatus.RELEASED}
    assert change.contract.amount == 0
    half = lifecycle.hand_over(contract(2), FIRST, NOW, NOW).contract
    with pytest.raises(HandedOver, match="terminate"):
        lifecycle.cancel(half, NOW)


def test_terminating_ends_the_charge_now_and_the_nodes_are_taken_back():
    change = lifecycle.terminate(running(2), at(2))
    assert change.contract.status is ContractStatus.TERMINATED
    assert change.contract.end_time == at(2)
    assert change.contract.amount == Decimal("6.000000")
    released = lifecycle.take_back(change.contract, FIRST, at(3), at(3)).contract
    assert released.status is ContractStatus.TERMINATED
    assert released.amount == change.contract.amount


def test_terminating_a_half_delivered_contract_counts_what_is_there():
    half = lifecycle.hand_over(contract(2), FIRST, NOW, NOW).contract
    change = lifecycle.terminate(half, at(2))
    assert types(change) == ["contract.activated", "contract.terminated"]
    assert status(change.contract, SECOND) == "released"
    assert change.contract.amount == Decimal("3.000000")


@pytest.mark.parametrize("operation", [lifecycle.terminate, lambda made, now: lifecycle.give_back(made, FIRST, now)])
def test_what_has_ended_cannot_be_ended_again(operation):
    done = lifecycle.take_back(running(), FIRST, at(10), at(10)).contract
    with pytest.raises(InvalidTransition):
        operation(done, at(11))
    with pytest.raises(InvalidTransition):
        lifecycle.cancel(done, at(11))


def test_a_contract_that_has_not_begun_cannot_be_terminated():
    with pytest.raises(InvalidTransition):
        lifecycle.terminate(contract(), NOW)


def test_a_node_not_handed_over_in_time_fails():
    change = lifecycle.sweep(contract(2), at(1), TIMEOUTS)
    assert status(change.contract) == "failed"
    assert lifecycle.sought(change.contract) == (FIRST, SECOND)
    assert lifecycle.sweep(contract(), at(0.9), TIMEOUTS).events == ()


def test_at_the_end_nothing_more_is_waited_for():
    half = lifecycle.hand_over(contract(2), FIRST, NOW, NOW).contract
    short = Timeouts(delivery=timedelta(hours=20), replacement=timedelta(hours=20), notice=timedelta(0))
    change = lifecycle.sweep(half, at(10), short)
    assert change.contract.quantity == 1
    assert change.contract.status is ContractStatus.ACTIVE
    assert lifecycle.take_back(change.contract, FIRST, at(10), at(10)).contract.status is ContractStatus.COMPLETED


def test_a_contract_of_which_nothing_was_delivered_fails_at_its_end():
    change = lifecycle.sweep(contract(), at(10), TIMEOUTS)
    assert change.contract.status is ContractStatus.FAILED


def test_both_sides_are_warned_once_before_the_end():
    made = running()
    assert lifecycle.warn(made, at(8.9), TIMEOUTS).events == ()
    change = lifecycle.warn(made, at(9), TIMEOUTS)
    assert types(change) == ["contract.ending"]
    assert change.events[0].project_ids == {"consumer-a", "owner-a"}
    assert lifecycle.warn(change.contract, at(9.5), TIMEOUTS).events == ()
    assert lifecycle.warn(made, at(10), TIMEOUTS).events == ()


def test_an_unknown_allocation_is_not_found():
    with pytest.raises(AllocationNotFound):
        lifecycle.acknowledge(contract(), uid(1), NOW)


def test_a_node_handed_over_too_early_and_given_back_costs_nothing():
    made = contract(start_time=at(1))
    uuid = made.allocations[0].uuid
    early = lifecycle.hand_over(made, uuid, NOW, NOW).contract
    given_back = lifecycle.give_back(early, uuid, at(0.5)).contract
    assert (given_back.start_time, given_back.end_time, given_back.amount) == (at(1), at(1), 0)
    assert given_back.allocations[0].end_time == at(1)


OPERATIONS = [
    lifecycle.acknowledge,
    lambda made, uuid, now: lifecycle.hand_over(made, uuid, now, now),
    lambda made, uuid, now: lifecycle.take_back(made, uuid, now, now),
    lambda made, uuid, now: lifecycle.fail_allocation(made, uuid, "broken", now),
    lambda made, uuid, now: lifecycle.fail_allocation(made, uuid, "owner", now, breach=True),
    lifecycle.give_back,
    lambda made, _, now: lifecycle.cancel(made, now),
    lambda made, _, now: lifecycle.terminate(made, now),
    lambda made, _, now: lifecycle.sweep(made, now, TIMEOUTS),
    lambda made, _, now: lifecycle.give_up_replacing(made, lifecycle.sought(made), now),
]


def replaced(made, uuid, now):
    if uuid not in lifecycle.sought(made) or now >= made.end_time:
        return lifecycle.Change(made)
    successor = replace(
        allocation(100 + len(made.allocations)),
        start_time=max(now, made.start_time),
        end_time=made.end_time,
    )
    return lifecycle.replace_allocation(made, uuid, successor, now)


@settings(max_examples=400)
@given(data=st.data(), nodes=st.integers(1, 3))
def test_whatever_is_done_in_whatever_order_the_books_are_right(data, nodes):
    made = contract(nodes)
    now = at(-1)
    for _ in range(data.draw(st.integers(1, 15))):
        now += timedelta(seconds=data.draw(st.sampled_from([0, 1800, HOUR, 3 * HOUR])))
        operation = data.draw(st.sampled_from([*OPERATIONS, replaced]))
        uuid = data.draw(st.sampled_from([one.uuid for one in made.allocations]))
        before = made
        try:
            change = operation(made, uuid, now)
        except FlocxError:
            assert made == before
            continue
        made = change.contract
        check_books(made, now)
        if not before.binding:
            # A finished contract is never rewritten, whatever its allocations still do.
            same = ("status", "status_reason", "quantity", "start_time", "end_time", "amount", "clearing_price")
            assert [getattr(before, name) for name in same] == [getattr(made, name) for name in same]
        if made != before:
            again = operation_again(operation, made, uuid, now)
            assert again in (None, made), "repeating it at the same moment must not change more"


def operation_again(operation, made, uuid, now):
    try:
        return operation(made, uuid, now).contract
    except FlocxError:
        return None


def check_books(made, now):
    assert made.amount == total(one.amount for one in made.allocations)
    assert made.start_time <= made.end_time
    for one in made.allocations:
        assert made.start_time <= one.start_time <= one.end_time
        if one.delivered_from is not None:
            assert one.start_time <= one.delivered_from
            assert one.delivered_until is None or one.delivered_from <= one.delivered_until <= one.end_time
        if one.status not in LIVE and one.delivered_from is None:
            assert one.amount == 0
        assert one.amount <= amount_for(one.clearing_price, made.end_time - made.start_time) or not made.binding
        assert (one.replacement_sought_since is None) or one.status is AllocationStatus.FAILED
    if made.binding:
        counted = [one for one in made.allocations if one.counts]
        after_the_end = now >= made.end_time
        assert len(counted) == made.quantity or after_the_end
        assert made.quantity >= 1
    else:
        assert not lifecycle.sought(made)
