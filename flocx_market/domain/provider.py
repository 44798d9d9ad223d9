# SPDX-License-Identifier: Apache-2.0
"""Provider: the cloud side of the market, spoken for by one service user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One registered provider.

    ``turnaround`` is the time in seconds that each of its nodes needs between
    two contracts; ``silent`` says that the market has given up waiting to hear
    from it and suspended its offers.
    """

    uuid: str
    name: str
    service_user_id: str
    turnaround: int
    last_heartbeat_at: datetime
    silent: bool
    request_digest: str
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None = None
    generation: int = 0

    def overdue(self, now: datetime, liveness_timeout: timedelta) -> bool:
        """Tell whether it has not been heard of for the liveness timeout."""
        return now - self.last_heartbeat_at > liveness_timeout
