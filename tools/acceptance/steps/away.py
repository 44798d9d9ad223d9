# SPDX-License-Identifier: Apache-2.0
"""What the steps around an absence of Ironic hand on to one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from acceptance.logs import Log
from acceptance.site import REGIONS

#: The region whose Ironic goes away; the other goes on meanwhile.
REGION = REGIONS[1]
IRONIC, MANAGER = "ironic-2", "provider-2-manager"
OWNER, ENDING_FOR, STARTING_FOR = "owner-b", "consumer-a", "consumer-b"
#: Nodes whose contract ends, begins, and that are offered meanwhile.
ENDING, STARTING, LATER = "node-b2", "node-b3", "node-b4"
#: Seconds that it is away at least.
SECONDS = 60


@dataclass
class Away:
    """The absence so far."""

    log: Log | None = None
    #: When it began, on the monotonic clock.
    since: float = 0.0
    ending: Any = None
    starting: Any = None
    offers: list[str] = field(default_factory=list)
