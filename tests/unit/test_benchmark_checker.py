# SPDX-License-Identifier: Apache-2.0
"""The checker of rounds: clean on what the engine makes, and no rule can be broken unnoticed."""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.errors import RequirementInvalid
from flocx_market.cmd import clear
from flocx_market.domain.requirements import parse_requirements
from tests.benchmark_scripts import FOLDER, load

check, check_rules, check_triples, markets = (
    load(name) for name in ("check", "check_rules", "check_triples", "markets")
)

NOW = "2027-01-01T00:00:00Z"
Entity = dict[str, Any]


@dataclass
class Files:
    """The files of a round, and the checker run on them."""

    directory: Path

    def path(self, name: str) -> Path:
        return self.directory / f"{name}.jsonl"

    def write(self, name: str, entities: list[Entity]) -> None:
        self.path(name).write_text("".join(json.dumps(entity) + "\n" for entity in entities))

    def read(self, name: str) -> list[Entity]:
        return [json.loads(line) for line in self.path(name).read_text().splitlines()]

    def clear(self, *more: str) -> None:
        words = ["--offers", self.path("offers"), "--bids", self.path("bids"), "--out", self.directory, "--now", NOW]
        with contextlib.redirect_stdout(io.StringIO()):
            assert clear.main([*map(str, words), *more]) == 0

    def check(self, *more: str) -> tuple[int, Entity]:
        words: list[object] = ["--now", NOW, "-f", "json", "--left-over"]
        for name in ("offers", "bids", "contracts"):
            words += [f"--{name}", self.path(name)]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = check.main([*map(str, words), *more])
        return status, json.loads(out.getvalue() or "{}")


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(tmp_path)


