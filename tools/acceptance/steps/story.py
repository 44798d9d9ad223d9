# SPDX-License-Identifier: Apache-2.0
"""What the steps of the story hand on to one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: The nodes that are offered: 1024, 480 and 960 GB, each with 32 processors.
OFFERED = ("node-a1", "node-a2", "node-a3")
#: The one that the consumer gets: it is the cheaper of the two that are large enough.
NODE = "node-a1"
SERVER = "story"
#: Seconds of the contract: long enough for a launch with Nova.
CONTRACT, CONTRACT_WITHOUT_NOVA = 60, 20


@dataclass
class Story:
    """The story so far."""

    offers: dict[str, str] = field(default_factory=dict)
    cursors: dict[str, str] = field(default_factory=dict)
    contract: Any = None
    server: Any = None
