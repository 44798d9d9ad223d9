# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_provider.domain.allocation import AllocationStatus
from flocx_provider.domain.fulfillment import Action, FulfillmentRules, decide, due, ending, in_order
from tests.builders import NOW, at, uid
from tests.unit.provider.builders import provider_allocation, ready_node

RULES = FulfillmentRules(
    delivery_timeout=timedelta(hours=1),
    take_back_timeout=timedelta(minutes=10),
    undeploy=True,
    release_delay=timedelta(0),
    notice=timedelta(hours=1),
)
MARK = uid(6001)
HELD = {"contract_uuid": MARK, "lessee_project_id": "consumer-a"}
ACTIVE = {"status": AllocationStatus.ACTIVE, "delivered_from": NOW}


def action(allocation, node, now, rules=RULES):
    return decide(allocation, node, now, rules).action


def test_nothing_happens_before_the_start():
    assert action(provider_allocation(), ready_node(), at(-0.5)) is Action.NOTHING


def test_at_the_start_a_ready_node_is_assigned_and_then_recorded():
    assert action(provider_allocation(), ready_node(), NOW) is Action.ASSIGN
    assert action(provider_allocation(), ready_node(**HELD), NOW) is Action.RECORD_ACTIVE


def test_a_node_that_carries_our_mark_without_the_lessee_is_assigned_again():
    assert action(provider_allocation(), ready_node(contract_uuid=MARK), NOW) is Action.ASSIGN


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (None, "gone from the inventory"),
        (ready_node(problem="the node is down: fan"), "the node is down: fan"),
        (ready_node(busy="cleaning"), "the node is cleaning"),
        (ready_node(deployed=True), "an instance is on the node"),
        (ready_node(contract_uuid=uid(6009)), f"the mark of contract {uid(6009)}"),
        (ready_node(lessee_project_id="stranger"), "a lessee that FLOCX did not set"),
        (ready_node(contract_uuid=MARK, lessee_project_id="stranger"), "a lessee that FLOCX did not set"),
    ],
)
def test_what_is_in_the_way_is_waited_for_and_fails_after_the_timeout(node, reason):
    waiting = decide(provider_allocation(), node, at(0.5), RULES)
    assert waiting.action is Action.WAIT
    assert reason in waiting.reason
    failed = decide(provider_allocation(), node, at(1), RULES)
    assert failed.action is Action.FAIL
    assert reason in failed.reason
    # What the owner runs on the node is never touched, and is the owner's breach.
    assert failed.breach is (reason == "an instance is on the node")


def test_a_contract_that_comes_late_has_its_own_time_for_delivery():
    late = provider_allocation(created_at=at(5))
    assert action(late, ready_node(problem="x"), at(5.5)) is Action.WAIT
    assert action(late, ready_node(problem="x"), at(6)) is Action.FAIL


def test_a_running_allocation_is_left_alone():
    assert action(provider_allocation(**ACTIVE), ready_node(**HELD), at(5)) is Action.NOTHING


def test_a_node_that_falls_ill_while_it_is_used_is_not_taken_away():
    assert action(provider_allocation(**ACTIVE), ready_node(**HELD, problem="fan"), at(5)) is Action.NOTHING


@pytest.mark.parametrize(
    "node",
    [
        ready_node(),
        ready_node(contract_uuid=uid(6009)),
        ready_node(contract_uuid=MARK),
        ready_node(**HELD | {"lessee_project_id": "x"}),
    ],
)
def test_a_mark_or_lessee_taken_away_during_the_contract_is_the_owners_breach(node):
    decision = decide(provider_allocation(**ACTIVE), node, at(5), RULES)
    assert decision.action is Action.FAIL
    assert decision.breach


def test_a_node_that_vanishes_while_it_is_used_fails_after_the_timeout():
    gone = provider_allocation(**ACTIVE, trouble="gone", trouble_since=at(5))
    assert action(provider_allocation(**ACTIVE), None, at(5)) is Action.WAIT
    assert action(gone, None, at(5.5)) is Action.WAIT
    assert action(gone, None, at(6)) is Action.FAIL


def test_a_node_is_taken_back_step_by_step_and_the_mark_goes_last():
    ended = provider_allocation(**ACTIVE)
    assert action(ended, ready_node(**HELD, deployed=True, busy="cleaning"), at(10)) is Action.REMOVE_LESSEE
    assert action(ended, ready_node(contract_uuid=MARK, deployed=True), at(10)) is Action.UNDEPLOY
    assert action(ended, ready_node(contract_uuid=MARK, busy="cleaning"), at(10)) is Action.WAIT
    assert action(ended, ready_node(contract_uuid=MARK), at(10)) is Action.REMOVE_MARK
    assert action(ended, ready_node(), at(10)) is Action.RECORD_RELEASED