def with_every_rule(market) -> tuple[list[Entity], list[Entity]]:
    """Return the books of a market with what the generator leaves out."""
    dice = random.Random(1)
    offers, bids = list(market.offers()), list(market.bids())
    for offer in offers:
        if dice.random() < 0.3:
            offer["min_duration"] = 36 * 3600
        if dice.random() < 0.3:
            begin, end = offer["start_time"], offer["end_time"]
            offer["free_windows"] = [
                {"start_time": begin, "end_time": "2027-01-02T00:00:00Z"},
                {"start_time": "2027-01-03T00:00:00Z", "end_time": end},
            ]
    for bid in bids:
        if dice.random() < 0.2:
            bid["offer_uuids"] = [offer["uuid"] for offer in dice.sample(offers, len(offers) // 2)]
        if dice.random() < 0.2:
            bid["start_time"] = "2026-12-31T00:00:00Z"
    return offers, bids


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["contested", "pieces"])
@pytest.mark.parametrize("pricing", ["reserve", "k_double"])
def test_what_the_engine_makes_is_clean(files, kind, seed, pricing):
    market = markets.Market(kind, 60, 40, classes=6, seed=seed, flexible=0.5, rules=0.8, identity=seed == 2)
    offers, bids = with_every_rule(market)
    files.write("offers", offers)
    files.write("bids", bids)
    files.clear("--pricing", pricing)

    status, report = files.check("--sample", "1000")

    assert (status, report["broken"]) == (0, [])
    assert report["contracts"] > 5
    assert report["left_open_looked_at"] == report["left_open"] == 40 - report["contracts"] > 0


def made_round(files: Files) -> None:
    """Write a round of two contracts, one after the other on the same two nodes, and a bid left open."""
    files.write(
        "offers",
        [
            {
                "uuid": f"00000000-0000-4000-8000-00000000000{number}",
                "node_uuid": f"00000000-0000-4000-9000-00000000000{number}",
                "provider_uuid": "00000000-0000-4000-a000-000000000001",
                "owner_project_id": "owner",
                "properties": {"cpus": 32, "hall": hall, "number": number},
                "start_time": NOW,
                "end_time": "2027-01-09T00:00:00Z",
                "reserve_price": price,
            }
            for number, (hall, price) in enumerate([("a", "1.0"), ("a", "2.0"), ("b", "90.0")])
        ],
    )
    files.write(
        "bids",
        [
            {
                "uuid": f"00000000-0000-4000-b000-00000000000{number}",
                "project_id": "consumer",
                "quantity": quantity,
                "requirements": [["cpus", ">=", 32]],
                "start_time": begin,
                "end_time": end,
                "limit_price": "5.0",
            }
            for number, (begin, end, quantity) in enumerate(
                [
                    (NOW, "2027-01-02T00:00:01Z", 2),
                    ("2027-01-02T00:00:01Z", "2027-01-03T00:00:00Z", 2),
                    (NOW, "2027-01-03T00:00:00Z", 3),
                ]
            )
        ],
    )
    files.clear("--pricing", "k_double", "--k", "0.3333333")


Mutation = Callable[[list[Entity], list[Entity], list[Entity]], None]


def mend(entity: Entity, **changes: Any) -> None:
    entity.update(changes)


def set_offers(**changes: Any) -> Mutation:
    return lambda offers, bids, contracts: [mend(offer, **changes) for offer in offers]


def set_bids(**changes: Any) -> Mutation:
    return lambda offers, bids, contracts: [mend(bid, **changes) for bid in bids]


def set_contract(**changes: Any) -> Mutation:
    return lambda offers, bids, contracts: mend(contracts[0], **changes)


def set_allocation(**changes: Any) -> Mutation:
    return lambda offers, bids, contracts: mend(contracts[0]["allocations"][0], **changes)


def a_node_too_few(offers, bids, contracts):
    contracts[0]["allocations"].pop()


def a_node_twice(offers, bids, contracts):
    first = contracts[0]["allocations"][0]
    contracts[0]["allocations"][1] = dict(first)


def an_hour_later(offers, bids, contracts):
    for entity in (contracts[0], *contracts[0]["allocations"]):
        entity["start_time"] = "2027-01-01T01:00:00Z"


def longer_than_asked(offers, bids, contracts):
    mend(next(bid for bid in bids if bid["uuid"] == contracts[0]["bid_uuid"]), duration=3600)


def at_the_same_time(offers, bids, contracts):
    for other in ("start_time", "end_time"):
        for entity in (contracts[1], *contracts[1]["allocations"]):
            entity[other] = contracts[0][other]


def the_second_as_the_first(offers, bids, contracts):
    contracts[1]["bid_uuid"] = contracts[0]["bid_uuid"]


def the_same_uuid(offers, bids, contracts):
    contracts[1]["uuid"] = contracts[0]["uuid"]


def without_a_contract(offers, bids, contracts):
    contracts.pop()


MUTATIONS: list[tuple[str, Mutation]] = [
    ("uuid", the_same_uuid),
    ("bid", set_contract(bid_uuid="00000000-0000-4000-b000-000000000009")),
    ("bid", the_second_as_the_first),
    ("bid", set_bids(status="cancelled")),
    ("offer", set_allocation(offer_uuid="00000000-0000-4000-8000-000000000009")),
    ("offer", set_offers(status="withdrawn")),
    ("quantity", a_node_too_few),
    ("quantity", a_node_twice),
    ("quantity", set_contract(quantity=3)),
    ("names", set_contract(lessee_project_id="somebody")),
    ("names", set_allocation(node_uuid="00000000-0000-4000-9000-000000000002")),
    ("names", set_allocation(provider_uuid="00000000-0000-4000-a000-000000000002")),
    ("names", set_allocation(owner_project_id="consumer")),
    ("window", an_hour_later),
    ("window", longer_than_asked),
    ("one_window", set_allocation(end_time="2027-01-02T01:00:00Z")),
    ("free_time", set_offers(free_windows=[{"start_time": "2027-01-01T00:00:01Z", "end_time": None}])),
    ("free_time", set_offers(free_windows=[])),
    ("min_duration", set_offers(min_duration=24 * 3600 + 2)),
    ("lessee", set_offers(lessee_project_ids=["somebody"])),
    ("lessee", set_offers(owner_project_id="consumer")),
    ("offer_uuids", set_bids(offer_uuids=["00000000-0000-4000-8000-000000000000"])),
    ("requirements", set_bids(requirements=[["cpus", ">=", 32], ["number", "<", 1]])),
    ("price", set_offers(reserve_price="4.0")),
    ("price", set_bids(limit_price="2.0")),
    ("price", set_contract(price_rule="limit")),
    ("price", set_contract(price_rule="reserve")),
    ("price", set_contract(price_rule="critical")),
    ("amount", set_allocation(amount="55.993888")),
    ("total", set_contract(amount="1.000000")),
    ("mean", set_contract(clearing_price="2.833332")),
    ("spread", set_bids(spread={"by": "hall", "max": 1})),
    ("together", set_bids(together={"by": "number"})),
    ("overlap", at_the_same_time),
    ("left_over", without_a_contract),
]


@pytest.mark.parametrize(("rule", "mutate"), MUTATIONS)
def test_a_broken_rule_is_found(files, rule, mutate):
    made_round(files)
    assert files.check()[0] == 0
    entities = [files.read(name) for name in ("offers", "bids", "contracts")]
    mutate(*entities)
    for name, changed in zip(("offers", "bids", "contracts"), entities, strict=True):
        files.write(name, changed)

    status, report = files.check()

    assert status == 1
    assert rule in {re.match(r"(?:contract|bid) \S+: (\w+): ", line)[1] for line in report["broken"]}
    assert report["violations"] == len(report["broken"])


def test_contracts_too_close_for_a_turnaround_are_found(files):
    made_round(files)
    assert files.check("--turnaround", "0")[0] == 0
    status, report = files.check("--turnaround", "1")
    assert status == 1
    assert all(": turnaround: " in line for line in report["broken"])


def test_every_rule_is_broken_by_some_test():
    rules = {*check_rules.RULES, *check.OTHER_RULES, "left_over"}
    assert rules == {rule for rule, _ in MUTATIONS} | {"turnaround"}


@pytest.mark.parametrize("name", ["offers", "bids", "contracts"])
@pytest.mark.parametrize("line", ["{", "[]", '{"uuid": 3}', '{"uuid": "x", "start_time": "now", "allocations": [{}]}'])
def test_a_file_that_cannot_be_used_is_named(files, name, line, capsys):
    made_round(files)
    files.path(name).write_text(line + "\n")
    status, _ = files.check()
    assert (status, str(files.path(name)) in capsys.readouterr().err) == (2, True)


def test_the_checker_has_nothing_of_the_engine():
    for script in FOLDER.glob("check*.py"):
        assert not re.search(r"^\s*(import|from) (flocx|tests)", script.read_text(), re.MULTILINE)


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "", "1", "a", "amd64", "x86_64"])
values = scalars | st.lists(scalars, max_size=3)
documents = st.dictionaries(st.sampled_from(["a", "cpu_arch"]), values | st.dictionaries(st.just("a"), scalars))
operators = st.sampled_from(
    [None, "==", "!=", "<", "<=", ">", ">=", "eq", "ne", "startswith", "endswith", "matches", "in", "contains"]
)


@given(
    st.sampled_from(["a", "cpu_arch", "a.cpu_arch", "a.a", "length(a)", "a[0]", "a[?@ > `0`]", "a > 'a'"]),
    operators,
    st.booleans(),
    values,
    documents,
)
def test_triples_mean_to_the_checker_what_they_mean_to_the_market(expression, operator, negated, value, document):
    given_operator = ("!" if negated else operator) if operator is None else ("!" if negated else "") + operator
    triple = [expression, given_operator, value]
    try:
        (requirement,) = parse_requirements([triple])
    except RequirementInvalid:
        return
    assert check_triples.holds(triple, check_triples.evaluate(triple[0], document)) == requirement.holds(document)
