# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the clearing engine: it runs, says what it missed, and trusts no round unchecked."""

from __future__ import annotations

import json

import pytest

from tests.benchmark_scripts import load

clearing, books, sections, targets, markets = (
    load(name) for name in ("clearing", "clearing_books", "clearing_sections", "clearing_targets", "markets")
)


class Canned(sections.Bench):
    """Sections over results that are given, by task, and not measured."""

    def __init__(self, **results) -> None:
        super().__init__(library=None, scratch=None, seeds=(5,))
        self._results = results

    def books(self, shape, seed):
        return shape

    def measure(self, task, books, runs=None, **options):
        return [dict(self._results[task], **options)]


CLEAR = {
    "seconds": 1.0,
    "megabytes": 100.0,
    "megabytes_book": 50.0,
    "evaluations": 500,
    "triples": 10,
    "contracts": 7,
}


def test_sections_run_from_the_command_line_and_leave_their_figures_as_json(tmp_path, capsys):
    status = clearing.main(
        ["late", "pricing", "--shrink", "500", "--runs", "1", "--sample", "5", "--json", str(tmp_path / "figures.json")]
    )
    told = json.loads((tmp_path / "figures.json").read_text())
    assert status == 0
    assert {figure["section"] for figure in told["figures"]} == {"late", "pricing"}
    assert all(figure["value"] is not None and figure["met"] is None for figure in told["figures"])
    assert "late bid" in capsys.readouterr().out


def test_books_of_a_folder_are_taken_and_a_missing_one_is_named(tmp_path):
    shape = books.Shape("pieces", 20, 30, 5, flexible=0.5)
    library = books.Library(tmp_path, None, None)
    with pytest.raises(SystemExit, match=r"pieces-20x30-7-classes5-flexible0\.5 has no offers\.jsonl"):
        library.books(shape, 7)
    markets.write(markets.Market("pieces", 20, 30), tmp_path / shape.folder(7))
    assert library.books(shape, 7).directory == tmp_path / shape.folder(7)


def test_the_same_seed_makes_the_same_books_and_another_seed_others(tmp_path):
    made = []
    for place, seed in enumerate([5, 5, 6]):
        markets.write(markets.Market("loose", 20, 30, seed=seed, rules=0.5, identity=True), tmp_path / str(place))
        made.append([path.read_bytes() for path in sorted((tmp_path / str(place)).iterdir())])
    assert made[0] == made[1] != made[2]


def test_a_round_that_breaks_a_rule_ends_the_benchmark(tmp_path):
    markets.write(markets.Market("pieces", 20, 30), tmp_path / "books")
    bench = sections.Bench(library=None, scratch=tmp_path)
    contracts = tmp_path / "contracts.jsonl"
    contracts.write_text("")
    with pytest.raises(SystemExit, match="left_over: "):
        bench._check(books.Books(tmp_path / "books"), contracts)


def figures(section, **results) -> dict[str, object]:
    return {figure.what: figure for figure in section(Canned(**results))}


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("seconds", 2.001, "clear"),
        ("megabytes", 150.1, "memory"),
        ("evaluations", 5001, "evaluations per (triple, class)"),
        ("microseconds_intern", 100.1, "interning a document"),
    ],
)
def test_a_figure_beyond_its_target_is_called_missed(field, value, what):
    interning = {"microseconds_intern": 99.0, "microseconds_parse": 20.0, "classes": 50}
    met = figures(sections.scale, clear=CLEAR, intern=interning)
    assert all(figure.met for figure in met.values())
    missed = figures(sections.scale, clear=CLEAR | {field: value}, intern=interning | {field: value})
    assert missed[what].met is False


@pytest.mark.parametrize(
    ("microseconds", "clear", "met"), [(900.0, 0.1, True), (1100.0, 1.2, True), (1100.0, 1.0, False)]
)
def test_a_late_bid_is_quick_by_itself_or_against_a_clear(microseconds, clear, met):
    measured = {"seconds": clear, "late": {"open": {"bids": 3, "microseconds": microseconds, "most": 2000.0}}}
    measured["late"]["open"]["microseconds_explain"] = 5.0
    assert figures(sections.late, late=measured)["late bid, open"].met is met


def test_quality_is_a_share_of_the_bound_where_there_is_one(monkeypatch):
    unit = 1_000_000 * 3600
    cleared = {"seconds": 1.0, "surplus": 90 * unit, "bound": None}
    bench = Canned(clear=cleared)
    bench.library = type("Library", (), {"bound": lambda self, books: 100.0})()
    (contested, *_) = (figure for figure in sections.quality(bench) if figure.what == "greedy, value")
    assert (contested.value, contested.met) == (90.0, False)

    bench.library = type("Library", (), {"bound": lambda self, books: None})()
    assert next(sections.quality(bench)).value is None


def test_critical_is_held_against_its_target_by_placements(monkeypatch):
    monkeypatch.setattr(sections, "installed", lambda group: ["critical", "reserve"])
    priced = {"contracts": 10, "seconds": 1.0, "seconds_price": 9.0, "placements": 20, "placements_price": 60}
    found = figures(sections.pricing, price=priced)
    assert found["critical, clears per contract"].value == pytest.approx(0.3)
    assert found["critical, clears per contract"].met is True
    assert found["reserve, clears per contract"].met is None


def test_what_was_not_timed_of_the_explanations_counts_as_well():
    measured = {
        "seconds": 1.0,
        "seconds_explain": 0.01,
        "explained": 10,
        "left_open": 100,
        "seconds_explain_none": 0.01,
        "explained_none": 10,
        "bids": 1000,
    }
    found = figures(sections.explanation, explanation=measured)
    assert [(figure.value, figure.met) for figure in found.values()] == [(1.0, True), (10.0, False)]
