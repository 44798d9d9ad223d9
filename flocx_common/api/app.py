# SPDX-License-Identifier: Apache-2.0
"""The middleware stack of both services, assembled once, in order."""

from __future__ import annotations

from typing import Any

import pecan
from oslo_config import cfg
from oslo_middleware.http_proxy_to_wsgi import HTTPProxyToWSGI

from flocx_common.api.discovery import Versions
from flocx_common.api.health import HealthEndpoints, Readiness
from flocx_common.api.hooks import ErrorHook, PathHook
from flocx_common.api.middleware import (
    BodyLimited,
    Guarded,
    IdentityHeadersRemoved,
    MicroversionNegotiated,
    RequestId,
    WsgiApp,
)
from flocx_common.api.operation import Controller


class _Request(pecan.Request):  # type: ignore[misc]
    """A request whose body only our own code reads; pecan would parse it for its arguments."""

    @property
    def params(self) -> Any:
        return self.GET

    @property
    def json(self) -> dict[str, Any]:
        return {}


def routed(root: Controller[Any]) -> WsgiApp:
    """Return the application that a tree of controllers makes."""
    app: WsgiApp = pecan.Pecan(
        root,
        hooks=[PathHook(), ErrorHook()],
        force_canonical=False,
        guess_content_type_from_ext=False,
        request_cls=_Request,
    )
    return app


def assembled(
    app: WsgiApp,
    conf: cfg.ConfigOpts,
    *,
    readiness: Readiness,
    service_type: str,
    versions: Versions,
) -> WsgiApp:
    """Return an authenticated application inside everything that surrounds it.

    :param app: the routed application behind its authentication.
    :param versions: the lowest and the highest microversion.
    """
    # Innermost first. Sizes are checked before authentication, so that nobody
    # makes us read at length; versions behind it, as refusals are versioned, too.
    app = MicroversionNegotiated(app, service_type, *versions)
    app = BodyLimited(app, conf.api.max_body_size)
    # Before authentication, or a client could speak in its name.
    app = IdentityHeadersRemoved(app)
    app = HTTPProxyToWSGI(app, conf)
    app = Guarded(app)
    app = HealthEndpoints(app, readiness)
    # Outermost: everything that is logged or answered carries the request id.
    return RequestId(app)
