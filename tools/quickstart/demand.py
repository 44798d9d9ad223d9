# SPDX-License-Identifier: Apache-2.0
"""What the story's consumers ask for, made from the documents of what is offered."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flocx_provider.domain.private_properties import DEFAULT, PrivateProperties

Triple = list[Any]

# What does not leave the provider cannot be asked for.
_PRIVATE = PrivateProperties(DEFAULT)
# What JMESPath reads as a key without quotes.
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST, _LONGEST_KEY, _LARGEST = 8, 64, 10**15


@dataclass(frozen=True, slots=True)
class Demand:
    """Requirements that no machine meets, and requirements that some machine meets."""

    impossible: Sequence[Triple]
    possible: Sequence[Triple]


def demand_for(documents: Sequence[Mapping[str, Any]]) -> Demand:
    """Return requirements made from documents.

    Where the machines are like those of the story everybody knows, the demand
    is that of the story; else the number that tells them apart best is asked for.

    :raises LookupError: the documents have no number in common.
    """
    documents = [_PRIVATE.without(document) for document in documents]
    sizes = [document.get("local_gb") for document in documents if _number(document.get("cpus")) == 32]
    known = [size for size in map(_number, sizes) if size is not None]
    if documents and len(known) == len(documents) and 512 < max(known) <= 9000:
        return Demand(
            impossible=[["cpus", "==", 32], ["local_gb", ">", 9000]],
            possible=[["cpus", "==", 32], ["local_gb", ">", 512]],
        )
    values: dict[str, list[float]] = defaultdict(list)
    for document in documents:
        for path, value in _numbers(document, ""):
            values[path].append(value)
    common = [path for path, found in values.items() if len(found) == len(documents)]
    if not common:
        raise LookupError("the offered machines have no number in common that a bid could ask for")
    path = max(common, key=lambda one: (len(set(values[one])), max(values[one]), one))
    return Demand(
        impossible=[[path, ">", max(values[path]) * 10]],
        possible=[[path, ">=", max(values[path])]],
    )


def _numbers(value: Any, path: str, depth: int = 1) -> Iterator[tuple[str, float]]:
    """Yield what a bid can ask for, by its JMESPath: positive numbers of ordinary size and depth."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            if depth <= _DEEPEST and len(key) <= _LONGEST_KEY and _KEY.fullmatch(key):
                yield from _numbers(child, f"{path}.{key}" if path else key, depth + 1)
        return
    number = _number(value)
    if number is not None:
        yield path, number


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LARGEST
    return value if usable else None
