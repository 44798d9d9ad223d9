# SPDX-License-Identifier: Apache-2.0
"""State machines as frozen tables: (status, event) gives a status or a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from flocx_common.domain.errors import InvalidTransition

S = TypeVar("S", bound=StrEnum)


class StateMachine(Generic[S]):
    """The changes of status an entity may make.

    :param entity: the word for the thing, as in error codes.
    :param transitions: for each (status, event) that is allowed, the status
        it leads to. What is not listed is refused.
    """

    def __init__(self, entity: str, transitions: Mapping[tuple[S, str], S]) -> None:
        self.entity = entity
        self._transitions = dict(transitions)

    def fire(self, status: S, event: str) -> S:
        """Return the status that ``event`` leads to from ``status``.

        :raises InvalidTransition: the event is not allowed in that status.
        """
        try:
            return self._transitions[status, event]
        except KeyError:
            raise InvalidTransition(self.entity, str(status), event, self.statuses(event)) from None

    def allows(self, status: S, event: str) -> bool:
        """Tell whether ``event`` is allowed in ``status``."""
        return (status, event) in self._transitions

    def events(self, status: S) -> tuple[str, ...]:
        """Return the events allowed in ``status``, sorted; none means it is final."""
        return tuple(sorted(event for source, event in self._transitions if source == status))

    def statuses(self, event: str) -> tuple[str, ...]:
        """Return the statuses in which ``event`` is allowed, in the order of the table."""
        return tuple(str(source) for source, name in self._transitions if name == event)

    def __iter__(self) -> Iterator[tuple[S, str, S]]:
        """Yield every (status, event, status) in the order of the table."""
        for (source, event), target in self._transitions.items():
            yield source, event, target


def diagram(machine: StateMachine[S]) -> str:
    """Return the machine as a Graphviz ``dot`` graph, for the documentation."""
    lines = [f"digraph {machine.entity} {{", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    lines += [f'  "{source}" -> "{target}" [label="{event}"];' for source, event, target in machine]
    return "\n".join([*lines, "}", ""])
