# SPDX-License-Identifier: Apache-2.0
"""Inventory files: JSON lines, a JSON array or YAML, read as they are through expressions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jmespath
import jmespath.exceptions
import yaml

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.domain.ids import canonical_id
from flocx_common.domain.json_values import JSON
from flocx_provider.domain.node import NodeFacts

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryMapping:
    """Where in a document of the file things are: a JMESPath expression each.

    ``owner`` is a project for all machines, instead of ``owner_expression``;
    ``owner_map`` turns what is found into projects, value by value.
    """

    uuid_expression: str
    name_expression: str
    owner_expression: str
    owner: str | None
    owner_map: Mapping[str, str]
    resource_class_expression: str
    properties_expression: str


class InventoryFile:
    """One inventory file and how to read it.

    :raises ConfigurationInvalid: an expression is no JMESPath.
    """

    def __init__(self, path: str, mapping: InventoryMapping) -> None:
        self._path = Path(path)
        self._owner = mapping.owner
        self._owner_map = dict(mapping.owner_map)
        self._expressions = {
            name: _compiled(f"{name}_expression", getattr(mapping, f"{name}_expression"))
            for name in ("uuid", "name", "owner", "resource_class", "properties")
        }

    def stamp(self) -> tuple[int, int]:
        """Return what changes when the file does.

        :raises ConfigurationInvalid: there is no such file.
        """
        try:
            status = self._path.stat()
        except OSError as error:
            raise self._invalid(str(error.strerror)) from None
        return status.st_mtime_ns, status.st_size

    def read(self) -> Sequence[NodeFacts]:
        """Return the machines of the file, in its order.

        :raises ConfigurationInvalid: naming the file, the place, and what was expected there.
        """
        nodes: list[NodeFacts] = []
        seen: dict[str, str] = {}
        for where, document in self.documents():
            node = self.node(where, document)
            for what in (node.node_uuid, node.name):
                if what is not None and seen.setdefault(what, where) != where:
                    raise self._invalid(f"{where}: {what!r} is there already, at {seen[what]}")
            nodes.append(node)
        return nodes

    def documents(self) -> Iterator[tuple[str, Mapping[str, JSON]]]:
        """Yield (place, document) for each machine, as the file has it.

        :raises ConfigurationInvalid: the file cannot be read, or what it holds.
        """
        try:
            text = self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise self._invalid("UTF-8 is expected") from None
        except OSError as error:
            raise self._invalid(str(error.strerror)) from None
        for where, document in self._parsed(text):
            if not isinstance(document, dict):
                raise self._invalid(f"{where}: an object is expected, not {_kind(document)}")
            yield where, document

    def _parsed(self, text: str) -> Iterator[tuple[str, Any]]:
        """Yield (place, document): what the text looks like decides how it is read, not the file's name."""
        match text.lstrip()[:1]:
            case "":
                raise self._invalid("it is empty")
            case "[":
                yield from ((f"item {n}", item) for n, item in enumerate(self._json(text, "the file"), 1))
            case "{":
                for number, line in enumerate(text.splitlines(), 1):
                    if line.strip():
                        yield f"line {number}", self._json(line, f"line {number}")
            case _:
                yield from ((f"item {n}", item) for n, item in enumerate(self._yaml(text), 1))

    def _json(self, text: str, where: str) -> Any:
        try:
            return json.loads(text, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise self._invalid(f"{where}: no JSON: {error}") from None

    def _yaml(self, text: str) -> list[Any]:
        try:
            content = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError) as error:
            raise self._invalid(f"no YAML: {' '.join(str(error).split())}") from None
        if not isinstance(content, list):
            raise self._invalid(f"a list of machines is expected, not {_kind(content)}")
        try:
            # What YAML has beyond JSON (dates, say) becomes text.
            return list(json.loads(json.dumps(content, default=str, allow_nan=False)))
        except (ValueError, TypeError, RecursionError) as error:
            raise self._invalid(f"what JSON can hold is expected: {error}") from None

    def node(self, where: str, document: Mapping[str, JSON]) -> NodeFacts:
        """Return the machine that a document describes.

        :param where: the place in the file, for errors.
        :raises ConfigurationInvalid: something in it is not as expected.
        """
        uuid = self._text(where, document, "uuid", 36)
        try:
            node_uuid = canonical_id(uuid or "")
        except ValueError:
            raise self._invalid(f"{where}: uuid: {uuid!r}: a UUID is expected") from None
        properties = self._expressions["properties"].search(document)
        if not isinstance(properties, dict):
            raise self._invalid(f"{where}: properties: an object is expected, not {_kind(properties)}")
        return NodeFacts(
            node_uuid=node_uuid,
            name=self._text(where, document, "name", _LONGEST_NAME),
            owner_project_id=self._project(where, document),
            resource_class=self._text(where, document, "resource_class", _LONGEST_NAME),
            properties=properties,
        )

    def _project(self, where: str, document: Mapping[str, JSON]) -> str | None:
        if self._owner is not None:
            return self._owner
        found = self._text(where, document, "owner", _LONGEST_NAME)
        if found is None or not self._owner_map:
            return found
        if found not in self._owner_map:
            known = ", ".join(sorted(self._owner_map))
            raise self._invalid(f"{where}: owner: {found!r} is not in owner_map, which has {known}")
        return self._owner_map[found]

    def _text(self, where: str, document: Mapping[str, JSON], what: str, longest: int) -> str | None:
        try:
            value = self._expressions[what].search(document)
        except jmespath.exceptions.JMESPathError as error:
            raise self._invalid(f"{where}: {what}_expression: {error}") from None
        if value is None or (isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()):
            return value
        raise self._invalid(f"{where}: {what}: {value!r}: one line of up to {longest} characters is expected")

    def _invalid(self, problem: str) -> ConfigurationInvalid:
        return ConfigurationInvalid(f"[static] inventory_file: {self._path}: {problem}")


def _compiled(option: str, expression: str) -> Any:
    try:
        return jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise ConfigurationInvalid(
            f"[static] {option}: {expression!r} is no JMESPath: {' '.join(str(error).split())}"
        ) from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError(f"{literal[:40]} is too large")
    return number


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return kinds.get(type(value), "a number")
