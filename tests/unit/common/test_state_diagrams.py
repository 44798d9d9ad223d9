# SPDX-License-Identifier: Apache-2.0
"""Every state machine is in the documentation, drawn and told from the table that the code decides by."""

from __future__ import annotations

import importlib
import pkgutil
import re
from xml.etree import ElementTree as ET

import pytest

import flocx_market.domain
import flocx_provider.domain
from flocx_common.domain.states import StateMachine, diagram
from tests.unit.documented import SOURCE, drawing, state_pages

_SVG = "{http://www.w3.org/2000/svg}"


def machines():
    """Return every state machine of both services."""
    found = []
    for package in (flocx_market.domain, flocx_provider.domain):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            values = vars(importlib.import_module(module.name)).values()
            found += [value for value in values if isinstance(value, StateMachine)]
    return list({id(machine): machine for machine in found}.values())


def rows(table_text):
    """Return the cells of a table by row."""
    cells = re.findall(r"^   ([* ]) - ?(.*)$", table_text, re.MULTILINE)
    made = []
    for first, cell in cells:
        if first == "*":
            made.append([])
        made[-1].append(cell.strip("`"))
    return made


def test_every_machine_has_its_place_on_the_page_of_states():
    shown = [machine for machine, _ in state_pages.MACHINES.values()]
    assert {id(machine) for machine in machines()} == {id(machine) for machine in shown}
    text = (SOURCE / "states.rst").read_text()
    for name in state_pages.MACHINES:
        assert f"_generated/states-{name}.txt" in text


@pytest.mark.parametrize("name", state_pages.MACHINES)
def test_the_tables_hold_every_change_and_what_each_status_means(name):
    machine, statuses = state_pages.MACHINES[name]
    told, changes = state_pages.page(name).split(".. list-table::")[1:]
    assert [tuple(row) for row in rows(changes)[1:]] == [tuple(map(str, change)) for change in machine]
    meanings = {row[0]: row[1] for row in rows(told)[1:]}
    assert meanings.keys() == {str(status) for status in statuses}
    assert all(meanings.values())


@pytest.mark.parametrize("name", state_pages.MACHINES)
def test_the_drawing_has_every_status_and_every_event(name):
    machine, statuses = state_pages.MACHINES[name]
    drawn = ET.fromstring(state_pages.drawing(name))
    texts = [text.text for text in drawn.iter(f"{_SVG}text")]
    assert {str(status) for status in statuses} <= set(texts)
    arrows = [path for path in drawn.iter(f"{_SVG}path") if "marker-end" in path.attrib]
    pairs = {(source, target) for source, _, target in machine}
    assert len(arrows) == len(pairs)
    labels = sorted(event for text in texts if text not in set(statuses) for event in text.split(", "))
    assert labels == sorted(event for _, event, _ in machine)


@pytest.mark.parametrize("name", state_pages.MACHINES)
def test_boxes_do_not_lie_on_each_other_or_outside(name):
    drawn = ET.fromstring(state_pages.drawing(name))
    width, height = float(drawn.get("width")), float(drawn.get("height"))
    boxes = [
        (float(box.get("x")), float(box.get("y")), float(box.get("width")), float(box.get("height")))
        for box in drawn.iter(f"{_SVG}rect")
        if box.get("rx")
    ]
    for x, y, w, h in boxes:
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
    for number, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[number + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_parallel_arrows_share_one_line_and_circles_end():
    dot = '"a" -> "b" [label="go"];\n"a" -> "b" [label="run"];\n"b" -> "a" [label="back"];\n"a" -> "a" [label="stay"];'
    assert [edge.labels for edge in drawing.edges_of(dot)] == [("go", "run"), ("back",), ("stay",)]
    assert "go, run" in drawing.svg(dot, "a circle")


def test_a_drawing_is_made_from_the_dot_text_of_the_code():
    machine, _ = state_pages.MACHINES["market-bid"]
    changed = diagram(machine).replace("reopen", "come_back")
    assert "come_back" in drawing.svg(changed, "changed")
    assert "come_back" not in state_pages.drawing("market-bid")
