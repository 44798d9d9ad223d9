# SPDX-License-Identifier: Apache-2.0
"""JSON values: one equality, one canonical text, and a bound on their size."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import TypeAlias

#: Text of this length counts as one value more where sizes are counted.
CHARACTERS_PER_VALUE = 32

#: Any JSON value. Mappings and lists nest; nothing else occurs.
JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None


def json_equal(left: object, right: object) -> bool:
    """Tell whether two JSON values are equal; 1 is 1.0 but neither true nor "1"."""
    pairs = [(left, right)]
    while pairs:
        a, b = pairs.pop()
        if isinstance(a, bool) or isinstance(b, bool):
            if a is not b:
                return False
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            pairs.extend(zip(a, b, strict=True))
        elif isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            pairs.extend((a[key], b[key]) for key in a)
        elif isinstance(a, list | dict) or isinstance(b, list | dict) or a != b:
            return False
    return True


def canonical_json(value: object) -> str:
    """Return the one text that all equal JSON values share.

    Keys are sorted, there is no white space, text is ASCII, and a number that
    is whole is written without a point, so that 1 and 1.0 give the same text.
    What is not JSON (an infinite number, say) is written as null.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _plain(value: object) -> object:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else float(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    return None


def digest(value: object) -> str:
    """Return a 128-bit digest of a JSON value, in hex; equal values have equal digests."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=16).hexdigest()


def size_within(value: object, bound: int) -> int | None:
    """Return the size of a JSON value, or None when it is larger than ``bound``.

    The size counts one for each value and one more for every 32 characters of
    text, so that it grows with the work of looking at the value once. The walk
    stops at the bound: a small value that contains itself many times over is
    recognized without being walked through.
    """
    count = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        count += 1
        if isinstance(item, str):
            count += len(item) // CHARACTERS_PER_VALUE
        elif isinstance(item, dict):
            count += len(item)
            if count > bound:
                return None
            waiting.extend(item.values())
        elif isinstance(item, list):
            if count + len(item) > bound:
                return None
            waiting.extend(item)
        if count > bound:
            return None
    return count


def depth_of(value: object) -> int:
    """Return how deeply lists and mappings nest in a JSON value; 0 for a scalar."""
    deepest = 0
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, dict | list):
            depth += 1
            deepest = max(deepest, depth)
            waiting.extend((child, depth) for child in (item.values() if isinstance(item, dict) else item))
    return deepest
