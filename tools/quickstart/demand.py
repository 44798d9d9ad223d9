# SPDX-License-Identifier: Apache-2.0
"""What the story's consumers ask for, made from the documents of what is offered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Triple = list[Any]


@dataclass(frozen=True, slots=True)
class Demand:
    """Requirements that no machine meets, and requirements that some machine meets."""

    impossible: Sequence[Triple]
    possible: Sequence[Triple]


def demand_for(documents: Sequence[Mapping[str, Any]]) -> Demand:
    """Return requirements made from documents.

    Where they speak of ``cpus`` and ``local_gb`` the demand is that of the
    story everybody knows; else the number that tells the machines apart best
    takes the place of ``local_gb``.

    :raises LookupError: the documents have no number in common.
    """
    if all({"cpus", "local_gb"} <= document.keys() for document in documents):
        return Demand(
            impossible=[["cpus", "==", 32], ["local_gb", ">", 9000]],
            possible=[["cpus", "==", 32], ["local_gb", ">", 512]],
        )
    values: dict[str, list[float]] = defaultdict(list)
    for document in documents:
        for path, value in _numbers(document, ""):
            values[path].append(value)
    common = [path for path, found in values.items() if len(found) == len(documents) and min(found) > 0]
    if not common:
        raise LookupError("the offered machines have no number in common that a bid could ask for")
    path = max(common, key=lambda one: (len(set(values[one])), max(values[one]), one))
    return Demand(
        impossible=[[path, ">", max(values[path]) * 10]],
        possible=[[path, ">=", max(values[path])]],
    )


def _numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key.isidentifier():
                yield from _numbers(child, f"{path}.{key}" if path else key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value
