# SPDX-License-Identifier: Apache-2.0
"""The YAML file that gives each user of ``http_basic`` its project and roles.

.. code-block:: yaml

   users:
     owner-a:
       project_id: 5f6f1f0ad5f14f6d8c7d7f5f4c1b2a90
       project_name: owner-a
       roles: [manager]
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import yaml

from flocx_common.api.schemas import LINE
from flocx_common.api.validation import Validator
from flocx_common.domain.errors import ConfigurationInvalid, Invalid

#: Which roles come with a role, as Keystone's defaults imply them.
IMPLIED = {
    "admin": frozenset({"admin", "manager", "member", "reader"}),
    "manager": frozenset({"manager", "member", "reader"}),
    "member": frozenset({"member", "reader"}),
    "reader": frozenset({"reader"}),
    "service": frozenset({"service"}),
}

_ID = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^\S+$", "title": "text without spaces"}
_VALIDATOR = Validator(
    {
        "type": "object",
        "properties": {
            "users": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "project_id": _ID,
                        "project_name": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": LINE},
                        "roles": {"type": "array", "items": {"enum": sorted(IMPLIED)}, "minItems": 1},
                    },
                    "required": ["project_id", "roles"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["users"],
        "additionalProperties": False,
    }
)


@dataclass(frozen=True, slots=True)
class User:
    """One user: its project and its roles with those that come with them."""

    project_id: str
    project_name: str | None
    roles: frozenset[str]


class UsersFile:
    """The users of a file, read anew when it changes. Also knows its projects by name.

    :raises ConfigurationInvalid: the file cannot be read or does not fit; only
        when it is first read. Later a file that does not fit is not taken over.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp = self._stamp_now()
        self._users = _read(path)

    def user(self, name: str) -> User | None:
        """Return a user, or None."""
        return self._current().get(name)

    def resolve(self, name_or_id: str) -> str:
        """Return the id of the project of this name, or what was given when none is known."""
        for user in self._current().values():
            if user.project_name == name_or_id:
                return user.project_id
        return name_or_id

    def names(self, project_ids: Collection[str]) -> Mapping[str, str]:
        """Return the names of those of these projects that are in the file."""
        return {
            user.project_id: user.project_name
            for user in self._current().values()
            if user.project_name is not None and user.project_id in project_ids
        }

    def _current(self) -> Mapping[str, User]:
        with self._lock:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._users, self._stamp = _read(self._path), stamp
            return self._users

    def _stamp_now(self) -> tuple[int, int]:
        try:
            status = os.stat(self._path)
        except OSError as error:
            raise ConfigurationInvalid(f"[http_basic] users_file: {self._path}: {error.strerror}") from None
        return status.st_mtime_ns, status.st_size


def _read(path: str) -> Mapping[str, User]:
    where = f"[http_basic] users_file: {path}"
    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
        _VALIDATOR.check(content)
    except OSError as error:
        raise ConfigurationInvalid(f"{where}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"{where}: no YAML: {' '.join(str(error).split())}") from None
    except Invalid as error:
        raise ConfigurationInvalid(f"{where}: {error.detail}") from None
    return {
        str(name): User(
            project_id=user["project_id"],
            project_name=user.get("project_name"),
            roles=frozenset().union(*(IMPLIED[role] for role in user["roles"])),
        )
        for name, user in content["users"].items()
    }
