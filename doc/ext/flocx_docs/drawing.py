# SPDX-License-Identifier: Apache-2.0
"""Small directed graphs as SVG: columns from left to right, no tool and no network needed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

_EDGE = re.compile(r'"([^"]+)" -> "([^"]+)" \[label="([^"]*)"\];')
_BOX_HEIGHT = 34
_ROW = 76
_LETTER = 7.4
_SWEEPS = 12
_LABEL_AT = 0.6
_HEAD = (
    '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="#555"/></marker></defs>'
)

#: A corner of an edge that passes a column between two boxes has no name of its own.
Node = str | tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow; several events between the same two boxes share it."""

    source: str
    target: str
    labels: tuple[str, ...]


def edges_of(dot: str) -> list[Edge]:
    """Return the arrows of a graph in the dot language, parallel ones as one, in order."""
    labels: dict[tuple[str, str], list[str]] = {}
    for source, target, label in _EDGE.findall(dot):
        labels.setdefault((source, target), []).append(label)
    return [Edge(source, target, tuple(found)) for (source, target), found in labels.items()]


def svg(dot: str, title: str) -> str:
    """Return the drawing of a graph in the dot language."""
    edges = edges_of(dot)
    layout = _Layout(edges)
    arrows = [_arrow(edge, layout, edges) for edge in edges]
    parts = [line for line, _ in arrows]
    parts += [label for _, label in arrows if label]
    parts += [_box(node, layout) for node in layout.boxes]
    width, height = layout.size()
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" font-family="sans-serif" font-size="13">'
    )
    return "\n".join([opening, f"<title>{escape(title)}</title>", _HEAD, *parts, "</svg>", ""])


