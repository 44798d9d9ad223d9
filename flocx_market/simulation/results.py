# SPDX-License-Identifier: Apache-2.0
"""The results of a replay as files. The same traces, knobs and rules give the same files, byte for byte."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from flocx_common.api.values import time_text
from flocx_market.domain.book import to_instant
from flocx_market.simulation import accounts
from flocx_market.simulation.accounts import OwnerMonth, PricePoint
from flocx_market.simulation.conversion import Asked, Knobs
from flocx_market.simulation.sensitivity import Variation, settings
from flocx_market.simulation.study import ALONE, EXCHANGE, Study, Traces

BOUND = "bound"


def summary(traces: Traces, study: Study, knobs: Knobs, rules: Mapping[str, str]) -> dict[str, Any]:
    """Return what the study came to, beginning with what it was run with, as JSON."""
    return {
        "rules": dict(rules),
        "conversion": settings(knobs),
        "span": {"from": _time(study.market.span.begin), "until": _time(study.market.span.end)},
        "trace": {
            "reservations": len(traces.reservations),
            "bids": len(study.market.asked),
            "nodes_offered": len(study.market.offers),
            "site_of_node_type": dict(sorted(study.market.sites.items())),
            "not_offered": {
                one.node_type: one.nodes
                for one in traces.capacity
                if one.site is None and one.node_type not in study.market.sites
            },
        },
        "worlds": worlds(study),
        "owners": owner_totals(study),
        "users": accounts.by_site(study.market.asked, dict(study.worlds)),
    }


def worlds(study: Study) -> list[dict[str, Any]]:
    """Return one row for each world; what a bound does not tell is None."""
    rows: list[dict[str, Any]] = [
        {**asdict(one), "served_share": _share(one.served_node_hours, one.asked_node_hours)} for one in study.totals
    ]
    asked = rows[0]["asked_node_hours"]
    served = round(study.bound.node_seconds / 3600, 2)
    known = {
        "world": BOUND,
        "bids": rows[0]["bids"],
        "asked_node_hours": asked,
        "served_node_hours": served,
        "unserved_node_hours": round(asked - served, 2),
        "surplus": accounts.money(study.bound.surplus),
        "served_share": _share(served, asked),
    }
    return [*rows, {column: known.get(column) for column in rows[0]}]


def owner_totals(study: Study) -> list[dict[str, Any]]:
    """Return each owner's utilization over the whole span in every world, and what it earned."""
    found = []
    for owner in sorted({row.owner for row in study.owners}):
        line: dict[str, Any] = {"owner": owner}
        for world in (ALONE, EXCHANGE):
            rows = [row for row in study.owners if row.owner == owner and row.world == world]
            line["nodes"] = rows[0].nodes
            line[f"{world}_utilization"] = _share(
                sum(row.sold_node_hours for row in rows), sum(row.offered_node_hours for row in rows)
            )
            line[f"{world}_amount"] = round(sum(row.amount for row in rows), 2)
        found.append(line)
    return found


def write(directory: Path, told: Mapping[str, Any], study: Study, variations: Sequence[Variation]) -> None:
    """Write summary.json, worlds.csv, owners.csv, prices.csv, bids.csv and, where there are variations, sensitivity.csv.

    :raises OSError: the directory cannot be written to.
    """
    (directory / "summary.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    _write(directory / "worlds.csv", told["worlds"])
    _write(
        directory / "owners.csv",
        [{**asdict(row), "utilization": round(row.utilization, 6)} for row in study.owners],
        [*_columns(OwnerMonth), "utilization"],
    )
    _write(directory / "prices.csv", [asdict(row) for row in study.prices], _columns(PricePoint))
    _write(directory / "bids.csv", [_bid(one, study) for one in study.market.asked])
    if variations:
        _write(directory / "sensitivity.csv", [_variation(one) for one in variations])


def _bid(one: Asked, study: Study) -> dict[str, Any]:
    wish = one.reservation
    row: dict[str, Any] = {
        "bid_uuid": one.bid.uuid,
        "submitted_at": _time(wish.submitted),
        "site": wish.site,
        "project": wish.project,
        "node_type": wish.node_type,
        "nodes": wish.nodes,
        "start": _time(wish.begin),
        "end": _time(wish.end),
        "refused": int(wish.refused),
        "latest_end": _time(one.bid.end),
        "limit_price": f"{one.bid.limit / 10**6:.6f}",
        "flexible": int(one.flexible),
    }
    for world, deals in study.worlds.items():
        deal = deals.get(one.bid.uuid)
        offers = () if deal is None else deal.award.offers
        row[f"{world}_start"] = "" if deal is None else _time(deal.award.contract.begin)
        row[f"{world}_nodes"] = " ".join(
            f"{owner}/{node_type}"
            for owner, node_type in sorted({(offer.owner_project_id, str(offer.resource_class)) for offer in offers})
        )
        row[f"{world}_price"] = "" if deal is None else f"{sum(deal.prices) / len(deal.prices) / 10**6:.6f}"
    return row


def _variation(one: Variation) -> dict[str, Any]:
    row = asdict(one.totals)
    return {
        "knob": one.knob,
        "value": one.value,
        "seed": one.seed,
        **row,
        "served_share": _share(one.totals.served_node_hours, one.totals.asked_node_hours),
    }


def _write(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _columns(kind: type[OwnerMonth | PricePoint]) -> list[str]:
    return [field.name for field in fields(kind)]


def _share(part: float, whole: float) -> float:
    return round(part / whole, 6) if whole else 0.0


def _time(seconds: int) -> str:
    return time_text(to_instant(seconds))
