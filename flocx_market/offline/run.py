# SPDX-License-Identifier: Apache-2.0
"""One round over books from files, with everything it decides written down."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flocx_common.domain.money import from_micros, price_text, total
from flocx_market.api import views
from flocx_market.domain.book import Book, to_seconds
from flocx_market.domain.capacity import capacity
from flocx_market.domain.clearing import Rules, clear, price_round
from flocx_market.domain.engine import Cleared
from flocx_market.domain.explanation import as_json, explain
from flocx_market.domain.formation import form_contract
from flocx_market.domain.hardware_classes import LiveExpressions
from flocx_market.domain.stock import Stock
from flocx_market.offline.books import read_bids, read_offers, read_questions
from flocx_market.offline.results import together

#: Called now and then with (what is being done, how many are done, how many there are).
Progress = Callable[[str, int, int], None]


@dataclass
class Summary:
    """What a round came to."""

    counts: dict[str, int] = field(default_factory=dict)
    surplus: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    report: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self, about: Mapping[str, str]) -> dict[str, Any]:
        """Return it as JSON, beginning with what the round was run with."""
        return {
            **about,
            **self.counts,
            "surplus": price_text(self.surplus),
            "amount": price_text(self.amount),
            **self.report,
            "seconds": {stage: round(value, 3) for stage, value in self.seconds.items()},
        }


def clear_books(
    offers: Path,
    bids: Path,
    now: datetime,
    rules: Rules,
    out: Path,
    progress: Progress,
    *,
    questions: Path | None = None,
    turnaround: int = 0,
) -> Summary:
    """Clear the books at ``now`` (a whole second) and write contracts.jsonl and explanations.jsonl into ``out``.

    :param questions: a book of questions, whose answers go to capacity.jsonl. They
        are asked of what is free before the round, as the market answers them.
    :param turnaround: seconds that every node needs between two contracts.
    :raises BooksInvalid: a book cannot be used; nothing is written.
    :raises OSError: ``out`` cannot be written to; what is there stays as it is.
    """
    summary = Summary()
    with _timed(summary, "read"):
        wanted = read_bids(bids)
        asked = None if questions is None else read_questions(questions)
        live = LiveExpressions.of([*wanted, *(question for question, _ in asked or ())])
        book = Book(offers=read_offers(offers, turnaround, live=live), bids=wanted)
    with _timed(summary, "clear"):
        cleared = clear(book, to_seconds(now), rules)
    with _timed(summary, "price"):
        deals = price_round(book, cleared, to_seconds(now), rules).deals
        contracts = [form_contract(deal, now) for deal in deals]
    with together(out) as directory:
        with _timed(summary, "write"), (directory / "contracts.jsonl").open("w", encoding="utf-8") as file:
            for contract in contracts:
                file.write(json.dumps(views.contract(contract, {}, None)) + "\n")
        with _timed(summary, "explain"), (directory / "explanations.jsonl").open("w", encoding="utf-8") as file:
            for number, bid in enumerate(cleared.left, 1):
                explanation = explain(cleared.stock, bid, to_seconds(now))
                file.write(json.dumps(as_json(explanation)) + "\n")
                progress("explaining what is left open", number, len(cleared.left))
        if asked is not None:
            with _timed(summary, "capacity"), (directory / "capacity.jsonl").open("w", encoding="utf-8") as file:
                stock = Stock(book.offers)
                for question, most_steps in asked:
                    found = capacity(stock, question, to_seconds(now), most_steps=most_steps)
                    file.write(json.dumps(views.capacity(question, found, None)) + "\n")
    summary.counts = {
        "offers": len(book.offers),
        "bids": len(book.bids),
        "contracts": len(contracts),
        "nodes": sum(len(contract.allocations) for contract in contracts),
        "left_open": len(cleared.left),
        "evaluations": cleared.evaluations,
    }
    summary.surplus = from_micros(round(Decimal(sum(deal.award.surplus for deal in deals)) / 3600))
    summary.amount = total(contract.amount for contract in contracts)
    summary.report = _reported(cleared)
    return summary


def _reported(cleared: Cleared) -> dict[str, Any]:
    """Return what the engine says of its result; ``gap`` is the share of the bound that may be missing. What it does not say is left out."""
    report, bound = cleared.report, cleared.report.bound
    told = {
        "cleared_by": report.engine,
        "bound": None if bound is None else price_text(from_micros(-(-bound // 3600))),
        "gap": None if bound is None else round((bound - cleared.surplus) / max(bound, 1), 6),
        "stopped": report.stopped,
        "reason": report.reason,
        "work": report.work or None,
    }
    return {name: value for name, value in told.items() if value is not None}


@contextmanager
def _timed(summary: Summary, stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    summary.seconds[stage] = summary.seconds.get(stage, 0.0) + time.perf_counter() - began
