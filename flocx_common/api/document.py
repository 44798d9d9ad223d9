# SPDX-License-Identifier: Apache-2.0
"""The controller that serves a service's OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from flocx_common.api import openapi
from flocx_common.api.discovery import Versions, spelled
from flocx_common.api.operation import Answer, ApiServices, Call, Controller, Operation, operation


class OpenApiController(Controller[ApiServices]):
    """The OpenAPI document, made once.

    :param served: returns every operation of the service.
    """

    def __init__(
        self,
        services: ApiServices,
        served: Callable[[], Iterable[Operation]],
        *,
        title: str,
        service_type: str,
        versions: Versions,
    ) -> None:
        super().__init__(services)
        self._served = served
        self._title, self._service_type, self._versions = title, service_type, versions

    @operation(
        method="GET",
        path="/v1/openapi.json",
        summary="Show the OpenAPI document",
        policy=None,
        answers={200: {"type": "object"}},
    )
    def show(self, call: Call[ApiServices]) -> Answer:
        """Show the document."""
        return Answer(body=self._document)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return openapi.document(
            self._served(),
            title=self._title,
            version=spelled(self._versions[1]),
            service_type=self._service_type,
            limits=self._services.page_limits,
        )
