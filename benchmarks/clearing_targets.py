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
#: Share of the bound that the default ranking reaches, by market: the median over the seeds.
QUALITY = {
    "contested 1,000 x 500": 0.95,
    "pieces 200 x 1,500": 0.94,
    "pieces 200 x 1,500, half flexible": 0.93,
    "contested 1,000 x 500, half flexible": 0.88,
    "contested 10,000 x 1,000": 0.95,
}
#: Clears that the rule critical costs for each contract.
CRITICAL_CLEARS_PER_CONTRACT = 0.4
#: Explaining what is left open, in clears.
EXPLAIN_CLEARS = 2.0
#: Explaining 10,000 bids of which none can be served, in clears.
EXPLAIN_NONE_CLEARS = 6.0
