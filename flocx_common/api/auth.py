# SPDX-License-Identifier: Apache-2.0
"""Authentication in front of the API: keystone, http_basic, noauth.

Each strategy leaves the headers that Keystone's middleware leaves, so that
nothing behind it knows which one it was. Who nobody knows gets as far as the
public routes; everything else asks who calls.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import webob
import webob.exc
from oslo_config import cfg
from oslo_middleware import basic_auth
from oslo_middleware import exceptions as middleware_exceptions

from flocx_common.api.middleware import WsgiApp
from flocx_common.api.users_file import UsersFile
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.extras import missing_extra
from flocx_common.ports.directory import NoDirectory, ProjectDirectory

_KEPT_CREDENTIALS = 1000


def authenticated(app: WsgiApp, conf: cfg.ConfigOpts) -> tuple[WsgiApp, ProjectDirectory]:
    """Return the application behind the configured strategy, and the directory that comes with it.

    :raises ConfigurationInvalid: the strategy cannot be set up.
    """
    match conf.api.auth_strategy:
        case "keystone":
            return _keystone(app, conf)
        case "http_basic":
            users = UsersFile(conf.http_basic.users_file)
            return BasicAuth(app, conf.http_basic.htpasswd_file, users, conf.http_basic.cache_seconds), users
        case _:
            return NoAuth(app, conf.noauth), NoDirectory()


def _keystone(app: WsgiApp, conf: cfg.ConfigOpts) -> tuple[WsgiApp, ProjectDirectory]:
    try:
        from flocx_common.api import keystone  # noqa: PLC0415 - optional
    except ModuleNotFoundError as error:
        raise ConfigurationInvalid(missing_extra("[api] auth_strategy: keystone", error.name, "openstack")) from None
    return keystone.checking_tokens(app, conf), keystone.keystone_directory(conf)


class BasicAuth:
    """HTTP basic authentication against an htpasswd file with bcrypt.

    :param cache_seconds: how long good credentials are not checked again;
        bcrypt is slow on purpose.
    """

    def __init__(self, app: WsgiApp, htpasswd_file: str, users: UsersFile, cache_seconds: float) -> None:
        try:
            basic_auth.validate_auth_file(htpasswd_file)
        except UnicodeDecodeError:
            raise ConfigurationInvalid(f"[http_basic] htpasswd_file: {htpasswd_file}: UTF-8 is expected") from None
        except (middleware_exceptions.ConfigInvalid, webob.exc.HTTPException) as error:
            problem = getattr(error, "detail", None) or "it cannot be read"
            raise ConfigurationInvalid(f"[http_basic] htpasswd_file: {htpasswd_file}: {problem}") from None
        self._app = app
        self._htpasswd_file = htpasswd_file
        self._users = users
        self._cache = _Remembered(cache_seconds)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        name = self._who(environ)
        user = None if name is None else self._users.user(name)
        if name is None or user is None:
            environ["HTTP_X_IDENTITY_STATUS"] = "Invalid"
        else:
            environ |= _identity(name, name, user.project_id, user.project_name, user.roles)

        def challenging(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if status.startswith("401"):
                headers = [*headers, ("WWW-Authenticate", 'Basic realm="flocx", charset="UTF-8"')]
            return start_response(status, headers, *rest)

        return self._app(environ, challenging)

    def _who(self, environ: dict[str, Any]) -> str | None:
        try:
            name, password = basic_auth.parse_token(basic_auth.parse_header(environ))
            if not self._cache.knows(name, password):
                basic_auth.authenticate(self._htpasswd_file, name, password)
                self._cache.remember(name, password)
        except (webob.exc.HTTPException, ValueError):
            return None
        return name


class _Remembered:
    """Credentials that were good a moment ago, kept as keyed digests."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._until: dict[bytes, float] = {}

    def knows(self, name: str, password: bytes) -> bool:
        with self._lock:
            return self._until.get(self._digest(name, password), 0) > time.monotonic()

    def remember(self, name: str, password: bytes) -> None:
        now = time.monotonic()
        with self._lock:
            if len(self._until) >= _KEPT_CREDENTIALS:
                self._until = {key: until for key, until in self._until.items() if until > now}
            if len(self._until) < _KEPT_CREDENTIALS:
                self._until[self._digest(name, password)] = now + self._seconds

    def _digest(self, name: str, password: bytes) -> bytes:
        return hmac.new(self._key, name.encode() + b"\x00" + password, hashlib.sha256).digest()


class NoAuth:
    """Everybody is one configured user; for development only."""

    def __init__(self, app: WsgiApp, options: Any) -> None:
        self._app = app
        self._identity = _identity(
            options.user_id, options.user_id, options.project_id, options.project_id, frozenset(options.roles)
        )

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        environ |= self._identity
        return self._app(environ, start_response)


def _identity(
    user_id: str, user_name: str, project_id: str, project_name: str | None, roles: frozenset[str]
) -> Mapping[str, str]:
    return {
        "HTTP_X_IDENTITY_STATUS": "Confirmed",
        "HTTP_X_USER_ID": user_id,
        "HTTP_X_USER_NAME": user_name,
        "HTTP_X_PROJECT_ID": project_id,
        "HTTP_X_PROJECT_NAME": project_name or "",
        "HTTP_X_ROLES": ",".join(sorted(roles)),
    }
