# SPDX-License-Identifier: Apache-2.0
"""What the market's controllers work with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flocx_common.api.discovery import Versions
from flocx_common.api.operation import ApiServices
from flocx_market.api.views import Names
from flocx_market.ports.store import Store
from flocx_market.services.settings import MarketSettings

#: The word for the market in the catalog and in the microversion header.
SERVICE_TYPE = "baremetal-market"
#: The lowest and the highest microversion.
VERSIONS: Versions = ((1, 0), (1, 1))


@dataclass(kw_only=True)
class MarketServices(ApiServices):
    """Store and settings of the market's API."""

    store: Store
    settings: MarketSettings
    price_unit: str

    def names(self, project_ids: Iterable[str]) -> Names:
        """Return the names of these projects, in one look-up."""
        return self.directory.names(set(project_ids))
