# SPDX-License-Identifier: Apache-2.0
"""Examples of requirements with the sample machines they hold for, and the bounds of the language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from flocx_common.domain.json_values import CHARACTERS_PER_VALUE
from flocx_docs.rst import literal, table
from flocx_market.domain import expressions, requirements

SAMPLE = Path(__file__).parents[3] / "tools" / "quickstart" / "nodes.yaml"

_EXAMPLES: tuple[tuple[list[Any], str], ...] = (
    (["cpus", "==", 32], "exactly 32 CPUs"),
    (["memory_mb", ">=", 524288], "half a TiB of memory or more"),
    (["cpu_arch", "eq", "arm64"], "ARM, however it is called"),
    (["resource_class", "in", ["gpu-v100", "gpu-a100"]], "one of two classes"),
    (["resource_class", "!startswith", "compute"], "any but compute nodes"),
    (["processor.model", "matches", "EPYC 7[0-9]{2}3"], "a model by pattern"),
    (["placement.rack", "!in", ["a1", "a2", "b1"]], "not in these racks"),
    (["gpus", None, None], "with GPUs"),
    (["gpus", "!", None], "without GPUs"),
    (["gpus[].model", "contains", "NVIDIA A100-SXM4-40GB"], "some GPU of this model"),
    (["length(gpus[?memory_mb >= `40000`])", ">=", 4], "four GPUs with 40 GB or more"),
    (["sum(disks[?!rotational].size_gb)", ">", 4000], "more than 4 TB of flash in all"),
    (["max(interfaces[].speed_mbps)", ">=", 100000], "an interface of 100 Gbit/s"),
    (["system_vendor.manufacturer", "!eq", "Dell Inc."], "any vendor but this, or none named"),
)


def examples() -> str:
    """Return the table of examples."""
    machines = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    rows = []
    for triple, meaning in _EXAMPLES:
        (parsed,) = requirements.parse_requirements([triple])
        found = [machine["name"] for machine in machines if parsed.holds(machine)]
        assert 0 < len(found) < len(machines), f"{triple} tells nothing apart"
        rows.append([literal(json.dumps(triple)), meaning, _shortened(found)])
    return table(["Triple", "Asks for", "Holds for"], rows, [52, 26, 22])


def bounds() -> str:
    """Return the table of bounds."""
    result = (
        f"size {expressions.MAX_RESULT} (one for each value, one more for {CHARACTERS_PER_VALUE} characters of text), "
        f"nesting {expressions.MAX_RESULT_DEPTH}"
    )
    search = f"{requirements.MAX_MATCH} (characters of the text times instructions of the compiled expression)"
    return table(
        ["What", "At most"],
        [
            ["Triples of a bid", f"{requirements.MAX_REQUIREMENTS}"],
            ["Length of an expression", f"{expressions.MAX_LENGTH} characters"],
            ["Nesting of an expression", f"{expressions.MAX_DEPTH}"],
            ["Steps of one evaluation", f"{expressions.MAX_STEPS}"],
            ["Result of an evaluation", result],
            ["Value of a triple", f"size {requirements.MAX_VALUE}, nesting {requirements.MAX_VALUE_DEPTH}"],
            ["Length of a regular expression", f"{requirements.MAX_PATTERN} characters"],
            ["Work of one search", search],
        ],
        [40, 60],
    )


def _shortened(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5} more"
