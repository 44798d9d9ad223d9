# SPDX-License-Identifier: Apache-2.0
"""The drawings of the architecture page, in the dot language."""

from __future__ import annotations

from collections.abc import Sequence


def _graph(*edges: Sequence[str]) -> str:
    lines = [f'"{source}" -> "{target}" [label="{label}"];' for source, target, label in edges]
    return "\n".join(lines)


#: File name -> (title, graph).
DRAWINGS: dict[str, tuple[str, str]] = {
    "pieces": (
        "Who talks to whom",
        _graph(
            ("owner", "provider API", "offers a node"),
            ("provider API", "provider database", "outbox"),
            ("provider manager", "provider database", "reads, writes down"),
            ("provider manager", "inventory", "hands over, takes back"),
            ("provider manager", "market API", "HTTP only"),
            ("consumer", "market API", "bids, reads contracts"),
            ("market API", "market database", "bids, offers"),
            ("market manager", "market database", "rounds"),
        ),
    ),
    "flow": (
        "How an offer becomes a node in other hands",
        _graph(
            ("owner", "provider's offer", "POST"),
            ("provider's offer", "market's offer", "publish: PUT"),
            ("consumer", "bid", "POST"),
            ("market's offer", "round", "available"),
            ("bid", "round", "open"),
            ("round", "contract", "match"),
            ("contract", "provider's allocation", "pull: GET, cursor"),
            ("provider's allocation", "node", "reconcile: assign"),
        ),
    ),
}
