# SPDX-License-Identifier: Apache-2.0
"""What an expression can look at in a document.

A hardware document has hundreds of values, an expression reads a few of them.
Two documents that agree in these give it the same value, whatever serial
numbers and addresses they have besides. What is read is found from the
expression's syntax tree alone, never too little and sometimes too much.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable

from flocx_common.domain.json_values import JSON
from flocx_market.domain.expressions import SHALLOW_FUNCTIONS, Expression, Node

#: Gives equal values for documents that agree in what is read.
Fingerprint = Callable[[JSON], Hashable]

# Looking up a key that holds null and one that is missing is the same, so this
# keeps a mapping from becoming empty, which JMESPath counts as false.
_FILLER: dict[str, JSON] = {"": None}

# Lists built of lists have twice as many places with each step, up to as many as a stranger likes.
_MOST_PLACES = 64

_text_of = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Reads:
    """What is looked at from one place of a document down.

    The place of a list is that of its elements too. ``whole``: everything.
    ``counted``: a mapping there is asked how many keys it has. ``keys``: the
    keys that are looked up. Scalars, lengths of lists, and whether a mapping is
    empty always count as looked at.
    """

    __slots__ = ("counted", "keys", "whole")

    def __init__(self) -> None:
        self.whole = False
        self.counted = False
        self.keys: dict[str, Reads] = {}

    def add(self, expression: Expression) -> None:
        """Take in what an expression looks at in a document that lies at this place."""
        for place in _walk(expression.tree, [self]):
            place.whole = True

    def without(self, key: str) -> Reads:
        """Return the same without what is looked at under ``key``."""
        rest = Reads()
        rest.whole, rest.counted = self.whole, self.counted
        rest.keys = {name: reads for name, reads in self.keys.items() if name != key}
        return rest

    def under(self, name: str) -> Reads:
        """Return the place of a key."""
        return self.keys.setdefault(name, Reads())

    def pruned(self, value: JSON) -> JSON:
        """Return a document with what is looked at, in which the expressions give what they give on ``value``."""
        if self.whole:
            return value
        if isinstance(value, list):
            return [self.pruned(item) for item in value]
        if not isinstance(value, dict):
            return value
        kept: dict[str, JSON] = dict.fromkeys(value) if self.counted else {}
        for name, reads in self.keys.items():
            if name in value:
                kept[name] = reads.pruned(value[name])
        return kept or dict(_FILLER if value else {})

    def fingerprint(self) -> Fingerprint:
        """Return a function whose values are equal only for documents that agree in what is looked at."""
        if self.whole:
            return _whole
        counted = self.counted
        inner = [(name, reads.fingerprint()) for name, reads in sorted(self.keys.items())]

        def take(value: JSON) -> Hashable:
            kind = type(value)
            if kind is dict:
                get = value.get  # type: ignore[union-attr]
                parts: list[Hashable] = [fingerprint(get(name)) for name, fingerprint in inner]
                parts.append(len(value) if counted else not value)  # type: ignore[arg-type]
                return tuple(parts)
            if kind is list:
                return ("[", *map(take, value))  # type: ignore[arg-type]
            return _scalar(value)

        return take


def reads_of(expression: Expression) -> Reads:
    """Return what an expression looks at."""
    reads = Reads()
    reads.add(expression)
    return reads


def _scalar(value: JSON) -> Hashable:
    # Of numbers, what is equal may still be written differently: 1, 1.0 and true.
    return value if value is None or type(value) in (int, str) else ("=", repr(value))  # type: ignore[return-value]


def _whole(value: JSON) -> Hashable:
    return ("{", _text_of(value)) if isinstance(value, list | dict) else _scalar(value)


def _walk(node: Node, places: list[Reads]) -> list[Reads]:
    """Note what a node of a syntax tree looks at from ``places``; return where what it gives lies.

    What it builds anew out of scalars that are looked at lies nowhere.
    """
    kind, children = node["type"], node.get("children", [])
    match kind:
        case "field":
            return [place.under(node["value"]) for place in places]
        case "identity" | "current" | "index" | "slice":
            return places
        case "literal":
            return []
        case "subexpression" | "pipe" | "index_expression" | "projection":
            for child in children:
                places = _walk(child, places)
            return places
        case "flatten":
            return _walk(children[0], places)
        case "filter_projection":
            elements = _walk(children[0], places)
            _walk(children[2], elements)
            return _walk(children[1], elements)
        case "or_expression" | "and_expression" | "multi_select_list":
            return _few(place for child in children for place in _walk(child, places))
        case "not_expression":
            _walk(children[0], places)
            return []
        case "comparator":
            for child in children:
                _mark(_walk(child, places), whole=node["value"] in ("eq", "ne"))
            return []
        case "function_expression" if node["value"] in SHALLOW_FUNCTIONS:
            for child in children:
                _mark(_walk(child, places), counted=node["value"] == "length")
            return []
        case "value_projection":
            _mark(_walk(children[0], places), whole=True)
            return []
        case "function_expression" | "multi_select_dict":
            # Other functions may look at everything they get. What an expref
            # is applied to is an argument, too, and so marked already.
            for child in children:
                if child["type"] != "expref":
                    _mark(_walk(child["children"][0] if child["type"] == "key_val_pair" else child, places), whole=True)
            return []
        case _:
            _mark(places, whole=True)
            return []


def _few(places: Iterable[Reads]) -> list[Reads]:
    """Return places, each once; or none, where there are so many that all that lies there counts as looked at."""
    found = list({id(place): place for place in places}.values())
    if len(found) <= _MOST_PLACES:
        return found
    _mark(found, whole=True)
    return []


def _mark(places: list[Reads], *, whole: bool = False, counted: bool = False) -> None:
    for place in places:
        place.whole = place.whole or whole
        place.counted = place.counted or counted
