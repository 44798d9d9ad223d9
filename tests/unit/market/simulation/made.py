# SPDX-License-Identifier: Apache-2.0
"""Traces made by hand: hours for times, two sites with nodes that are alike."""

from __future__ import annotations

from decimal import Decimal

from flocx_market import bootstrap
from flocx_market.simulation.conversion import Knobs
from flocx_market.simulation.study import Traces, market_of, study
from flocx_market.simulation.traces import Capacity, NodeType, Reservation

HOUR = 3600
#: Some day at 00:00 UTC.
DAY = 20_000 * 24 * HOUR

ALIKE = {
    name: NodeType(name=name, architecture="x86_64", cores=cores, memory_gb=64, gpus=0)
    for name, cores in (("small", 8), ("big", 16), ("large", 16))
}
RULES = bootstrap.rules(engine="greedy", ranking="value", pricing="reserve", k=Decimal("0.5"))
#: Nobody waits, everybody pays many times the price, and takes what has at least as much.
PLAIN = Knobs(patience=0, spread=Decimal(400), flexible=Decimal(1))


def reservation(begin=0, end=10, **over) -> Reservation:
    """One node ``big`` at north, asked for at 0 h, from ``begin`` to ``end`` hours."""
    given = {
        "submitted": DAY,
        "site": "north",
        "project": "p",
        "node_type": "big",
        "nodes": 1,
        "begin": DAY + int(begin * HOUR),
        "end": DAY + int(end * HOUR),
        "refused": False,
        "approved": False,
    }
    return Reservation(**(given | over))


def capacity(node_type="big", nodes=1, site=None, reserve=None) -> Capacity:
    return Capacity(node_type=node_type, nodes=nodes, site=site, reserve=reserve)


def traces(reservations, capacities) -> Traces:
    return Traces(reservations=reservations, capacity=capacities, node_types=ALIKE)


def studied(reservations, capacities, knobs=PLAIN, rules=RULES, begin=None, end=None):
    """The study of a trace."""
    given = traces(reservations, capacities)
    return study(given, market_of(given, knobs, begin, end), rules, knobs, lambda what, done, of: None)
