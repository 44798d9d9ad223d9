# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a call, by the service's stable error code.

Every code is a class, of the kind that its HTTP status says. A code of a newer
service is its kind alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_CODE: dict[str, type[RequestRefused]] = {}


class ClientError(Exception):
    """A call did not succeed."""


class ServiceUnreachable(ClientError):
    """The service itself did not answer: nothing is known of the call's fate."""


class NothingFound(ClientError):
    """Nothing has the name or UUID that was given."""


class Ambiguous(ClientError):
    """Several things have the name that was given."""


class RequestRefused(ClientError):
    """The service answered with an error.

    :param status: the HTTP status.
    :param code: the stable error code, such as ``flocx.bid.not_found``; None
        when something else than a FLOCX service answered.
    :param detail: the field, the value and what was expected, in words.
    :param field: the field at fault, where one is.
    :param request_id: finds the request in the service's log.
    """

    code: str | None = None

    def __init_subclass__(cls) -> None:
        if (code := vars(cls).get("code")) is not None:
            _BY_CODE[code] = cls

    def __init__(
        self,
        status: int,
        code: str | None,
        detail: str,
        *,
        field: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{detail} (HTTP {status}, {code or 'no code'}, request {request_id or 'unknown'})")
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
        self.request_id = request_id


class BadRequest(RequestRefused):
    """The request is wrong in itself."""

    code = "flocx.request.invalid"


class ProjectUnknown(BadRequest):
    """No project has this name, or several have it."""

    code = "flocx.project.unknown"


class Unauthorized(RequestRefused):
    """The credentials are missing or wrong."""

    code = "flocx.auth.unauthenticated"


class Forbidden(RequestRefused):
    """The caller may not do this."""

    code = "flocx.auth.forbidden"


class NotFound(RequestRefused, NothingFound):
    """There is no such thing, or the caller may not see it."""

    code = "flocx.request.not_found"


class Conflict(RequestRefused):
    """The request contradicts the current state."""

    code = "flocx.request.conflict"


class PreconditionFailed(RequestRefused):
    """The entity has changed since it was read."""

    code = "flocx.request.precondition_failed"


class ServiceFailed(RequestRefused):
    """The service cannot answer now, or has failed; trying again may help."""


class MethodNotAllowed(RequestRefused):
    """The path does not take this method."""

    code = "flocx.request.method_not_allowed"


class VersionUnsupported(RequestRefused):
    """The service does not speak the microversion."""

    code = "flocx.request.version_unsupported"


class MediaTypeUnsupported(RequestRefused):
    """The body is not JSON."""

    code = "flocx.request.media_type_unsupported"


class RequestTooLarge(BadRequest):
    """The body is larger than the service takes."""

    code = "flocx.request.too_large"


class CursorInvalid(BadRequest):
    """A cursor is not the service's, or newer than its data."""

    code = "flocx.cursor.invalid"


class MarkerUnknown(BadRequest):
    """The entity a page should start after is not there."""

    code = "flocx.page.marker_unknown"


class RequirementInvalid(BadRequest):
    """A requirement triple cannot be evaluated."""

    code = "flocx.bid.requirement_invalid"


class ExpressionInvalid(BadRequest):
    """An expression is no JMESPath, or exceeds its bounds."""

    code = "flocx.expression.invalid"


class WindowInvalid(BadRequest):
    """A window is empty, past, too short, too long or too far ahead."""

    code = "flocx.window.invalid"


class PriceInvalid(BadRequest):
    """A price is no exact decimal in range."""

    code = "flocx.price.invalid"


class ProviderUnregistered(Forbidden):
    """The calling service user speaks for no registered provider."""

    code = "flocx.provider.unregistered"


class BaremetalAbsent(NotFound):
    """The provider's nodes do not come from Ironic: there is no bare-metal API to mirror."""

    code = "flocx.baremetal.absent"


class BaremetalThingNotFound(NotFound):
    """There is no such port, port group or volume connector, or the caller may not see it."""

    code = "flocx.baremetal.not_found"


class NodeNotFound(NotFound):
    """There is no such node, or the caller may not see it."""

    code = "flocx.node.not_found"


class OfferNotFound(NotFound):
    """There is no such offer, or the caller may not see it."""

    code = "flocx.offer.not_found"


class BidNotFound(NotFound):
    """There is no such bid, or the caller may not see it."""

    code = "flocx.bid.not_found"


class ContractNotFound(NotFound):
    """There is no such contract, or the caller may not see it."""

    code = "flocx.contract.not_found"


class AllocationNotFound(NotFound):
    """There is no such allocation, or the caller may not see it."""

    code = "flocx.allocation.not_found"


class ProviderNotFound(NotFound):
    """There is no such provider, or the caller may not see it."""

    code = "flocx.provider.not_found"


class InvalidTransition(Conflict):
    """The thing's status does not allow this."""

    code = "flocx.status.transition_refused"


class IdTaken(Conflict):
    """The UUID that was chosen is in use for something else."""

    code = "flocx.uuid.in_use"


class Busy(Conflict):
    """Others kept changing the same; the same request may be sent again."""

    code = "flocx.request.race_lost"


class OffersOverlap(Conflict):
    """The node is already offered in that time."""

    code = "flocx.offer.overlap"


class OfferFixed(Conflict):
    """A published offer's field cannot be changed."""

    code = "flocx.offer.fixed"


class AllocationsOverlap(Conflict):
    """The node is already promised in that time."""

    code = "flocx.allocation.overlap"


class AlreadyOver(Conflict):
    """The allocation's time is over."""

    code = "flocx.allocation.over"


class StillRunning(Conflict):
    """The allocation has not ended yet."""

    code = "flocx.allocation.still_running"


class BidMatched(Conflict):
    """The bid has a contract; that can be cancelled."""

    code = "flocx.bid.matched"


class HandedOver(Conflict):
    """A node of the contract is handed over; it can only be terminated."""

    code = "flocx.contract.handed_over"


class ProviderInUse(Conflict):
    """The provider has offers or running contracts."""

    code = "flocx.provider.in_use"


class NodeClaimed(Conflict):
    """Another manager is at work on the node."""

    code = "flocx.node.claimed"


class NodeRefused(Conflict):
    """The inventory refuses the change as the node is now."""

    code = "flocx.node.refused"


class PlacementRefused(Conflict):
    """Placement or Nova refuses a change of a project's aggregate."""

    code = "flocx.placement.refused"


class NodeTaken(Conflict):
    """The node carries somebody else's mark or lessee."""

    code = "flocx.node.taken"


class MarketRefused(Conflict):
    """The market will not have what the provider sent it."""

    code = "flocx.market.refused"


class TooEarly(MarketRefused):
    """By the market's clock it is not yet time."""

    code = "flocx.market.too_early"


class InternalError(ServiceFailed):
    """The service has failed; its log says why, under the request id."""

    code = "flocx.service.internal_error"


class Unavailable(ServiceFailed):
    """Something the service depends on does not answer."""

    code = "flocx.service.unavailable"


class InventoryUnavailable(ServiceFailed):
    """The provider's inventory does not answer."""

    code = "flocx.inventory.unavailable"


class BaremetalUnavailable(ServiceFailed):
    """The provider's Ironic does not answer."""

    code = "flocx.baremetal.unavailable"


class DirectoryUnavailable(ServiceFailed):
    """The identity service does not tell the names of projects, and one was given."""

    code = "flocx.directory.unavailable"


class PlacementUnavailable(ServiceFailed):
    """Placement or Nova does not answer."""

    code = "flocx.placement.unavailable"


class MarketUnavailable(ServiceFailed):
    """The market does not answer its provider."""

    code = "flocx.market.unavailable"


_KINDS: Mapping[int, type[RequestRefused]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: BadRequest,
}


def refusal(status: int, body: Any, request_id: str | None) -> RequestRefused:
    """Return the error for an answer with a status of 400 or more.

    Where several things are wrong it is the first that gives it its class.

    :param body: the parsed body, whatever it is.
    """
    errors = body.get("errors") if isinstance(body, dict) else None
    told = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    first = told[0] if told else {}
    code = first.get("code")
    kind = _KINDS.get(status, ServiceFailed if status >= 500 else RequestRefused)
    known = _BY_CODE.get(code) if isinstance(code, str) else None
    details = [str(error["detail"]) for error in told if "detail" in error]
    return (known if known is not None and issubclass(known, kind) else kind)(
        status,
        code,
        "; ".join(details) or "the answer says nothing more",
        field=first.get("field"),
        request_id=first.get("request_id") or request_id,
    )
