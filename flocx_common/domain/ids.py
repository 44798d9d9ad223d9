# SPDX-License-Identifier: Apache-2.0
"""Identifiers: random for new things, derived where a repeat must give the same."""

from __future__ import annotations

import re
import uuid

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """Return a fresh random UUID in canonical lower-case form."""
    return str(uuid.uuid4())


def is_id(text: object) -> bool:
    """Tell whether ``text`` is a UUID in canonical lower-case form."""
    return isinstance(text, str) and _CANONICAL.fullmatch(text) is not None


def canonical_id(text: str) -> str:
    """Return the canonical lower-case form of a UUID however it is written.

    :raises ValueError: ``text`` is no UUID.
    """
    return str(uuid.UUID(text))


def derived_id(namespace: str, name: str) -> str:
    """Return the UUID version 5 of ``name`` under the UUID ``namespace`` (RFC 9562)."""
    return str(uuid.uuid5(uuid.UUID(namespace), name))
