# SPDX-License-Identifier: Apache-2.0
"""Why a call failed, in words that are the same each time it fails for the same reason."""

from __future__ import annotations

import re

from keystoneauth1 import exceptions as keystone_exceptions

# What libraries put into their texts and what differs each time.
_PASSING = re.compile(
    r"\s*\((?:HTTP \d+\) \()?Request-ID: [^)]*\)|<[^<>]* object at 0x[0-9a-f]+>|\breq-[0-9a-f-]{36}\b"
)
_LONGEST = 300


def reason_of(error: BaseException) -> str:
    """Return why a call failed: as the operating system says it where it does, or else in the error's own words."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, TimeoutError):
            return "timed out"
        if isinstance(seen, OSError) and seen.strerror:
            return str(seen.strerror)
        seen = seen.__cause__ or seen.__context__
    if isinstance(error, keystone_exceptions.ConnectTimeout):
        return "timed out"
    words = " ".join(_PASSING.sub("", str(error)).split()) or type(error).__name__
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."
