# SPDX-License-Identifier: Apache-2.0
"""flocx-market-simulate on the example of the documentation: files that agree, the same every time; clear refusals."""

import contextlib
import csv
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from flocx_market.cmd import simulate
from flocx_market.cmd.progress_bar import ProgressBar
from tests.data import CHECKOUT, published

EXAMPLES = CHECKOUT / "doc" / "source" / "examples"
TABLES = {"summary.json", "worlds.csv", "owners.csv", "prices.csv", "bids.csv"}
PLOTS = {f"{name}.{kind}" for name in ("served", "utilization", "prices") for kind in ("svg", "png")}


@dataclass(frozen=True)
class Outcome:
    status: int
    output: str
    errors: str
    out: Path

    @property
    def files(self):
        return {path.name: path.read_bytes() for path in self.out.glob("*")}

    def table(self, name):
        return list(csv.DictReader((self.out / name).read_text().splitlines()))


def arguments(out, reservations=EXAMPLES / "reservations.csv", capacity=EXAMPLES / "capacity.csv"):
    return ["--reservations", str(reservations), "--capacity", str(capacity), "--out", str(out)]


def run(out, *more, **files):
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = simulate.main([*arguments(out, **files), *more])
        except SystemExit as stop:
            status = stop.code
    return Outcome(int(status or 0), output.getvalue(), errors.getvalue(), out)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run(tmp_path_factory.mktemp("out") / "one", "--flexible", "1", "--sensitivity", "--seeds", "1", "-f", "json")


def test_all_results_are_there_and_nothing_else(done):
    assert done.status == 0, done.errors
    assert set(done.files) == TABLES | PLOTS | {"sensitivity.csv", "sensitivity.svg", "sensitivity.png"}
    assert done.errors == ""


def test_what_is_printed_is_the_summary_file_and_how_long_it_took(done):
    printed = json.loads(done.output)
    assert printed.pop("seconds") >= 0
    assert printed == json.loads(done.files["summary.json"])
    assert printed["conversion"]["flexible"] == "1"
    assert printed["conversion"]["patience_hours"] == "16"
    assert printed["rules"] == {"engine": "greedy", "ranking": "value", "pricing": "critical", "k": "0.5"}
    assert printed["trace"]["site_of_node_type"] == {"c6220": "south", "d430": "north", "m400": "north"}


def test_the_tables_agree_with_each_other(done):
    worlds = {row["world"]: row for row in done.table("worlds.csv")}
    told = {row["world"]: row for row in json.loads(done.files["summary.json"])["worlds"]}
    assert list(worlds) == list(told) == ["alone", "exchange", "bound"]
    bids = done.table("bids.csv")
    for world in ("alone", "exchange"):
        assert float(worlds[world]["served_node_hours"]) == told[world]["served_node_hours"]
        assert int(worlds[world]["served_bids"]) == sum(bool(row[f"{world}_start"]) for row in bids)
        earned = sum(float(row["amount"]) for row in done.table("owners.csv") if row["world"] == world)
        made = sum(int(row["contracts"]) for row in done.table("prices.csv") if row["world"] == world)
        assert made == int(worlds[world]["served_bids"])
        # The last contract ends a day after the last bid came.
        assert 0 < earned < float(worlds[world]["amount"])
    served = [float(worlds[world]["served_node_hours"]) for world in worlds]
    assert served == sorted(served)
    assert served[0] < served[1]
    assert worlds["bound"]["served_bids"] == ""


def test_sensitivity_has_each_value_of_each_knob_and_the_study_itself(done):
    rows = done.table("sensitivity.csv")
    study = {row["world"]: row for row in done.table("worlds.csv")}
    assert {row["knob"] for row in rows} == {"flexible", "spread", "patience", "supply", "attempts", "rows"}
    same = [row for row in rows if (row["knob"], row["value"], row["world"]) == ("flexible", "1", "exchange")]
    assert [row["served_node_hours"] for row in same] == [study["exchange"]["served_node_hours"]]
    poor = [row for row in rows if (row["knob"], row["value"]) == ("flexible", "0")]
    assert poor[0]["served_node_hours"] == poor[1]["served_node_hours"] == study["alone"]["served_node_hours"]


