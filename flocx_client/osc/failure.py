# SPDX-License-Identifier: Apache-2.0
"""How a command ends that cannot go on."""

from __future__ import annotations

from flocx_client.osc import exit_statuses


class Failure(Exception):
    """A command cannot go on.

    :param status: its exit status.
    :param request_id: finds the request in the service's log.
    """

    def __init__(self, status: int, sentence: str, request_id: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.request_id = request_id


class UsageError(Failure):
    """The command line is wrong."""

    def __init__(self, sentence: str) -> None:
        super().__init__(exit_statuses.USAGE, sentence)
