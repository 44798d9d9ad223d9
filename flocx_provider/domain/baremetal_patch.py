# SPDX-License-Identifier: Apache-2.0
"""JSON patches for Ironic: only plain changes of fields that may be changed.

A patch is read as strictly as it can be written: three operations, paths of
plain words, and never a whole of which a part is not for change.
"""

from __future__ import annotations

import re

from flocx_common.domain.errors import Forbidden, Invalid
from flocx_common.domain.holders import NodeAttributes
from flocx_common.domain.json_values import JSON

_OPERATIONS = ("add", "replace", "remove")
# No ~: an escape would be a second way to write a key.
_PATH = re.compile(r"(/[A-Za-z0-9_.:-]{1,255}){1,16}")
_MOST_CHANGES = 500


def checked_patch(body: JSON, allowed: frozenset[str], attributes: NodeAttributes | None) -> frozenset[str]:
    """Return the fields that a patch changes.

    :param attributes: where a node keeps owner, lessee and our mark; None for things that are no nodes.
    :raises Invalid: it is no patch of the accepted form.
    :raises Forbidden: it changes what is not for change.
    """
    if not isinstance(body, list) or not 1 <= len(body) <= _MOST_CHANGES:
        raise Invalid(f"body: a JSON patch of 1 to {_MOST_CHANGES} changes is expected")
    return frozenset(_field(number, change, allowed, attributes) for number, change in enumerate(body))


def _field(number: int, change: JSON, allowed: frozenset[str], attributes: NodeAttributes | None) -> str:
    where = f"body[{number}]"
    if not isinstance(change, dict) or not {"op", "path"} <= set(change) <= {"op", "path", "value"}:
        raise Invalid(f"{where}: op, path and value are expected, and nothing else")
    operation, path = change["op"], change["path"]
    if operation not in _OPERATIONS:
        raise Invalid(f"{where}.op: {str(operation)[:40]!r}: one of {', '.join(_OPERATIONS)} is expected", field="op")
    if (operation == "remove") == ("value" in change):
        raise Invalid(f"{where}.value: it is expected with add and replace, and only there", field="value")
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise Invalid(f"{where}.path: {str(path)[:80]!r}: /FIELD or /FIELD/KEY is expected", field="path")
    field, *keys = path.split("/")[1:]
    if field not in allowed:
        raise Forbidden(f"{where}.path: {path}: {field} cannot be changed here", field="path")
    if attributes is not None and field == "properties":
        if not keys:
            raise Forbidden(
                f"{where}.path: {path}: properties are changed one by one, as /properties/KEY", field="path"
            )
        if keys[0] in attributes.keys:
            raise Forbidden(f"{where}.path: {path}: it says whose the node is and cannot be changed here", field="path")
    return field
