# SPDX-License-Identifier: Apache-2.0
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.errors import InvalidTransition
from flocx_common.domain.states import StateMachine, diagram
from flocx_market.domain.bid import BID_STATES, BidStatus
from flocx_market.domain.contract import ALLOCATION_STATES, CONTRACT_STATES, AllocationStatus, ContractStatus
from flocx_market.domain.offer import OFFER_STATES, OfferStatus
from flocx_provider.domain.allocation import ALLOCATION_STATES as PROVIDER_ALLOCATION_STATES
from flocx_provider.domain.offer import OFFER_STATES as PROVIDER_OFFER_STATES
from flocx_provider.domain.offer import PUBLICATION_STATES

MACHINES = [
    BID_STATES,
    OFFER_STATES,
    CONTRACT_STATES,
    ALLOCATION_STATES,
    PROVIDER_OFFER_STATES,
    PROVIDER_ALLOCATION_STATES,
    PUBLICATION_STATES,
]


class Light(StrEnum):
    RED = "red"
    GREEN = "green"


LIGHTS = StateMachine[Light]("light", {(Light.RED, "go"): Light.GREEN})


def test_an_allowed_event_gives_the_next_status():
    assert LIGHTS.fire(Light.RED, "go") is Light.GREEN


def test_a_forbidden_event_is_refused_naming_status_event_and_when_it_is_possible():
    with pytest.raises(InvalidTransition) as refused:
        LIGHTS.fire(Light.GREEN, "go")
    assert refused.value.detail == "status: the light is green; go is possible only while it is red"
    with pytest.raises(InvalidTransition, match="stop is possible never"):
        LIGHTS.fire(Light.RED, "stop")


def test_a_diagram_has_every_transition():
    assert '"red" -> "green" [label="go"]' in diagram(LIGHTS)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.entity)
@given(data=st.data())
def test_no_sequence_of_events_leaves_the_table(machine, data):
    table = {(source, event): target for source, event, target in machine}
    statuses = list(type(next(iter(table))[0]))
    events = sorted({event for _, event in table})
    status = data.draw(st.sampled_from(statuses))
    for event in data.draw(st.lists(st.sampled_from(events), max_size=12)):
        if (status, event) in table:
            status = machine.fire(status, event)
            assert status in statuses
        else:
            with pytest.raises(InvalidTransition):
                machine.fire(status, event)


@pytest.mark.parametrize(
    ("machine", "final"),
    [
        (BID_STATES, {BidStatus.EXPIRED, BidStatus.CANCELLED}),
        (OFFER_STATES, {OfferStatus.EXPIRED, OfferStatus.WITHDRAWN}),
        (
            CONTRACT_STATES,
            {ContractStatus.COMPLETED, ContractStatus.CANCELLED, ContractStatus.TERMINATED, ContractStatus.FAILED},
        ),
        (ALLOCATION_STATES, {AllocationStatus.RELEASED, AllocationStatus.REPLACED}),
    ],
    ids=["bid", "offer", "contract", "allocation"],
)
def test_exactly_the_ends_of_the_rules_are_final(machine, final):
    statuses = set(type(next(iter(final))))
    assert {status for status in statuses if not machine.events(status)} == final


def test_the_transitions_are_those_of_the_market_rules():
    assert {(a.value, b.value) for a, _, b in CONTRACT_STATES} == {
        ("created", "active"),
        ("created", "cancelled"),
        ("created", "failed"),
        ("active", "completed"),
        ("active", "terminated"),
        ("active", "failed"),
    }
    assert {(a.value, b.value) for a, _, b in BID_STATES if a is not b} == {
        ("open", "matched"),
        ("open", "expired"),
        ("open", "cancelled"),
        ("matched", "open"),
    }
