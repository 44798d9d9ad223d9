# SPDX-License-Identifier: Apache-2.0
"""How much the result depends on what was assumed: one knob at a time, under several seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from flocx_market.domain.clearing import Rules
from flocx_market.simulation.accounts import WorldTotals, totals
from flocx_market.simulation.conversion import Knobs
from flocx_market.simulation.demand import Attempts, Rows
from flocx_market.simulation.study import Progress, Traces, market_of, worlds_of
from flocx_market.simulation.traces import TraceInvalid

#: The values that are tried of each knob, besides the one the study has.
VALUES: Mapping[str, Sequence[Any]] = {
    "flexible": [Decimal(text) for text in ("0", "0.25", "0.5", "0.75", "1")],
    "spread": [Decimal(text) for text in ("0", "0.5", "1", "2", "4")],
    "patience": [hours * 3600 for hours in (0, 4, 16, 48, 168)],
    "supply": [Decimal(text) for text in ("0.25", "0.5", "0.75", "1")],
    "attempts": list(Attempts),
    "rows": list(Rows),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One world under one value of one knob and one seed."""

    knob: str
    value: str
    seed: int
    totals: WorldTotals


def sensitivity(
    traces: Traces,
    knobs: Knobs,
    rules: Rules,
    seeds: Sequence[int],
    begin: int | None,
    end: int | None,
    progress: Progress,
) -> Iterator[Variation]:
    """Yield what both worlds come to for each value of each knob under each seed, all other knobs as given.

    A value under which there is no bid at all is left out.
    """
    tried = [
        (knob, value, replace(knobs, seed=seed, **{knob: value}))
        for knob in VALUES
        for value in _values(knob, getattr(knobs, knob))
        for seed in seeds
    ]
    known: dict[Knobs, list[WorldTotals]] = {}
    for number, (knob, value, changed) in enumerate(tried, 1):
        if changed not in known:
            try:
                market = market_of(traces, changed, begin, end)
            except TraceInvalid:
                # Under this value nothing is left to replay, such as no approved reservation.
                continue
            worlds = worlds_of(market, rules, changed, lambda what, done, of: None)
            known[changed] = [totals(name, market.asked, deals) for name, deals in worlds.items()]
        for found in known[changed]:
            yield Variation(knob=knob, value=shown(knob, value), seed=changed.seed, totals=found)
        progress("sensitivity", number, len(tried))


def shown(knob: str, value: Any) -> str:
    """Return a knob's value as its option takes it: patience in hours."""
    return f"{Decimal(value) / 3600:f}" if knob == "patience" else str(value)


def settings(knobs: Knobs) -> dict[str, str | int]:
    """Return all knobs by the names and in the units of their options."""
    told: dict[str, str | int] = {}
    for field in fields(knobs):
        value = getattr(knobs, field.name)
        if field.name == "patience":
            told["patience_hours"] = shown("patience", value)
        elif field.name == "within":
            told["within_minutes"] = f"{Decimal(value) / 60:f}"
        else:
            told[field.name] = value if isinstance(value, int) else str(value)
    return told


def _values(knob: str, given: Any) -> list[Any]:
    values = VALUES[knob]
    if given in values:
        return list(values)
    return sorted([*values, given])