def test_what_is_deployed_is_left_where_the_operator_says_so():
    rules = replace(RULES, undeploy=False)
    node = ready_node(contract_uuid=MARK, deployed=True)
    assert action(provider_allocation(**ACTIVE), node, at(10), rules) is Action.REMOVE_MARK


def test_only_a_node_with_our_mark_is_ever_touched():
    ended = provider_allocation(**ACTIVE)
    for node in (
        ready_node(lessee_project_id="consumer-a"),
        ready_node(contract_uuid=uid(6009), lessee_project_id="x"),
        None,
    ):
        assert action(ended, node, at(10)) is Action.RECORD_RELEASED


@pytest.mark.parametrize("status", ["cancelled", "released", "failed", "replaced"])
def test_what_the_market_does_not_want_any_more_is_taken_back(status):
    early = provider_allocation(**ACTIVE, market_status=status)
    assert action(early, ready_node(**HELD), at(5)) is Action.REMOVE_LESSEE
    unstarted = provider_allocation(market_status=status)
    assert action(unstarted, ready_node(), at(5)) is Action.RECORD_RELEASED
    assert action(unstarted, ready_node(**HELD), at(5)) is Action.REMOVE_LESSEE


def test_what_was_never_handed_over_until_its_end_has_failed_with_the_reason():
    never = provider_allocation(trouble="the node is down: fan")
    decision = decide(never, ready_node(), at(10), RULES)
    assert (decision.action, decision.reason) == (Action.FAIL, "the node is down: fan")


def test_a_failed_allocation_leaves_nothing_behind():
    failed = provider_allocation(status=AllocationStatus.FAILED)
    assert action(failed, ready_node(**HELD), at(2)) is Action.REMOVE_LESSEE
    assert action(failed, ready_node(), at(2)) is Action.RECORD_SETTLED


def test_ends_come_before_starts():
    ending_one = provider_allocation(1, start_time=at(0), end_time=at(10), **ACTIVE)
    starting = provider_allocation(2, start_time=at(10), end_time=at(20))
    assert in_order([starting, ending_one], at(10)) == [ending_one, starting]


def test_the_next_thing_to_do_by_the_clock_is_known():
    pulled = provider_allocation()
    assert due([pulled], at(-1), RULES) == NOW
    assert due([pulled], NOW, RULES) == at(1)
    assert due([provider_allocation(**ACTIVE)], at(2), RULES) == at(9)
    assert due([provider_allocation(**ACTIVE, noticed_at=at(9))], at(9), RULES) == at(10)
    assert due([], NOW, RULES) is None


def test_an_end_is_announced_once_and_in_time():
    running = provider_allocation(**ACTIVE)
    assert not ending(running, at(8.9), RULES)
    assert ending(running, at(9), RULES)
    assert not ending(replace(running, noticed_at=at(9)), at(9.5), RULES)
    assert not ending(provider_allocation(), at(9.5), RULES)


def acted(node, decision_action, allocation):
    """The node after an action, as an inventory would have it."""
    match decision_action:
        case Action.ASSIGN:
            return replace(node, contract_uuid=allocation.contract_uuid, lessee_project_id=allocation.lessee_project_id)
        case Action.REMOVE_LESSEE:
            return replace(node, lessee_project_id=None)
        case Action.UNDEPLOY:
            return replace(node, deployed=False)
        case Action.REMOVE_MARK:
            return replace(node, contract_uuid=None)
    return node


def recorded(allocation, decision, node, now):
    """The allocation after an action, as the provider would write it down."""
    clean = node is None or node.contract_uuid != allocation.contract_uuid
    match decision.action:
        case Action.RECORD_ACTIVE:
            return allocation.handed_over(now)
        case Action.RECORD_RELEASED:
            return allocation.released(now)
        case Action.RECORD_SETTLED:
            return replace(allocation, settled=True)
        case Action.FAIL:
            return allocation.failed(now, decision.reason, breach=decision.breach, settled=clean)
    return allocation


def run(allocation, node, now, steps):
    """Take so many steps; each may be the last before a crash."""
    for _ in range(steps):
        if allocation.settled:
            break
        decision = decide(allocation, node, now, RULES)
        if decision.action in (Action.NOTHING, Action.WAIT):
            break
        if decision.action in (Action.ASSIGN, Action.REMOVE_LESSEE, Action.UNDEPLOY, Action.REMOVE_MARK):
            node = acted(node, decision.action, allocation)
        else:
            allocation = recorded(allocation, decision, node, now)
    return allocation, node