class _Layout:
    """Where the boxes are: a column for each rank, boxes that are linked near each other."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.boxes = list(dict.fromkeys(name for edge in edges for name in (edge.source, edge.target)))
        forward = _forward(self.boxes, edges)
        ranks = _ranks(self.boxes, forward)
        self.chains = _chains(forward, ranks)
        columns: dict[int, list[Node]] = defaultdict(list)
        for name in self.boxes:
            columns[ranks[name]].append(name)
        for chain in self.chains.values():
            for step, corner in enumerate(chain[1:-1], 1):
                columns[ranks[chain[0]] + step].append(corner)
        self._columns = _ordered(columns, self.chains.values())
        self.x = self._across(edges, ranks)
        self.y = {
            node: _ROW * (position + 1 + (self._most() - len(nodes)) / 2)
            for nodes in self._columns
            for position, node in enumerate(nodes)
        }

    def size(self) -> tuple[float, float]:
        """Return the width and height of the drawing."""
        return max(self.x[name] + box_width(name) / 2 for name in self.boxes) + 20, _ROW * (self._most() + 1)

    def _most(self) -> int:
        return max(len(nodes) for nodes in self._columns)

    def _across(self, edges: Sequence[Edge], ranks: Mapping[str, int]) -> Mapping[Node, float]:
        """Leave between two columns the room that the widest label between them takes."""
        x: dict[Node, float] = {}
        left = 20.0
        for rank, nodes in enumerate(self._columns):
            width = max(box_width(node) for node in nodes if isinstance(node, str))
            for node in nodes:
                x[node] = left + width / 2
            passing = [e for e in edges if rank in (ranks[e.source], ranks[e.target]) and e.source != e.target]
            gap = max((len(", ".join(edge.labels)) * _LETTER for edge in passing), default=0)
            left += width + gap + 72
        return x


def box_width(node: Node) -> float:
    """Return how wide a box is; a corner has no width."""
    return len(node) * _LETTER + 26 if isinstance(node, str) else 0


def _forward(names: Sequence[str], edges: Sequence[Edge]) -> list[tuple[str, str]]:
    """Return the links with those that lead back turned round, so that none goes in a circle."""
    followers = defaultdict(list)
    for edge in edges:
        if edge.source != edge.target:
            followers[edge.source].append(edge.target)
    links: list[tuple[str, str]] = []
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        done.add(name)
        for follower in followers[name]:
            back = follower in above or follower == name
            link = (follower, name) if back else (name, follower)
            if link not in links:
                links.append(link)
            if not back and follower not in done:
                walk(follower, (*above, name))

    for name in names:
        if name not in done:
            walk(name, ())
    return links


def _ranks(names: Sequence[str], links: Sequence[tuple[str, str]]) -> Mapping[str, int]:
    ranks = dict.fromkeys(names, 0)
    for _ in names:
        for source, target in links:
            ranks[target] = max(ranks[target], ranks[source] + 1)
    return ranks


def _chains(links: Iterable[tuple[str, str]], ranks: Mapping[str, int]) -> dict[tuple[str, str], list[Node]]:
    """Return for each link what it passes: its ends, and a corner in each column between them."""
    return {
        (source, target): [
            source,
            *((source, target, step) for step in range(1, ranks[target] - ranks[source])),
            target,
        ]
        for source, target in links
    }


def _ordered(columns: Mapping[int, list[Node]], chains: Iterable[list[Node]]) -> list[list[Node]]:
    """Return the columns with their boxes moved towards what they are linked with."""
    ordered = [columns[rank] for rank in sorted(columns)]
    near: dict[Node, list[Node]] = defaultdict(list)
    for chain in chains:
        for left, right in pairwise(chain):
            near[left].append(right)
            near[right].append(left)
    for sweep in range(_SWEEPS):
        for nodes in ordered if sweep % 2 == 0 else reversed(ordered):
            place = {node: position - len(column) / 2 for column in ordered for position, node in enumerate(column)}
            nodes.sort(key=lambda node: sum(place[other] for other in near[node]) / max(len(near[node]), 1))
    return ordered


def _arrow(edge: Edge, layout: _Layout, edges: Sequence[Edge]) -> tuple[str, str]:
    """Return the line and the label of an arrow."""
    label = ", ".join(edge.labels)
    if edge.source == edge.target:
        x, y = layout.x[edge.source], layout.y[edge.source] - _BOX_HEIGHT / 2
        path = f"M{x - 12:.0f},{y:.0f} C{x - 22:.0f},{y - 30:.0f} {x + 22:.0f},{y - 30:.0f} {x + 12:.0f},{y:.0f}"
        return _line(path), _label(label, x, y - 24)
    back = (edge.source, edge.target) not in layout.chains
    chain = layout.chains[(edge.target, edge.source) if back else (edge.source, edge.target)]
    both = any((other.source, other.target) == (edge.target, edge.source) for other in edges)
    shift = 0 if not both else 11 if back else -11
    points = [(layout.x[node], layout.y[node] + shift) for node in chain]
    points[0] = (points[0][0] + box_width(chain[0]) / 2 + 2, points[0][1])
    points[-1] = (points[-1][0] - box_width(chain[-1]) / 2 - 2, points[-1][1])
    if back:
        points.reverse()
    path = f"M{points[0][0]:.0f},{points[0][1]:.0f}"
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        path += f" C{middle:.0f},{y0:.0f} {middle:.0f},{y1:.0f} {x1:.0f},{y1:.0f}"
    # Beside the left box, where arrows fan out, and towards their far ends, where they are apart.
    near, far = (points[-1], points[-2]) if back else (points[0], points[1])
    return _line(path), _label(label, *_between(near, far))


def _between(near: tuple[float, float], far: tuple[float, float]) -> tuple[float, float]:
    """Return a point of the curve between two points, nearer to the second."""
    t = _LABEL_AT
    ends, middle = ((1 - t) ** 3, t**3), 3 * t * (1 - t)
    across = (near[0] + far[0]) / 2
    x = near[0] * ends[0] + across * middle + far[0] * ends[1]
    y = near[1] * (ends[0] + middle * (1 - t)) + far[1] * (ends[1] + middle * t)
    return x, y


def _line(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="#555" stroke-width="1.3" marker-end="url(#head)"/>'


def _label(text: str, x: float, y: float) -> str:
    if not text:
        return ""
    width = len(text) * _LETTER * 0.92 + 6
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - 9:.0f}" width="{width:.0f}" height="17" fill="white"/>'
        f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle" font-size="12" fill="#333">{escape(text)}</text>'
    )


def _box(name: str, layout: _Layout) -> str:
    width = box_width(name)
    x, y = layout.x[name] - width / 2, layout.y[name] - _BOX_HEIGHT / 2
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{_BOX_HEIGHT}" rx="8" fill="#eef4fa" '
        f'stroke="#3b6ea5"/><text x="{layout.x[name]:.0f}" y="{layout.y[name] + 5:.0f}" text-anchor="middle">'
        f"{escape(name)}</text>"
    )
