# SPDX-License-Identifier: Apache-2.0
"""Hardware documents of every kind: like the story's, unlike it, and with what nobody expects."""

from __future__ import annotations

from hypothesis import strategies as st

_KEYS = ["cpus", "local_gb", "memory_mb", "serial_number", "ip", "größe", "two words", "a.b", "", "_x", "9x", "disks"]

numbers = (
    st.sampled_from([0, 1, 32, 512, 513, 1024, 9000, 9001, -5, 0.5, 1e308, 10**400])
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    numbers | st.none() | st.booleans() | st.sampled_from(["32", "x86_64"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=3),
    max_leaves=5,
)
anything = st.dictionaries(st.sampled_from(_KEYS), values, max_size=5)
story_like = st.fixed_dictionaries(
    {"cpus": st.sampled_from([16, 32]), "local_gb": st.sampled_from([100, 512, 513, 1024, 9000, 9001, "1024", None])},
    optional={"memory_mb": st.integers(1, 10**6), "serial_number": st.integers(1, 10**9)},
)
documents = st.lists(anything, min_size=1, max_size=4) | st.lists(story_like, min_size=1, max_size=4)
