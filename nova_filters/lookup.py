# SPDX-License-Identifier: Apache-2.0
"""The list of nodes as the filter may use it: shared, and never older than a bound."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flocx_common.domain.holders import Holders

LOG = logging.getLogger(__name__)


class LookUpFailed(Exception):
    """Nobody can say now who may use which node; the text says why, without credentials."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a look-up came to. ``began``: the monotonic time before it, in seconds."""

    number: int
    began: float
    holders: Mapping[str, Holders] | None
    failure: str | None


class NodeLookup:
    """Looks nodes up, one look-up at a time, for all requests of the scheduler.

    A look-up serves whoever came before it began, whatever it came to, and where
    it succeeded those who come later, until ``max_age`` seconds after it began.
    Failures and the end of them are logged once each.

    :param read: returns the holders of all nodes; raises LookUpFailed.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, Holders]],
        *,
        max_age: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._max_age = max_age
        self._monotonic = monotonic
        # Held during a look-up: whoever waits for it finds its outcome.
        self._lock = threading.Lock()
        self._begun = 0
        self._last: _Outcome | None = None
        self._told: str | None = None

    def ticket(self) -> int:
        """Return what a request shows to get what was asked for after this moment."""
        return self._begun

    def nodes(self, ticket: int) -> Mapping[str, Holders]:
        """Return the holders of all nodes by uuid, at most ``max_age`` seconds old or asked for after the ticket.

        :raises LookUpFailed: they cannot be known.
        """
        return self._answer(ticket, self._max_age)

    def fresh_nodes(self, ticket: int) -> Mapping[str, Holders]:
        """Return the holders of all nodes by uuid, asked for after the ticket.

        :raises LookUpFailed: they cannot be known.
        """
        return self._answer(ticket, None)

    def _answer(self, ticket: int, max_age: float | None) -> Mapping[str, Holders]:
        with self._lock:
            outcome = self._last
            if outcome is None or not self._serves(outcome, ticket, max_age):
                outcome = self._last = self._look_up()
        if outcome.holders is None:
            raise LookUpFailed(outcome.failure)
        return outcome.holders

    def _serves(self, outcome: _Outcome, ticket: int, max_age: float | None) -> bool:
        if outcome.number > ticket:
            return True
        if outcome.holders is None or not max_age:
            return False
        return self._monotonic() - outcome.began <= max_age

    def _look_up(self) -> _Outcome:
        self._begun += 1
        began = self._monotonic()
        holders, failure = None, None
        try:
            holders = self._read()
        except LookUpFailed as error:
            failure = str(error)
        except Exception as error:
            LOG.debug("the look-up failed in a way that was not foreseen", exc_info=True)
            failure = f"the look-up failed in a way that was not foreseen ({type(error).__name__})"
        self._tell(failure)
        return _Outcome(self._begun, began, holders, failure)

    def _tell(self, failure: str | None) -> None:
        if failure is not None and failure != self._told:
            LOG.error("bare metal is refused to everybody, as its nodes cannot be looked up: %s", failure)
        elif failure is None and self._told is not None:
            LOG.info("bare-metal nodes can be looked up again")
        self._told = failure
