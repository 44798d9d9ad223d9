# SPDX-License-Identifier: Apache-2.0
"""The page about replaying: its options, defaults, columns and example are those of the command."""

import re
import shlex
from dataclasses import fields

import pytest

from flocx_market.cmd import simulate
from flocx_market.simulation.accounts import PricePoint, WorldTotals
from flocx_market.simulation.conversion import Knobs
from flocx_market.simulation.sensitivity import VALUES
from tests.unit.documented import SOURCE, blocks, page

PAGE = page("simulation")
PARSER = simulate._parser()


def test_every_default_in_the_table_is_that_of_the_option_and_every_knob_has_a_row():
    told = dict(re.findall(r"\* - ``--([\w-]+)``\n     - ``([^`]+)``", PAGE))
    assert set(told) == {field.name for field in fields(Knobs)}
    for name, default in told.items():
        assert str(PARSER.get_default(name)) == default, name


def test_the_command_and_the_knobs_have_the_same_defaults():
    required = ["--reservations", "r", "--capacity", "c", "--out", "o"]
    assert simulate._knobs(PARSER.parse_args(required)) == Knobs()


def test_every_option_is_told():
    for action in PARSER._actions:
        [*_, name] = action.option_strings
        assert name == "--help" or re.search(rf"{name}\b", PAGE) or name == "--format", name


def test_every_column_that_needs_words_has_them():
    assert {"elsewhere_node_hours", "surplus", "amount"} <= {field.name for field in fields(WorldTotals)}
    assert {"mean_price", "reserve_price"} <= {field.name for field in fields(PricePoint)}
    for column in ("elsewhere_node_hours", "surplus", "amount"):
        assert f"``{column}``" in PAGE


@pytest.mark.parametrize("knob", VALUES)
def test_every_knob_whose_sensitivity_is_shown_is_an_option(knob):
    assert f"--{knob}" in PARSER._option_string_actions


def test_the_first_run_prints_what_the_page_shows(tmp_path, capsys):
    [block] = [block for block in blocks(PAGE, "console") if "--capacity capacity.csv" in block]
    command, _, shown = block.partition("\n")
    words = shlex.split(command.removeprefix("$ flocx-market-simulate "))
    paths = {
        "reservations.csv": SOURCE / "examples" / "reservations.csv",
        "capacity.csv": SOURCE / "examples" / "capacity.csv",
    }
    assert (
        simulate.main(
            [str(paths.get(word, tmp_path if word == "replayed" else word)) for word in [*words, "--no-plots"]]
        )
        == 0
    )
    printed = capsys.readouterr().out
    seconds = r"[\d.]+ seconds\n"
    assert re.sub(seconds, "", printed).strip() == re.sub(seconds, "", shown + "\n").strip()
