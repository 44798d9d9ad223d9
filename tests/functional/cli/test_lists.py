# SPDX-License-Identifier: Apache-2.0
"""Lists that are longer than a page, in every format."""

from __future__ import annotations

import csv
import io
import json
from argparse import Namespace
from typing import Any

import pytest
import yaml
from cliff.formatters.table import TableFormatter
from requests.adapters import BaseAdapter

from flocx_client.osc.streams import write_table
from tests.functional.cli.shell import Ended, Stream
from tests.harness import MARKET_URL

_MANY = 120
_PAGE = 100


class _Recording(BaseAdapter):
    """Remembers how much of the output was shown when a page was asked for."""

    def __init__(self, adapter: BaseAdapter, out: _Flushed) -> None:
        super().__init__()
        self._adapter, self._out = adapter, out
        self.shown_before: list[str] = []

    def send(self, request: Any, **options: Any) -> Any:
        """Carry a request."""
        if "/v1/bids" in request.url:
            self.shown_before.append(self._out.shown)
        return self._adapter.send(request, **options)

    def close(self) -> None:
        """Do nothing."""


class _Flushed(Stream):
    """A stream of which only what was flushed is shown."""

    shown = ""

    def flush(self) -> None:
        """Show what is there."""
        self.shown = self.getvalue()


@pytest.fixture
def many(place) -> Any:
    """A market with more bids than a page holds."""
    for number in range(_MANY):
        place.bid(name=f"bid-{number:03}")
    return place


def _streamed(place, routes, words: str) -> tuple[Ended, list[str]]:
    out = _Flushed()
    recording = _Recording(place.market.adapter, out)
    routes[MARKET_URL] = recording
    ended = place.run("consumer-a", f"bid list {words} -c name --sort name", out=out)
    assert ended.status == 0, ended.err
    return ended, recording.shown_before


def test_the_first_page_is_shown_before_the_next_is_asked_for(many, routes):
    wanted = [f"bid-{number:03}" for number in range(_MANY)]
    for words in ("--all", "--all -f csv", "--all -f value", "-f json", "-f yaml"):
        ended, shown = _streamed(many, routes, words)
        assert len(shown) == 2, words
        assert [name for name in wanted if name in ended.out] == wanted, words
        assert "bid-049" in shown[1], words


def test_formats_for_programs_hold_everything_and_are_valid(many):
    wanted = [{"name": f"bid-{number:03}"} for number in range(_MANY)]
    command = "bid list -c name --sort name -f"
    assert many.done("consumer-a", f"{command} json").json == wanted
    assert json.loads(many.done("consumer-a", f"{command} json --noindent").out) == wanted
    assert yaml.safe_load(many.done("consumer-a", f"{command} yaml").out) == wanted
    assert many.done("consumer-a", f"{command} csv").csv == wanted


def test_a_table_shows_the_first_rows_and_says_that_there_are_more(many, routes):
    ended, asked = _streamed(many, routes, "")
    assert (ended.out.count("bid-"), len(asked)) == (50, 1)
    assert "The first 50 are shown, and there are more" in ended.err
    exactly, _ = _streamed(many, routes, f"--limit {_MANY}")
    assert (exactly.out.count("bid-"), exactly.err) == (_MANY, "")
    one, _ = _streamed(many, routes, "--limit 1 -f json")
    assert len(one.json) == 1
    assert "The first 1 are shown" in one.err


def test_a_table_that_comes_in_parts_is_one_table(many):
    lines = many.done("consumer-a", "bid list --all -c name -c uuid --sort name").out.splitlines()
    assert len(lines) == _MANY + 4
    assert len({len(line) for line in lines}) == 1
    assert [line.startswith("+") for line in lines].count(True) == 3
    assert lines[0] == lines[2] == lines[-1]


def test_later_parts_are_as_wide_as_the_first_and_a_wider_row_sticks_out():
    def emit(names, rows, out, options):
        TableFormatter().emit_list(names, rows, out, options)

    rows = [["wide enough"], *([str(number)] for number in range(_MANY)), ["much wider than the first part"], ["x"]]
    out = io.StringIO()
    write_table(emit, ["Name"], rows, out, Namespace(print_empty=False, max_width=0, fit_width=False))
    lines = out.getvalue().splitlines()
    assert lines[0] == lines[-1] == "+-------------+"
    assert lines[4:103] == [f"| {number:<11} |" for number in range(99)]
    assert [line.strip("| ") for line in lines[3:-1]] == [row[0] for row in rows]


def test_an_empty_list_is_empty_in_every_format(place):
    assert place.done("consumer-a", "bid list -f json").json == []
    assert yaml.safe_load(place.done("consumer-a", "bid list -f yaml").out) == []
    assert place.done("consumer-a", "bid list -f csv").csv == []
    assert place.done("consumer-a", "bid list").out.strip() == ""


def test_columns_are_chosen_by_title_or_by_field_and_more_than_the_usual_ones(place):
    place.bid(name="web", duration=3600)
    for column in ("limit_price", "Limit Price", "limit price"):
        assert place.done("consumer-a", "bid list -f value -c", column).out == "2.000000\n"
    assert place.done("consumer-a", "bid list -c duration").out.splitlines()[3] == "| 1h       |"
    unknown = place.run("consumer-a", "bid list -c colour")
    assert unknown.status == 2
    assert "-c: there is no column 'colour'; there are uuid, name" in unknown.err


def test_rows_are_sorted_here_as_the_stock_commands_do_it(place):
    for name, price in (("a", "10"), ("b", "9")):
        place.bid(name=name, limit_price=price)
    command = "bid list -f value -c name --sort-column name"
    assert place.done("consumer-a", f"{command} --sort-descending").out.split() == ["b", "a"]


def test_what_has_parts_is_json_where_a_format_has_none(place):
    place.bid(requirements=[["cpus", ">=", 32]])
    [row] = csv.DictReader(io.StringIO(place.done("consumer-a", "bid list --long -f csv").out))
    assert json.loads(row["requirements"]) == [["cpus", ">=", 32]]
    assert row["duration"] == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--limit -1", "a whole number from 0 on is expected"),
        ("--limit some", "a whole number from 0 on is expected"),
        ("--filter limit_price", "--filter: 'limit_price': <field>=<value> is expected"),
        ("--name a --filter name=b", "--filter: name is given twice"),
        ("--filter colour=red", "colour: unknown query parameter"),
        ("--sort colour", "sort: 'colour' is no key; known are uuid, name"),
        ("--status broken", "invalid choice: 'broken'"),
    ],
)
def test_a_list_cannot_be_asked_for_what_is_not_there(place, words, said):
    ended = place.run("consumer-a", f"bid list {words}")
    assert ended.status == 2
    assert said in ended.err


def test_colour_is_seen_on_a_terminal_alone(place, monkeypatch):
    place.bid()
    assert "\033[" not in place.done("consumer-a", "bid list").out
    coloured = place.done("consumer-a", "bid list", out=Stream(terminal=True)).out
    assert "\033[33mopen\033[0m" in coloured
    assert len({len(line.replace("\033[33m", "").replace("\033[0m", "")) for line in coloured.splitlines()}) == 1
    assert "\033[" not in place.done("consumer-a", "bid list -f value", out=Stream(terminal=True)).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033[" not in place.done("consumer-a", "bid list", out=Stream(terminal=True)).out
