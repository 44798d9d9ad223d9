# SPDX-License-Identifier: Apache-2.0
"""What a command says when it fails, and with which status it ends."""

from __future__ import annotations

import os
from typing import Any

from keystoneauth1 import exceptions as ksa
from openstack import exceptions as sdk
from osc_lib import exceptions as osc

from flocx_client import errors, waiting
from flocx_client.osc import exit_statuses
from flocx_client.osc.clients import Unanswered
from flocx_client.osc.endpoints import auth_origin, origin, without_secrets
from flocx_client.osc.failure import Failure
from flocx_client.reasons import reason_of

_REFUSALS = (
    (errors.BadRequest, exit_statuses.USAGE),
    (errors.Unauthorized, exit_statuses.REFUSED),
    (errors.Forbidden, exit_statuses.REFUSED),
    (errors.NotFound, exit_statuses.NOT_FOUND),
    (errors.Conflict, exit_statuses.CONFLICT),
    (errors.PreconditionFailed, exit_statuses.CONFLICT),
    (errors.ServiceFailed, exit_statuses.UNREACHABLE),
)


def failure_of(error: Exception, app: Any) -> Failure | None:
    """Return what to say of an error; None for one that nobody foresaw.

    :param app: the shell, which knows where settings were taken from.
    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, errors.RequestRefused):
        status = next((status for kind, status in _REFUSALS if isinstance(error, kind)), exit_statuses.FAILED)
        return Failure(status, _refusal(error), error.request_id)
    if isinstance(error, errors.NothingFound | errors.Ambiguous):
        return Failure(exit_statuses.NOT_FOUND, str(error))
    if isinstance(error, waiting.WaitTimedOut):
        return Failure(exit_statuses.TIMED_OUT, str(error))
    if isinstance(error, waiting.WaitInVain):
        return Failure(exit_statuses.IN_VAIN, str(error))
    if isinstance(error, Unanswered):
        return Failure(exit_statuses.UNREACHABLE, _unanswered(error, app))
    if isinstance(error, errors.ServiceUnreachable):
        return Failure(exit_statuses.UNREACHABLE, str(error))
    return _not_signed_in(error, app)


def _refusal(error: errors.RequestRefused) -> str:
    detail = error.detail.rstrip(".")
    if error.field and not detail.startswith(error.field):
        detail = f"{error.field}: {detail}"
    return f"{detail} ({error.code or f'HTTP {error.status}, no FLOCX code'})"


def _unanswered(error: Unanswered, app: Any) -> str:
    override = error.override
    service = f"the {override.service}"
    taken = origin(override, app.cloud, app.options, os.environ)
    cause = error.__cause__
    if error.endpoint is None or isinstance(cause, ksa.EndpointNotFound | ksa.EmptyCatalog):
        return (
            f"{service} is nowhere to be found: {taken} has no endpoint of {override.service_type} for this region and "
            f"interface; check --os-region-name and --os-interface, or name it with {override.option}"
        )
    where = without_secrets(error.endpoint)
    if isinstance(cause, ksa.SSLError):
        said = f"does not answer as it should: {_why(cause)}"
        check = "check its certificate and --os-cacert"
    elif isinstance(cause, ksa.ConnectionError | ksa.DiscoveryFailure):
        said = f"does not answer: {_why(cause)}"
        check = f"check that the service runs, and the address; {override.option} names another"
    else:
        said = f"does not answer, but something else does: {_after_place(str(error))}"
        check = f"check the address; {override.option} names another"
    return f"{service} at {where} {said}; the endpoint was taken from {taken}; {check}"


def _after_place(text: str) -> str:
    """Return what an error says, without the place that stands before it."""
    return text.partition(": ")[2] or text


def _not_signed_in(error: Exception, app: Any) -> Failure | None:
    if isinstance(error, ksa.HttpError) and error.http_status == 401:
        return Failure(exit_statuses.REFUSED, f"{_identity(app)} does not accept the credentials")
    if isinstance(error, ksa.HttpError) and error.http_status < 500:
        return Failure(exit_statuses.REFUSED, f"{_identity(app)} refuses: {error}")
    if isinstance(error, ksa.AuthPluginException | osc.CommandError | sdk.ConfigException):
        return Failure(exit_statuses.USAGE, " ".join(str(error).split()))
    if isinstance(error, osc.AuthorizationFailure):
        return Failure(exit_statuses.REFUSED, str(error))
    if isinstance(error, ksa.ClientException):
        taken = auth_origin(app.cloud, app.options, os.environ)
        return Failure(
            exit_statuses.UNREACHABLE,
            f"{_identity(app)} does not answer: {_why(error)}; its address was taken from {taken}; check that it "
            "runs, and the address",
        )
    return None


def _identity(app: Any) -> str:
    url = app.cloud.config.get("auth", {}).get("auth_url")
    return f"the identity service at {without_secrets(url)}" if url else "the identity service"


def _why(error: BaseException) -> str:
    return _after_place(reason_of(error))