def test_plots_are_pictures_whose_axes_are_labelled(done):
    for name in PLOTS:
        if name.endswith(".png"):
            assert done.files[name].startswith(b"\x89PNG")
        else:
            assert ET.fromstring(done.files[name]).tag.endswith("svg")
    assert b"node-hours" in done.files["served.svg"]


def test_the_same_files_and_seed_give_the_same_results_byte_for_byte(tmp_path):
    first, second = run(tmp_path / "one"), run(tmp_path / "two")
    assert first.files == second.files
    assert set(first.files) == TABLES | PLOTS
    other = run(tmp_path / "three", "--seed", "2", "--no-plots")
    assert set(other.files) == TABLES
    assert other.files["bids.csv"] != first.files["bids.csv"]


def test_the_text_has_a_line_for_each_world_and_each_owner(tmp_path):
    lines = run(tmp_path / "out", "--no-plots").output.splitlines()
    assert [line.split()[0] for line in lines if line and line[0] in "aebns" and "node-hours" not in line] == [
        "alone", "exchange", "bound", "north", "south"
    ]  # fmt: skip


def test_only_what_was_submitted_in_the_simulated_time_counts(tmp_path):
    done = run(tmp_path / "out", "--no-plots", "--from", "2027-01-05", "--until", "2027-01-07", "-f", "json")
    told = json.loads(done.output)
    assert told["span"] == {"from": "2027-01-05T00:00:00Z", "until": "2027-01-07T00:00:00Z"}
    assert told["worlds"][0]["bids"] == 3


def test_where_nobody_offers_anything_nobody_is_served(tmp_path):
    (tmp_path / "capacity.csv").write_text("node_type,nodes\nradio,3\n")
    done = run(tmp_path / "out", "-f", "json", capacity=tmp_path / "capacity.csv")
    assert done.status == 0, done.errors
    assert [row["served_node_hours"] for row in json.loads(done.output)["worlds"]] == [0, 0, 0]
    assert json.loads(done.output)["trace"]["not_offered"] == {"radio": 3}
    assert done.table("owners.csv") == done.table("prices.csv") == []
    assert set(done.files) == TABLES | PLOTS


def test_a_site_may_have_any_name_and_there_may_be_many(tmp_path):
    lines = (EXAMPLES / "reservations.csv").read_text().splitlines()
    more = [
        line.replace("north", f"$\\frac{number}").replace("d430", f"t{number}")
        for number in range(30)
        for line in lines[1:3]
    ]
    (tmp_path / "r.csv").write_text("\n".join([*lines, *more]) + "\n")
    types = [f"t{number},2" for number in range(30)]
    (tmp_path / "c.csv").write_text("\n".join(["node_type,nodes", *types]) + "\n")
    done = run(tmp_path / "out", reservations=tmp_path / "r.csv", capacity=tmp_path / "c.csv")
    assert done.status == 0, done.errors
    assert len({row["owner"] for row in done.table("owners.csv")}) == 30