@settings(max_examples=300)
@given(
    crashes=st.lists(st.integers(0, 3), max_size=4),
    deployed=st.booleans(),
    ends_early=st.booleans(),
)
def test_a_crash_at_any_step_changes_nothing_in_the_outcome(crashes, deployed, ends_early):
    allocation, node = provider_allocation(), ready_node()
    for steps in crashes:
        allocation, node = run(allocation, node, NOW, steps)
    allocation, node = run(allocation, node, NOW, 20)
    assert allocation.status is AllocationStatus.ACTIVE
    assert (node.contract_uuid, node.lessee_project_id) == (MARK, "consumer-a")
    node = replace(node, deployed=deployed)
    over = at(3) if ends_early else at(10)
    if ends_early:
        allocation = replace(allocation, market_status="released")
    for steps in crashes:
        allocation, node = run(allocation, node, over, steps)
    allocation, node = run(allocation, node, over, 20)
    assert allocation.status is AllocationStatus.RELEASED
    assert allocation.settled
    assert (node.contract_uuid, node.lessee_project_id, node.deployed) == (None, None, False)
    assert (allocation.delivered_from, allocation.delivered_until) == (NOW, over)


def test_what_nova_does_not_remove_in_time_is_undeployed_directly():
    ended = provider_allocation(**ACTIVE, end_time=at(1))
    left = ready_node(contract_uuid=MARK, deployed=True)
    assert action(ended, left, at(1)) is Action.UNDEPLOY
    troubled = replace(ended, trouble="being removed", trouble_since=at(1))
    assert action(troubled, left, at(1) + timedelta(minutes=9, seconds=59)) is Action.UNDEPLOY
    assert action(troubled, left, at(1) + timedelta(minutes=10)) is Action.UNDEPLOY_DIRECTLY


def test_trouble_from_before_the_end_does_not_shorten_the_time_for_removing():
    troubled = provider_allocation(**ACTIVE, end_time=at(1), trouble="a conflict", trouble_since=at(0))
    assert action(troubled, ready_node(contract_uuid=MARK, deployed=True), at(1)) is Action.UNDEPLOY


def test_a_contract_called_off_early_gives_the_same_time_for_removing():
    left = ready_node(contract_uuid=MARK, deployed=True)
    ended = provider_allocation(**ACTIVE, market_status="released", trouble="being removed", trouble_since=at(1))
    assert action(ended, left, at(1) + timedelta(minutes=9)) is Action.UNDEPLOY
    assert action(ended, left, at(1) + timedelta(minutes=10)) is Action.UNDEPLOY_DIRECTLY


def test_a_node_on_its_way_back_is_waited_for_and_not_undeployed_again():
    ended = provider_allocation(**ACTIVE, end_time=at(1))
    assert action(ended, ready_node(contract_uuid=MARK, busy="being cleaned"), at(1)) is Action.WAIT


def test_a_node_that_contradicts_itself_is_not_handed_over_and_a_running_contract_reports_it():
    contested = ready_node(conflict="they differ")
    assert decide(provider_allocation(), contested, NOW, RULES).reason == "they differ"
    assert action(provider_allocation(), contested, NOW) is Action.WAIT
    running = decide(provider_allocation(**ACTIVE), ready_node(**HELD, conflict="they differ"), NOW, RULES)
    assert (running.action, running.reason) == (Action.WAIT, "they differ")


def test_a_node_keeps_our_mark_for_a_while_so_that_what_began_at_the_last_moment_is_removed():
    rules = replace(RULES, release_delay=timedelta(seconds=30))
    ended, bare = provider_allocation(**ACTIVE, end_time=at(1)), ready_node(contract_uuid=MARK)
    late = at(1) + timedelta(seconds=29)
    assert action(ended, bare, late, rules) is Action.NOTHING
    assert action(ended, replace(bare, deployed=True), late, rules) is Action.UNDEPLOY
    assert action(ended, bare, at(1) + timedelta(seconds=30), rules) is Action.REMOVE_MARK
    assert due([ended], at(1), rules) == at(1) + timedelta(seconds=30)


def test_a_contract_called_off_early_keeps_the_mark_from_then_on():
    rules = replace(RULES, release_delay=timedelta(seconds=30))
    called_off = provider_allocation(**ACTIVE, market_status="released", updated_at=at(2), end_time=at(10))
    bare = ready_node(contract_uuid=MARK)
    assert action(called_off, bare, at(2), rules) is Action.NOTHING
    assert action(called_off, bare, at(2) + timedelta(seconds=30), rules) is Action.REMOVE_MARK
