# SPDX-License-Identifier: Apache-2.0
"""The promises of node states, kept in memory and by every kind of database."""

import pytest

from flocx_common.domain.errors import Unavailable
from flocx_common.domain.events import Event, projects
from flocx_provider.db.static_nodes import SqlNodeStates
from flocx_provider.db.store import ProviderStore
from flocx_provider.ports.node_states import NodeState
from tests.builders import NOW, uid
from tests.fakes import FakeNodeStates

NODE, MINE, FOREIGN = uid(1001), uid(6001), uid(6002)


def down(reason):
    return Event(
        event_type="node.up" if reason is None else "node.down",
        entity_uuid=NODE,
        project_ids=projects("owner-a"),
        occurred_at=NOW,
        reason=reason,
    )


class NodeStatesPromises:
    """The suite. A subclass has fixtures ``states`` and ``told``: the events that were told, so far."""

    def test_a_node_that_was_never_changed_is_not_known(self, states):
        assert states.all() == {}

    def test_an_unmarked_node_takes_mark_and_lessee(self, states):
        assert states.assign(NODE, "consumer-a", MINE)
        assert states.all() == {NODE: NodeState(None, "consumer-a", MINE)}

    def test_the_same_again_succeeds_and_changes_nothing(self, states):
        assert [states.assign(NODE, "consumer-a", MINE) for _ in range(3)] == [True] * 3
        assert states.all() == {NODE: NodeState(None, "consumer-a", MINE)}

    def test_a_node_with_another_mark_is_not_taken(self, states):
        states.assign(NODE, "consumer-b", FOREIGN)
        assert not states.assign(NODE, "consumer-a", MINE)
        assert states.all() == {NODE: NodeState(None, "consumer-b", FOREIGN)}

    @pytest.mark.parametrize(
        ("act", "left"),
        [("remove_lessee", NodeState(None, None, MINE)), ("remove_mark", NodeState(None, None, None))],
    )
    def test_taking_again_is_harmless(self, states, act, left):
        states.assign(NODE, "consumer-a", MINE)
        for _ in range(2):
            getattr(states, act)(NODE, MINE)
            assert states.all() == {NODE: left}

    @pytest.mark.parametrize("act", ["remove_lessee", "remove_mark"])
    def test_only_the_contract_that_marked_a_node_takes_anything_from_it(self, states, act):
        states.assign(NODE, "consumer-b", FOREIGN)
        getattr(states, act)(NODE, MINE)
        assert states.all() == {NODE: NodeState(None, "consumer-b", FOREIGN)}

    @pytest.mark.parametrize("act", ["remove_lessee", "remove_mark"])
    def test_taking_from_a_node_that_was_never_changed_is_harmless(self, states, act):
        getattr(states, act)(NODE, MINE)
        assert states.all().get(NODE, NodeState()) == NodeState()

    def test_health_and_holding_do_not_touch_each_other(self, states):
        states.assign(NODE, "consumer-a", MINE)
        states.set_down(NODE, "fan", down("fan"))
        assert states.all() == {NODE: NodeState("fan", "consumer-a", MINE)}
        states.remove_mark(NODE, MINE)
        assert states.all() == {NODE: NodeState("fan", None, None)}
        states.set_down(NODE, None, down(None))
        assert states.all() == {NODE: NodeState(None, None, None)}

    def test_a_change_of_health_is_told(self, states, told):
        states.set_down(NODE, "fan", down("fan"))
        states.set_down(NODE, None, down(None))
        assert [(event.event_type, event.entity_uuid, event.reason) for event in told()] == [
            ("node.down", NODE, "fan"),
            ("node.up", NODE, None),
        ]

    def test_silence_is_said_in_a_word_of_ours(self, silent_states):
        for call in (
            silent_states.all,
            lambda: silent_states.assign(NODE, "consumer-a", MINE),
            lambda: silent_states.remove_lessee(NODE, MINE),
            lambda: silent_states.remove_mark(NODE, MINE),
            lambda: silent_states.set_down(NODE, "fan", down("fan")),
        ):
            with pytest.raises(Unavailable):
                call()


class TestFakeNodeStates(NodeStatesPromises):
    @pytest.fixture
    def states(self):
        return FakeNodeStates()

    @pytest.fixture
    def silent_states(self, states):
        states.silent = True
        return states

    @pytest.fixture
    def told(self, states):
        return lambda: states.told


class TestSqlNodeStates(NodeStatesPromises):
    @pytest.fixture
    def states(self, migrated_provider):
        return SqlNodeStates(migrated_provider.renew())

    @pytest.fixture
    def silent_states(self, silent_database):
        return SqlNodeStates(silent_database)

    @pytest.fixture
    def told(self, migrated_provider):
        store = ProviderStore(migrated_provider.database)
        return lambda: store.read(lambda uow: uow.events.since(0, 10, "owner-a"))