def test_what_leaves_no_bid_is_no_part_of_the_sensitivity(tmp_path):
    # Nothing that comes this late was approved.
    done = run(tmp_path / "out", "--no-plots", "--sensitivity", "--seeds", "1", "--from", "2027-01-08")
    assert done.status == 0, done.errors
    assert {row["value"] for row in done.table("sensitivity.csv") if row["knob"] == "rows"} == {"all", "not-refused"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("d430,3,", "d430,three,", "line 2: nodes: a whole number from 0 to 1000000 is expected, not 'three'"),
        ("2027-01-04 09:00:00", "soon", "line 2: start: a time such as 2018-03-01 12:00:00 is expected, not 'soon'"),
        ("refused", "turned_down", "line 1: refused: the column is missing"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_nothing_is_written(tmp_path, old, new, said):
    bad = tmp_path / "bad.csv"
    bad.write_text((EXAMPLES / "reservations.csv").read_text().replace(old, new, 1))
    outcome = run(tmp_path / "out", reservations=bad)
    assert (outcome.status, outcome.out.exists()) == (2, False)
    assert f"{bad}: {said}" in outcome.errors
    assert outcome.errors.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--flexible", "1.5"], "--flexible: 1.5: a number from 0 to 1 is expected"),
        (["--patience", "nan"], "--patience: nan: a number from 0 to 100000 is expected"),
        (["--seed", "-1"], "--seed: -1: a whole number from 0 to 1000000000 is expected"),
        (["--gather", "1" * 5000], "a whole number from 0 to"),
        (["--from", "spring"], "--from: a time such as"),
        (["--ranking", "beauty"], "--ranking: 'beauty' is not known; known are"),
        (["--from", "2030-01-01"], "--reservations: none in the simulated time"),
        (["--capacity", "nowhere.csv"], "nowhere.csv: No such file"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(tmp_path, given, said):
    outcome = run(tmp_path / "out", "--no-plots", *given)
    assert (outcome.status, outcome.out.exists()) == (2, False)
    assert said in outcome.errors


def test_a_directory_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("here")
    outcome = run(tmp_path / "file", "--no-plots")
    assert outcome.status == 2
    assert f"--out: {tmp_path / 'file'}: File exists" in outcome.errors


def test_without_the_library_for_plots_one_line_names_the_extra_and_the_way_around(tmp_path):
    code = "import sys; sys.modules['matplotlib'] = None; from flocx_market.cmd import simulate; simulate.main()"

    def without(*more):
        command = [sys.executable, "-c", code, *arguments(tmp_path / "out"), *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    told = without()
    assert told.returncode == 1
    assert "pip install 'flocx[simulate]'; or leave them out with --no-plots" in told.stderr
    assert told.stderr.count("\n") == 1
    assert without("--no-plots").returncode == 0


def test_the_headline_of_the_readme_is_what_its_command_says_of_a_year(tmp_path):
    traces = {name: published(f"cloudlab/{name}.csv") for name in ("reservations", "capacity")}
    done = run(tmp_path / "out", "--no-plots", "-f", "json", **traces)
    assert done.status == 0, done.errors
    told = json.loads(done.output)
    alone, exchange, bound = told["worlds"]
    readme = " ".join((CHECKOUT / "README.rst").read_text().split())
    for words in (
        f"{alone['asked_node_hours'] / 1e6:.1f} million node-hours in {alone['bids']} bids",
        f"alone turns away {alone['bids'] - alone['served_bids']} of them",
        f"serves {alone['served_share']:.1%}".replace("%", " %"),
        f"with an exchange {exchange['bids'] - exchange['served_bids']} are turned away",
        f"and {exchange['served_share']:.1%} served".replace("%", " %"),
        f"more than {bound['served_share']:.1%}".replace("%", " %"),
    ):
        assert words in readme
    page = " ".join((CHECKOUT / "doc" / "source" / "simulation.rst").read_text().split())
    for world in told["worlds"]:
        assert f"- {world['served_node_hours']:,.0f}" in page
        assert f"- {world['surplus']:,.0f}" in page


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_how_far_it_is_and_a_file_does_not():
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        bar = ProgressBar(stream)
        for done in (0, 1, 1, 2):
            bar("the exchange", done, 2)
    assert terminal.getvalue() == (
        "\rthe exchange      [..............................]   0 %"
        "\rthe exchange      [###############...............]  50 %"
        "\rthe exchange      [##############################] 100 %\n"
    )
    assert file.getvalue() == ""
