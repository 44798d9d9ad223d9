# SPDX-License-Identifier: Apache-2.0
"""What the figures of the clearing engine are held against."""

from __future__ import annotations

#: Seconds for a clear of 100,000 offers and 10,000 bids, documents interned.
CLEAR_SECONDS = 2.0
#: Megabytes that such a clear takes at most, book included, above the interpreter with its imports.
CLEAR_MEGABYTES = 150.0
#: Evaluations for each pair of a distinct triple and a class.
EVALUATIONS_PER_PAIR = 1.0
#: Microseconds to intern a document that carries its node's identity.
INTERN_MICROSECONDS = 100.0
#: How much longer a clear takes with ten times the offers.
TEN_TIMES_OFFERS = 5.0
#: A late bid's share of a full clear, or its seconds: one of the two.
LATE_SHARE = 1 / 1000
LATE_SECONDS = 0.001
#: Share of the bound that the engine greedy with the default ranking reaches, by market: the median over the seeds.
GREEDY = {
    "contested 1,000 x 500": 0.95,
    "pieces 200 x 1,500": 0.94,
    "pieces 200 x 1,500, half flexible": 0.93,
    "contested 1,000 x 500, half flexible": 0.88,
}
#: How far below that a single seed may be.
GREEDY_SPREAD = 0.03
#: The same for the engine optimal, by market and CPU seconds, and the share that no seed may be below (None for any).
OPTIMAL: dict[tuple[str, float], tuple[float, float | None]] = {
    ("contested 1,000 x 500, 10% with rules", 10): (0.995, 0.985),
    ("contested 1,000 x 500, half flexible, 10% with rules", 10): (0.96, None),
    ("contested 1,000 x 500, half flexible, 10% with rules", 60): (0.97, None),
    ("contested 10,000 x 1,000, 10% with rules", 10): (0.97, None),
    ("contested 10,000 x 1,000, 10% with rules", 60): (0.98, None),
}
#: Clears that the rule critical costs for each contract.
CRITICAL_CLEARS_PER_CONTRACT = 0.4
#: Explaining what is left open, in clears.
EXPLAIN_CLEARS = 2.0
#: Explaining 10,000 bids of which none can be served, in clears.
EXPLAIN_NONE_CLEARS = 6.0
