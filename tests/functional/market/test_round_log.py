# SPDX-License-Identifier: Apache-2.0
"""What the log says of an engine that could not do all of its work."""

from dataclasses import replace

import pytest

from flocx_market.domain import greedy
from flocx_market.domain.engine import EngineReport
from flocx_market.services.standing import StandingMarket


def engine(**report):
    """Return an engine that does what greedy does and reports something else."""

    def clear(book, now, ranking, effort):
        return replace(greedy.clear(book, now, ranking, effort), report=EngineReport(**report))

    return clear


def warnings_of_a_round(trade, caplog, **report):
    settings = trade.market.settings
    trade.market.settings = replace(settings, rules=replace(settings.rules, engine=engine(**report)))
    trade.market.standing = StandingMarket(trade.market.settings)
    trade.offer()
    trade.bid()
    assert trade.market.round().matched == 1
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ({"engine": "greedy", "reason": "no solver"}, "the round was cleared by greedy: no solver"),
        (
            {"engine": "optimal", "stopped": "time"},
            "the round was cleared by optimal: it was stopped by its limit of time",
        ),
    ],
)
def test_an_engine_that_fell_back_or_was_stopped_is_a_warning(trade, caplog, report, said):
    assert said in warnings_of_a_round(trade, caplog, **report)


def test_an_engine_that_finished_is_none(trade, caplog):
    assert warnings_of_a_round(trade, caplog, engine="optimal", bound=1) == []
