# SPDX-License-Identifier: Apache-2.0
"""The results of a replay as pictures, each as SVG and PNG. Needs the extra ``simulate``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from flocx_market.simulation.accounts import OwnerMonth, PricePoint
from flocx_market.simulation.sensitivity import Variation
from flocx_market.simulation.study import ALONE, EXCHANGE, Study

# Okabe and Ito's palette, which colour-blind people can tell apart.
_COLOUR = {ALONE: "#E69F00", EXCHANGE: "#0072B2"}
_ELSEWHERE, _BOUND = "#56B4E9", "#009E73"
# The smaller one is drawn last, so that both are seen where they agree.
_SIZE = {ALONE: 3, EXCHANGE: 6}
_MARKER = {ALONE: "o", EXCHANGE: "s"}
_LINE = {ALONE: "--", EXCHANGE: "-"}
_NAMES = {ALONE: "every site alone", EXCHANGE: "exchange"}
_KNOBS = {
    "flexible": "share of bids that take other hardware",
    "spread": "spread of limit prices",
    "patience": "median patience, hours",
    "supply": "share of nodes on offer",
    "attempts": "which attempt counts",
    "rows": "which reservations count",
}
_CHOICES = {"attempts", "rows"}
_STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    # Names from a trace are no formulas.
    "text.parse_math": False,
    # Else each run would draw other identifiers.
    "svg.hashsalt": "flocx",
}
_MOST_TYPES, _MOST_SITES = 6, 12


def write(directory: Path, told: Mapping[str, Any], study: Study, variations: Sequence[Variation]) -> None:
    """Write served, utilization, prices and, where there are variations, sensitivity, as SVG and PNG.

    :raises OSError: the directory cannot be written to.
    """
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        _save(directory, "served", _served(told))
        _save(directory, "utilization", _utilization(study.owners))
        _save(directory, "prices", _prices(study.prices))
        if variations:
            _save(directory, "sensitivity", _sensitivity(variations))


def _save(directory: Path, name: str, figure: Figure) -> None:
    FigureCanvasAgg(figure)
    figure.savefig(directory / f"{name}.svg", metadata={"Date": None})
    figure.savefig(directory / f"{name}.png", dpi=130, metadata={"Software": None})


def _figure(title: str, width: float, height: float, rows: int, columns: int, **how: Any) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, fontsize=12, fontweight="bold")
    return figure, list(figure.subplots(rows, columns, squeeze=False, **how).flat)


def _served(told: Mapping[str, Any]) -> Figure:
    figure, (whole, users) = _figure(
        "What was served of what was asked", 11, 4.6, 1, 2, gridspec_kw={"width_ratios": [1, 1.5]}
    )
    rows = {row["world"]: row for row in told["worlds"]}
    asked = rows[ALONE]["asked_node_hours"]
    labels = []
    for place, (world, row) in enumerate(rows.items()):
        served, elsewhere = row["served_node_hours"], row["elsewhere_node_hours"] or 0
        colour = _COLOUR.get(world, _BOUND)
        whole.bar(place, served - elsewhere, 0.6, color=colour)
        if elsewhere:
            whole.bar(place, elsewhere, 0.6, bottom=served - elsewhere, color=_ELSEWHERE, label="on other sites' nodes")
        whole.text(place, served, f"{row['served_share']:.1%}", ha="center", va="bottom")
        labels.append(_NAMES.get(world, "no market\nserves more").replace(" ", "\n", 1))
    whole.axhline(asked, color="black", linewidth=1.2, linestyle="--", label="asked")
    whole.set_xticks(range(len(labels)), labels)
    whole.set_ylim(0, asked * 1.28)
    whole.set_ylabel("node-hours")
    whole.yaxis.set_major_formatter(FuncFormatter(_short))
    whole.grid(visible=False, axis="x")
    whole.legend(loc="upper left", fontsize=9)

    sites = [row for row in told["users"] if row["asked_node_hours"]]
    sites.sort(key=lambda row: (-row["asked_node_hours"], row["site"]))
    del sites[_MOST_SITES:]
    for offset, world in ((-0.2, ALONE), (0.2, EXCHANGE)):
        shares = [row[f"{world}_node_hours"] / row["asked_node_hours"] for row in sites]
        users.bar([n + offset for n in range(len(sites))], shares, 0.38, color=_COLOUR[world], label=_NAMES[world])
    users.set_xticks(
        range(len(sites)), [f"{row['site']}\n{_short(row['asked_node_hours'], 0)} asked" for row in sites], fontsize=9
    )
    users.set_ylim(0, 1.2)
    users.set_yticks([0, 0.25, 0.5, 0.75, 1])
    users.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    users.set_ylabel("served share of the node-hours\nthat the site's users asked")
    users.grid(visible=False, axis="x")
    users.legend(loc="upper right", ncols=2, fontsize=9)
    return figure


def _utilization(owners: Sequence[OwnerMonth]) -> Figure:
    nodes = {row.owner: row.nodes for row in owners}
    names = sorted(sorted(nodes, key=lambda owner: (-nodes[owner], owner))[:_MOST_SITES])
    months = sorted({row.month for row in owners})
    columns = min(3, len(names)) or 1
    rows = -(-len(names) // columns) or 1
    figure, axes = _figure(
        "Utilization of each owner's nodes, by month", 4 * columns + 0.5, 2.7 * rows + 0.9, rows, columns, sharey=True
    )
    for axis, name in zip(axes, names, strict=False):
        for world in (EXCHANGE, ALONE):
            mine = {row.month: row for row in owners if row.owner == name and row.world == world}
            axis.plot(
                range(len(months)),
                [mine[month].utilization for month in months],
                color=_COLOUR[world],
                marker=_MARKER[world],
                markersize=_SIZE[world],
                linestyle=_LINE[world],
                label=_NAMES[world],
            )
        axis.set_title(f"{name}, {nodes[name]} nodes", fontsize=10)
        every = max(1, -(-len(months) // 6))
        axis.set_xticks(range(0, len(months), every), months[::every], rotation=45, ha="right", fontsize=8)
    highest = max((row.utilization for row in owners), default=0)
    axes[0].set_ylim(0, highest * 1.08 or 1)
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    for axis in axes[len(names) :]:
        axis.set_visible(False)
    for axis in axes[: len(names) : columns]:
        axis.set_ylabel("node-hours sold\nof those offered")
    handles, labels = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _prices(points: Sequence[PricePoint]) -> Figure:
    hours: dict[str, float] = defaultdict(float)
    for point in points:
        hours[point.node_type] += point.node_hours
    types = sorted(hours, key=lambda name: (-hours[name], name))[:_MOST_TYPES]
    columns = min(3, len(types)) or 1
    rows = -(-len(types) // columns) or 1
    figure, axes = _figure(
        "What bids pay for a node-hour, as a multiple of what the asked type costs",
        4 * columns + 0.5,
        2.7 * rows + 0.9,
        rows,
        columns,
        sharex=True,
        sharey=True,
    )
    for axis, name in zip(axes, types, strict=False):
        for world in (EXCHANGE, ALONE):
            weeks = _weekly([point for point in points if point.world == world and point.node_type == name])
            axis.plot(
                list(weeks),  # type: ignore[arg-type]
                list(weeks.values()),
                color=_COLOUR[world],
                marker=_MARKER[world],
                markersize=_SIZE[world],
                linestyle=_LINE[world],
                linewidth=1.2,
                label=_NAMES[world],
            )
        axis.set_title(f"{name} asked for", fontsize=10)
        axis.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=7))  # type: ignore[no-untyped-call]
        axis.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))  # type: ignore[no-untyped-call]
        axis.tick_params(axis="x", rotation=45, labelsize=8, labelbottom=True)
    for axis in axes[len(types) :]:
        axis.set_visible(False)
    for axis in axes[: len(types) : columns]:
        axis.set_ylabel("price / reserve price\nof the asked type")
    handles, labels = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(
            handles,
            [f"{label} (weekly mean by node-hours)" for label in labels],
            loc="outside lower center",
            ncols=2,
        )
    return figure


def _weekly(points: Sequence[PricePoint]) -> dict[date, float]:
    weighed: dict[date, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for point in points:
        day = date.fromisoformat(point.day)
        tally = weighed[day - timedelta(days=day.weekday())]
        tally[0] += point.node_hours * point.mean_price / point.reserve_price if point.reserve_price else 0.0
        tally[1] += point.node_hours
    return {week: paid / size for week, (paid, size) in sorted(weighed.items())}


def _sensitivity(variations: Sequence[Variation]) -> Figure:
    knobs = list(dict.fromkeys(one.knob for one in variations))
    figure, axes = _figure("What the result depends on: one assumption changed at a time", 11, 6.4, 2, 3, sharey=True)
    for axis, knob in zip(axes, knobs, strict=True):
        values = list(dict.fromkeys(one.value for one in variations if one.knob == knob))
        for world in (ALONE, EXCHANGE):
            shares = [
                [
                    one.totals.served_node_hours / one.totals.asked_node_hours
                    for one in variations
                    if one.knob == knob and one.value == value and one.totals.world == world
                ]
                for value in values
            ]
            middle, least, most = ([pick(share) for share in shares] for pick in (_mean, min, max))
            look: dict[str, Any] = {
                "color": _COLOUR[world],
                "marker": _MARKER[world],
                "markersize": 4,
                "label": _NAMES[world],
            }
            if knob in _CHOICES:
                # Between two choices there is nothing that a line could show.
                places = [place + (-0.06 if world == ALONE else 0.06) for place in range(len(values))]
                axis.vlines(places, least, most, color=_COLOUR[world], alpha=0.4, linewidth=5)
                axis.plot(places, middle, linestyle="", **look)
            else:
                axis.fill_between(range(len(values)), least, most, color=_COLOUR[world], alpha=0.2)
                axis.plot(range(len(values)), middle, linestyle=_LINE[world], **look)
        axis.set_xticks(range(len(values)), values)
        axis.set_xlim(-0.4, len(values) - 0.6)
        axis.set_xlabel(_KNOBS[knob])
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.set_ylim(0, 1.02)
    for axis in axes[::3]:
        axis.set_ylabel("node-hours served\nof those asked")
    handles, labels = axes[0].get_legend_handles_labels()
    seeds = len({one.seed for one in variations})
    figure.legend(
        handles,
        [f"{label} (mean; band: least and most of {seeds} seeds)" for label in labels],
        loc="outside lower center",
        ncols=2,
    )
    return figure


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares)


def _short(value: float, _position: int) -> str:
    """Return a number as people read it on an axis."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
