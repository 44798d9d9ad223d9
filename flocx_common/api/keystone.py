# SPDX-License-Identifier: Apache-2.0
"""Keystone: checking tokens, the names of projects, and whether it is there at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from keystoneauth1 import adapter, loading, session
from keystoneauth1 import exceptions as keystone_exceptions
from keystonemiddleware import auth_token, opts
from keystonemiddleware.auth_token import _exceptions as middleware_exceptions
from oslo_config import cfg
from webob.exc import HTTPServiceUnavailable

from flocx_common.api.health import Check
from flocx_common.api.keystone_directory import KeystoneDirectory
from flocx_common.api.middleware import WsgiApp
from flocx_common.conf import keystone
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.ports.directory import NoDirectory, ProjectDirectory

_GROUP = "keystone_authtoken"
_TIMEOUT = 5
# What the middleware meets when nobody can tell whether a token is valid.
_UNANSWERED = (
    keystone_exceptions.ConnectFailure,
    keystone_exceptions.DiscoveryFailure,
    keystone_exceptions.RequestTimeout,
    middleware_exceptions.ServiceError,
)


class _TokensChecked(auth_token.AuthProtocol):  # type: ignore[misc]
    """Lets requests without a valid token through as such, but not when nobody could check the token.

    Whether a route needs one is decided behind it. A Keystone that is away is
    not the caller's fault: 503, where the middleware would call the token invalid.
    """

    def fetch_token(self, token: str, allow_expired: bool = False) -> Any:
        """Return what Keystone says of a token.

        :raises HTTPServiceUnavailable: Keystone does not answer.
        """
        try:
            return super().fetch_token(token, allow_expired=allow_expired)
        except middleware_exceptions.InvalidToken as error:
            if isinstance(error.__context__, _UNANSWERED):
                raise HTTPServiceUnavailable from error
            raise


def checking_tokens(app: WsgiApp, conf: cfg.ConfigOpts) -> WsgiApp:
    """Return the application behind Keystone's middleware.

    A service token counts only with one of ``service_token_roles``, unless the operator says otherwise.

    :raises ConfigurationInvalid: ``[keystone_authtoken]`` cannot be used.
    """
    _register(conf)
    conf.set_default("service_token_roles_required", True, group=_GROUP)
    try:
        middleware: WsgiApp = _TokensChecked(app, {"oslo_config_config": conf, "delay_auth_decision": True})
    except Exception as error:
        raise ConfigurationInvalid(f"[{_GROUP}]: {' '.join(str(error).split())}") from None
    return middleware


def keystone_check(conf: cfg.ConfigOpts) -> Check:
    """Return a check that the configured Keystone answers our own credentials."""
    _register(conf)

    def check() -> None:
        _own_session(conf).get_token()

    return check


def keystone_directory(conf: cfg.ConfigOpts) -> ProjectDirectory:
    """Return the names of projects as the credentials of ``[keystone]``, or else ours, may see them.

    Without any credentials no names are known, and ids are taken as they are.
    """
    _register(conf)
    group = keystone.GROUP.name
    if not any(conf[name].auth_type or conf[name].auth_section for name in (group, _GROUP)):
        return NoDirectory()
    no_project = {f"project_{key}": None for key in ("name", "id", "domain_name", "domain_id")}
    sessions: list[Callable[[], session.Session]] = (
        [partial(_other_session, conf, group)]
        if conf[group].auth_type is not None or conf[group].auth_section is not None
        else [partial(_own_session, conf, system_scope="all", **no_project), partial(_own_session, conf)]
    )
    return KeystoneDirectory(
        [partial(_identity, conf[group], made) for made in sessions], lifetime=conf[group].names_lifetime
    )


def _register(conf: cfg.ConfigOpts) -> None:
    loading.register_auth_conf_options(conf, _GROUP)
    for group, options in opts.list_auth_token_opts():
        conf.register_opts(options, group=group)


def _own_session(conf: cfg.ConfigOpts, **scope: Any) -> session.Session:
    # The middleware's options of the connection have the names, but not the
    # identity, of those that keystoneauth would register.
    options = conf[_GROUP]
    return session.Session(
        auth=loading.load_auth_from_conf_options(conf, _GROUP, **scope),
        verify=False if options.insecure else options.cafile or True,
        cert=(options.certfile, options.keyfile) if options.certfile and options.keyfile else options.certfile,
        timeout=_TIMEOUT,
    )


def _other_session(conf: cfg.ConfigOpts, group: str) -> session.Session:
    auth = loading.load_auth_from_conf_options(conf, group)
    return loading.load_session_from_conf_options(conf, group, auth=auth, timeout=_TIMEOUT)


def _identity(options: Any, made: Callable[[], session.Session]) -> adapter.Adapter:
    return adapter.Adapter(
        made(),
        service_type="identity",
        version="3",
        interface=options.valid_interfaces,
        region_name=options.region_name,
        endpoint_override=options.endpoint_override,
    )
