# SPDX-License-Identifier: Apache-2.0
"""An application that answers who calls it, behind the authentication of a configuration."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import webob
import webtest

from flocx_common.api.app import assembled
from flocx_common.api.auth import authenticated
from flocx_common.api.context import caller_from
from flocx_common.api.errors import error_response
from flocx_common.api.health import Readiness
from flocx_common.domain.errors import FlocxError
from flocx_market import bootstrap
from tests.harness import write_conf


def who_am_i(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer who calls, or at /policy what policy rules see of it; anybody may ask for /public."""
    if environ["PATH_INFO"] == "/public":
        return webob.Response(json_body={})(environ, start_response)
    try:
        caller = caller_from(environ)
    except FlocxError as error:
        return error_response(error, None)(environ, start_response)
    found: dict[str, Any] = {
        "user": caller.user_id,
        "project": caller.project_id,
        "project_name": caller.project_name,
        "roles": sorted(caller.roles),
    }
    if environ["PATH_INFO"] == "/policy":
        found = dict(caller.policy_values)
    return webob.Response(content_type="application/json", body=json.dumps(found).encode())(environ, start_response)


def application(directory: Path, sections: Mapping[str, Mapping[str, Any]]) -> webtest.TestApp:
    """Return the application with everything that surrounds an API."""
    given = {"database": {"connection": "sqlite://"}, **sections}
    conf = bootstrap.configuration(["--config-file", str(write_conf(directory, "market.conf", given))])
    app, _ = authenticated(who_am_i, conf)
    return webtest.TestApp(
        assembled(app, conf, readiness=Readiness({}), service_type="baremetal-market", versions=((1, 0), (1, 0)))
    )
