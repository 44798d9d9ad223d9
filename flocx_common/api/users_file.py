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

import json
import logging
import os
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import yaml

from flocx_common.api.schemas import LINE
from flocx_common.api.validation import Validator
from flocx_common.domain.errors import ConfigurationInvalid, Invalid

LOG = logging.getLogger(__name__)

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
        when it is first read. Later a file that does not fit is told once and
        not taken over: the users stay as they were.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp = self._stamp_now()
        self._users = _read(path)
        self._problem: str | None = None

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
            problem = None
            try:
                stamp = self._stamp_now()
                if stamp != self._stamp or self._problem is not None:
                    self._users, self._stamp = _read(self._path), stamp
            except ConfigurationInvalid as error:
                problem = error.detail
            if problem is not None and problem != self._problem:
                LOG.error("the users cannot be read, those read before stand: %s", problem)
            elif problem is None and self._problem is not None:
                LOG.info("the users can be read again")
            self._problem = problem
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
            # What YAML has beyond JSON (dates, say) becomes text.
            content = json.loads(json.dumps(yaml.safe_load(file), default=str))
        _VALIDATOR.check(content)
    except OSError as error:
        raise ConfigurationInvalid(f"{where}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"{where}: no YAML: {' '.join(str(error).split())}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigurationInvalid(f"{where}: what JSON can hold is expected: {error}") from None
    except Invalid as error:
        raise ConfigurationInvalid(f"{where}: {error.detail}") from None
    return {
        name: User(
            project_id=user["project_id"],
            project_name=user.get("project_name"),
            roles=frozenset().union(*(IMPLIED[role] for role in user["roles"])),
        )
        for name, user in content["users"].items()
    }
