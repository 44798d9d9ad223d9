# SPDX-License-Identifier: Apache-2.0
import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from flocx_client import entity
from flocx_client.entity import Entity


class Part(Entity):
    word = entity.text()


class Thing(Entity):
    word = entity.text()
    words = entity.texts()
    maybe_word = entity.optional_text()
    maybe_words = entity.optional_texts()
    number = entity.count()
    maybe_number = entity.optional_count()
    switch = entity.flag()
    cost = entity.price()
    moment = entity.instant()
    maybe_moment = entity.optional_instant()
    papers = entity.document()
    maybe_papers = entity.optional_document()
    inner = entity.part(Part)
    inners = entity.parts(Part)


@pytest.mark.parametrize(
    ("name", "told", "read"),
    [
        ("word", "a", "a"),
        ("words", ["a", "b"], ["a", "b"]),
        ("maybe_word", "a", "a"),
        ("maybe_words", ["a"], ["a"]),
        ("number", 3, 3),
        ("maybe_number", 0, 0),
        ("switch", False, False),
        ("cost", "0.100000", Decimal("0.100000")),
        ("moment", "2027-01-01T12:00:00Z", datetime(2027, 1, 1, 12, tzinfo=UTC)),
        ("moment", "2027-01-01T12:00:00+01:00", datetime(2027, 1, 1, 11, tzinfo=UTC)),
        ("maybe_moment", "2027-01-01T12:00:00Z", datetime(2027, 1, 1, 12, tzinfo=UTC)),
        ("papers", {"cpus": {"count": 2}}, {"cpus": {"count": 2}}),
        ("maybe_papers", {}, {}),
        ("inner", {"word": "a"}, Part(word="a")),
        ("inners", [{"word": "a"}, {"word": "b"}], [Part(word="a"), Part(word="b")]),
        *[(f"maybe_{name}", None, None) for name in ("word", "words", "number", "moment", "papers")],
    ],
)
def test_an_attribute_is_what_its_key_stands_for_and_the_key_stays_json(name, told, read):
    thing = Thing({name: told})
    value = getattr(thing, name)
    assert value == read
    assert type(value) is type(read)
    assert thing[name] is told


def test_a_price_is_exact():
    assert Thing(cost="0.100000").cost * 3 == Decimal("0.300000")


def test_instants_are_utc_so_that_they_compare_with_any_aware_one():
    assert Thing(moment="2027-01-01T12:00:00+01:00").moment.tzinfo is UTC


def test_the_parts_of_a_thing_have_attributes_of_their_own():
    thing = Thing(inner={"word": "a"}, inners=[{"word": "b"}])
    assert (thing.inner.word, thing.inners[0].word) == ("a", "b")


def test_what_an_older_service_does_not_tell_is_no_attribute_and_the_error_says_so():
    with pytest.raises(AttributeError, match=r"the service told no number of this Thing"):
        Thing(word="a").number  # noqa: B018 - reading it is the test
    assert not hasattr(Thing(), "word")
    assert getattr(Thing(), "word", "else") == "else"


def test_what_a_newer_service_adds_is_there_by_its_key():
    assert Thing(colour="red")["colour"] == "red"


def test_setting_an_attribute_is_refused_as_it_would_change_nothing_at_the_service():
    thing = Thing(word="a")
    with pytest.raises(AttributeError, match="changes by a call"):
        thing.word = "b"
    assert thing == {"word": "a"}


def test_a_thing_is_a_dictionary_for_whatever_takes_one():
    thing = Thing(uuid="u", word="a")
    assert thing.id == "u"
    assert json.loads(json.dumps(thing)) == {"uuid": "u", "word": "a"}
    plain = thing.to_dict()
    assert type(plain) is dict
    assert plain == thing
    assert repr(thing) == "Thing({'uuid': 'u', 'word': 'a'})"


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_copy_is_the_same_thing(again):
    thing = Part(word="a")
    assert type(again(thing)) is Part
    assert again(thing) == thing
