# SPDX-License-Identifier: Apache-2.0
"""The bare-metal service, as what passes requests on to it sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flocx_common.domain.errors import Unavailable
from flocx_common.domain.json_values import JSON


class BaremetalUnavailable(Unavailable):
    """Ironic does not answer, or not in a way that can be passed on."""

    code = "flocx.baremetal.unavailable"
    title = "The bare-metal service does not answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaremetalRequest:
    """One request to Ironic.

    ``path`` begins with a slash and is made of segments that need no quoting.
    ``body`` None sends none. ``version`` is the microversion as it is written
    in the header, None for Ironic's lowest. ``anonymous`` sends it without credentials.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: JSON = None
    version: str | None = None
    request_id: str | None = None
    anonymous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BaremetalAnswer:
    """What Ironic answers. ``body`` None is none; ``headers`` are those worth passing on."""

    status: int
    body: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)


class BaremetalService(Protocol):
    """Ironic, reached with the provider's own credentials."""

    def send(self, request: BaremetalRequest) -> BaremetalAnswer:
        """Send a request once and return what is answered, refusals included.

        :raises BaremetalUnavailable: there is no answer, in time or within bounds, or
            it is about the provider's credentials and not about the request.
        """
