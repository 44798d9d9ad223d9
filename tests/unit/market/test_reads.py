# SPDX-License-Identifier: Apache-2.0
"""What an expression reads, and the classes of hardware that follow from it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_common.domain.json_values import canonical_json, digest
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.domain.reads import reads_of
from flocx_market.domain.shares import SharedValues
from tests.builders import book_bid, book_offer

KEYS = ("a", "b", "offer")

# Expressions over few keys, so that they meet what is in the documents.
_PATHS = st.sampled_from(
    [*KEYS, "a.b", "b.a", "a.a.b", "@", "*", "a.*", "a[0]", "a[]", "a[*]", "a[1:]", "[a, b]", "[].a"]
)


def _grown(inner):
    one, two = inner, st.tuples(inner, inner)
    return st.one_of(
        two.map(lambda p: f"({p[0]}) | ({p[1]})"),
        two.map(lambda p: f"({p[0]}) || ({p[1]})"),
        two.map(lambda p: f"({p[0]}) && ({p[1]})"),
        two.map(lambda p: f"({p[0]})[?{p[1]}]"),
        two.map(lambda p: f"({p[0]})[?({p[1]}) == `1`]"),
        two.map(lambda p: f"({p[0]}) < ({p[1]})"),
        two.map(lambda p: f"({p[0]}) == ({p[1]})"),
        two.map(lambda p: f"({p[0]})[].[{p[1]}][]"),
        two.map(lambda p: f"{{x: {p[0]}, y: {p[1]}}}.x"),
        two.map(lambda p: f"contains({p[0]}, {p[1]})"),
        two.map(lambda p: f"not_null({p[0]}, {p[1]})"),
        two.map(lambda p: f"sort_by({p[0]}, &{p[1]})"),
        two.map(lambda p: f"map(&{p[1]}, {p[0]})"),
        one.map(lambda e: f"!({e})"),
        one.map(lambda e: f"length({e})"),
        one.map(lambda e: f"max({e})"),
        one.map(lambda e: f"sum({e}[].b)"),
        one.map(lambda e: f"type({e})"),
        one.map(lambda e: f"keys({e})"),
        one.map(lambda e: f"to_string({e})"),
        one.map(lambda e: f"starts_with({e}, 'x')"),
    )


EXPRESSIONS = st.recursive(_PATHS, _grown, max_leaves=5).map(compile_expression)
_SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, 2.5, "", "x", "xy"])
VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "", "serial"]), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from([*KEYS, "serial"]), VALUES, max_size=4)


def value(expression, document):
    return canonical_json(expression.evaluate(document))


def interned(live, documents):
    """Return the classes of documents, shown in their order, by digest."""
    classes = HardwareClasses()
    of = {digest(document): document for document in documents}
    for key in classes.unknown(live, of):
        classes.add(key, of[key])
    return classes.hardware(live)


def live(*texts, offers=()):
    return LiveExpressions(frozenset(map(compile_expression, texts)), frozenset(map(compile_expression, offers)))


@given(EXPRESSIONS, DOCUMENTS)
def test_an_expression_gives_the_same_on_what_it_reads_of_a_document(expression, document):
    assert value(expression, reads_of(expression).pruned(document)) == value(expression, document)


def numbered(item):
    """Return a value with a serial number in every mapping."""
    if isinstance(item, dict):
        return {**{key: numbered(part) for key, part in item.items()}, "serial": 1}
    return [numbered(part) for part in item] if isinstance(item, list) else item


@given(EXPRESSIONS, DOCUMENTS.flatmap(lambda one: st.tuples(st.just(one), st.just(numbered(one)) | DOCUMENTS)))
def test_documents_with_one_fingerprint_give_one_value(expression, documents):
    one, other = documents
    fingerprint = reads_of(expression).fingerprint()
    if fingerprint(one) == fingerprint(other):
        assert value(expression, one) == value(expression, other)


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("a == b", {"a": {"x": 1}, "b": {"x": 1}}, {"a": {"x": 1}, "b": {"x": 2}}),
        ("a[?b != `1`].a", {"a": [{"a": 1, "b": 1}]}, {"a": [{"a": 1, "b": 2}]}),
        ("length(a)", {"a": {"x": 1}}, {"a": {"x": 1, "y": 1}}),
        ("length(a)", {"a": [{}]}, {"a": [{}, {}]}),
        ("!a", {"a": {}}, {"a": {"x": 1}}),
        ("a[?b].c", {"a": [{"b": {}, "c": 1}]}, {"a": [{"b": {"x": 1}, "c": 1}]}),
        ("keys(a)", {"a": {"x": 1}}, {"a": {"y": 1}}),
        ("a.*", {"a": {"x": 1}}, {"a": {"x": 2}}),
        ("contains(a, b)", {"a": [{"x": 1}], "b": {"x": 1}}, {"a": [{"x": 2}], "b": {"x": 1}}),
        ("sort_by(a, &b)[0].c", {"a": [{"b": 1, "c": 1}, {"b": 2}]}, {"a": [{"b": 3, "c": 1}, {"b": 2}]}),
        ("{x: a.b}.x.c", {"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}),
        ("max(a[*].b)", {"a": [[{"b": 1}]]}, {"a": [{"b": 1}]}),
        ("a == `true`", {"a": True}, {"a": 1}),
        ("to_string(a)", {"a": 1}, {"a": 1.0}),
        ("type(a)", {"a": {}}, {"a": []}),
        ("starts_with(a, 'x')", {"a": "x"}, {"a": "y"}),
        ("@", {"a": 1}, {"b": 1}),
    ],
)
def test_what_makes_a_difference_is_read(text, one, other):
    expression = compile_expression(text)
    assert value(expression, one) != value(expression, other)
    reads = reads_of(expression)
    assert reads.fingerprint()(one) != reads.fingerprint()(other)
    for document in (one, other):
        assert value(expression, reads.pruned(document)) == value(expression, document)


@settings(max_examples=40)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=3), st.lists(DOCUMENTS, min_size=2, max_size=5))
def test_classes_are_what_live_expressions_tell_apart_no_more_and_no_less(expressions, documents):
    found = interned(LiveExpressions(frozenset(expressions)), documents)
    for one in documents:
        for other in documents:
            same = all(value(e, one) == value(e, other) for e in expressions)
            assert (found[digest(one)].digest == found[digest(other)].digest) is same
        document = found[digest(one)].document
        assert [value(e, document) for e in expressions] == [value(e, one) for e in expressions]


@settings(max_examples=40)
@given(EXPRESSIONS, st.lists(DOCUMENTS, min_size=1, max_size=4), st.sampled_from("xy"))
def test_what_spread_and_together_see_is_the_same_on_a_class(by, documents, owner):
    found = interned(LiveExpressions(of_offers=frozenset([by])), documents)
    for document in documents:
        whole = book_offer(1, document=document, owner_project_id=owner)
        classed = book_offer(1, hardware=found[digest(document)], owner_project_id=owner)
        assert SharedValues().value(by, classed) == SharedValues().value(by, whole)


@settings(max_examples=40)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=2), st.lists(DOCUMENTS, min_size=1, max_size=4), st.randoms())
def test_classes_do_not_depend_on_the_order_of_documents(expressions, documents, random):
    asked = LiveExpressions(frozenset(expressions))
    shuffled = random.sample(documents, len(documents))
    digests = lambda found: {key: hardware.digest for key, hardware in found.items()}  # noqa: E731
    assert digests(interned(asked, documents)) == digests(interned(asked, shuffled))


def machine(number, **over):
    disks = [{"size": 480, "serial": f"S{number}"}, {"size": over.pop("second", 960), "serial": f"T{number}"}]
    return {"cpus": 32, "mac": f"52:54:00:00:00:{number:02x}", "disks": disks, "rack": f"r{number % 2}"} | over


def test_serials_and_addresses_do_not_split_a_class():
    found = interned(live("cpus", "sum(disks[].size)", "length(disks)"), [machine(n) for n in range(20)])
    assert len({hardware.digest for hardware in found.values()}) == 1
    kept = next(iter(found.values())).document
    assert kept.keys() == {"cpus", "disks"}
    assert [(disk["size"], disk["serial"]) for disk in kept["disks"]] == [(480, None), (960, None)]


def test_what_a_live_expression_tells_apart_does():
    documents = [machine(1), machine(2), machine(3, second=1920)]
    assert len({h.digest for h in interned(live("sum(disks[].size)"), documents).values()}) == 2
    assert len({h.digest for h in interned(live("mac"), documents).values()}) == 3
    assert len({h.digest for h in interned(live(offers=["rack"]), documents).values()}) == 2


@pytest.mark.parametrize(("by", "classes"), [("offer.owner_project_id", 1), ("[offer.resource_class, rack]", 2)])
def test_what_only_the_offer_decides_splits_no_class(by, classes):
    found = interned(live(offers=[by]), [machine(n) for n in range(6)])
    assert len({hardware.digest for hardware in found.values()}) == classes


def test_the_values_true_and_1_are_told_apart_and_1_and_1_point_0_are_not():
    found = interned(live("a"), [{"a": 1, "n": 1}, {"a": 1.0, "n": 2}, {"a": True, "n": 3}, {"a": "1", "n": 4}])
    assert len({hardware.digest for hardware in found.values()}) == 3


def test_the_expressions_of_bids_are_their_requirements_and_rules():
    bid = book_bid(1, requirements=[["cpus", ">=", 1], ["cpus", "<", 9]], together=compile_expression("rack"))
    assert LiveExpressions.of([bid]) == live("cpus", offers=["rack"])


class TestMemory:
    """What an earlier round has learnt is used, and changes nothing."""

    def shown(self, classes, asked, documents):
        of = {digest(document): document for document in documents}
        needed = classes.unknown(asked, of)
        for key in needed:
            classes.add(key, of[key])
        return needed, {key: classes.hardware(asked)[key] for key in of}

    def test_a_document_is_asked_for_once(self):
        classes = HardwareClasses()
        documents = [machine(n) for n in range(3)]
        assert len(self.shown(classes, live("cpus", "mac"), documents)[0]) == 3
        assert self.shown(classes, live("cpus"), [*documents, machine(4)])[0] == {digest(machine(4))}

    def test_expressions_that_are_not_asked_any_more_tell_nothing_apart(self):
        classes = HardwareClasses()
        documents = [machine(n) for n in range(3)]
        self.shown(classes, live("cpus", "mac"), documents)
        _, again = self.shown(classes, live("cpus"), documents)
        assert {key: h.digest for key, h in again.items()} == {
            key: h.digest for key, h in interned(live("cpus"), documents).items()
        }

    def test_a_new_expression_needs_all_documents_again(self):
        classes = HardwareClasses()
        documents = [machine(n) for n in range(3)]
        self.shown(classes, live("cpus"), documents)
        needed, found = self.shown(classes, live("mac"), documents)
        assert len(needed) == 3
        assert len({h.digest for h in found.values()}) == 3

    def test_what_is_gone_is_forgotten_in_the_end(self, monkeypatch):
        monkeypatch.setattr("flocx_market.domain.hardware_classes._MOST_VALUES", 2)
        classes = HardwareClasses()
        self.shown(classes, live("cpus", "mac"), [machine(n) for n in range(9)])
        kept = [machine(7), machine(8, cpus=64)]
        needed, found = self.shown(classes, live("cpus"), kept)
        assert needed == {digest(kept[1])}
        assert found == interned(live("cpus", "mac"), kept) | found
        assert len(classes.hardware(live("cpus"))) == 2

    def test_too_many_expressions_are_not_all_kept_in_mind(self, monkeypatch):
        monkeypatch.setattr("flocx_market.domain.hardware_classes._MOST_EXPRESSIONS", 2)
        classes = HardwareClasses()
        self.shown(classes, live("cpus", "mac"), [machine(1)])
        self.shown(classes, live("rack"), [machine(1)])
        assert len(self.shown(classes, live("cpus"), [machine(1)])[0]) == 1
        assert len(self.shown(classes, live("rack"), [machine(1)])[0]) == 0
