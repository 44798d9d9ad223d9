# SPDX-License-Identifier: Apache-2.0
"""The errors users can meet, each with a stable code.

A class says what kind of refusal it is; the API turns kinds into HTTP
statuses in one place (``flocx_common.api.errors``). ``detail`` names the field,
the value and what was expected.
"""

from __future__ import annotations

from typing import ClassVar


class FlocxError(Exception):
    """Something was refused or could not be done.

    :param detail: one sentence for a person: field, value, expectation.
    :param field: the field at fault, as it is called in the request.
    """

    code: ClassVar[str] = "flocx.error"
    title: ClassVar[str] = "The request could not be served"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class Invalid(FlocxError):
    """The request is wrong in itself; repeating it unchanged cannot succeed."""

    code = "flocx.request.invalid"
    title = "The request is invalid"


class Unauthenticated(FlocxError):
    """The caller did not prove who it is."""

    code = "flocx.auth.unauthenticated"
    title = "Authentication is required"


class Forbidden(FlocxError):
    """The caller may see the thing but not do this to it."""

    code = "flocx.auth.forbidden"
    title = "The caller may not do this"


class NotFound(FlocxError):
    """There is no such thing, or the caller may not see it."""

    code = "flocx.request.not_found"
    title = "There is no such resource"


class Conflict(FlocxError):
    """The request contradicts the current state."""

    code = "flocx.request.conflict"
    title = "The request contradicts the current state"


class PreconditionFailed(FlocxError):
    """The entity is no longer the one the caller had seen (``If-Match``)."""

    code = "flocx.request.precondition_failed"
    title = "The resource has changed"


class Unavailable(FlocxError):
    """Something the service depends on does not answer; trying again may help."""

    code = "flocx.service.unavailable"
    title = "The service cannot answer now"


class ConfigurationInvalid(FlocxError):
    """A setting or a file named in the configuration cannot be used."""

    code = "flocx.configuration.invalid"
    title = "The configuration is invalid"


class InvalidTransition(Conflict):
    """An event is not allowed in the entity's status; nothing was changed."""

    code = "flocx.status.transition_refused"
    title = "The status does not allow this"

    def __init__(self, entity: str, status: str, event: str, statuses: tuple[str, ...]) -> None:
        while_it_is = f"only while it is {' or '.join(statuses)}" if statuses else "never"
        what = event.replace("_", " ")
        super().__init__(f"status: the {entity} is {status}; {what} is possible {while_it_is}", field="status")
        self.entity = entity
        self.status = status
        self.event = event
        self.statuses = statuses


class IdTaken(Conflict):
    """A client-chosen UUID is in use for something else."""

    code = "flocx.uuid.in_use"
    title = "The UUID is in use"


class Busy(Conflict):
    """Others kept changing the same rows; nothing was changed by this request."""

    code = "flocx.request.race_lost"
    title = "A concurrent change won"


class CursorInvalid(Invalid):
    """A cursor was not given out by this service, or is newer than its data."""

    code = "flocx.cursor.invalid"
    title = "The cursor is invalid"


class MarkerUnknown(Invalid):
    """The entity a page should start after does not exist for this caller."""

    code = "flocx.page.marker_unknown"
    title = "The marker is unknown"


class NodeNotFound(NotFound):
    """There is no such node, or the caller may not see it."""

    code = "flocx.node.not_found"
    title = "There is no such node"


class OfferNotFound(NotFound):
    """There is no such offer, or the caller may not see it."""

    code = "flocx.offer.not_found"
    title = "There is no such offer"


class BidNotFound(NotFound):
    """There is no such bid, or the caller may not see it."""

    code = "flocx.bid.not_found"
    title = "There is no such bid"


class ContractNotFound(NotFound):
    """There is no such contract, or the caller may not see it."""

    code = "flocx.contract.not_found"
    title = "There is no such contract"


class AllocationNotFound(NotFound):
    """There is no such allocation, or the caller may not see it."""

    code = "flocx.allocation.not_found"
    title = "There is no such allocation"


class ProviderNotFound(NotFound):
    """There is no such provider, or the caller may not see it."""

    code = "flocx.provider.not_found"
    title = "There is no such provider"


class RequirementInvalid(Invalid):
    """A requirement triple cannot be evaluated; found when the bid is placed."""

    code = "flocx.bid.requirement_invalid"
    title = "A requirement is invalid"


class ExpressionInvalid(Invalid):
    """An expression is no JMESPath, or exceeds its bounds."""

    code = "flocx.expression.invalid"
    title = "An expression is invalid"


class WindowInvalid(Invalid):
    """A window is empty, past, too short, too long or too far ahead."""

    code = "flocx.window.invalid"
    title = "The window is invalid"


class PriceInvalid(Invalid):
    """A price is no exact decimal in range."""

    code = "flocx.price.invalid"
    title = "The price is invalid"


class OffersOverlap(Conflict):
    """A node would have two offers at one instant."""

    code = "flocx.offer.overlap"
    title = "The node is already offered in that time"


class AllocationsOverlap(Conflict):
    """A node would be promised twice at one instant."""

    code = "flocx.allocation.overlap"
    title = "The node is already promised in that time"


class BidMatched(Conflict):
    """A bid with a contract cannot be cancelled; its contract can."""

    code = "flocx.bid.matched"
    title = "The bid has a contract"


class ProviderInUse(Conflict):
    """A provider with offers or running contracts cannot be removed."""

    code = "flocx.provider.in_use"
    title = "The provider is in use"


class ProviderUnregistered(Forbidden):
    """The calling service user speaks for no registered provider."""

    code = "flocx.provider.unregistered"
    title = "The caller speaks for no provider"
