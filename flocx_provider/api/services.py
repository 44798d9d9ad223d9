# SPDX-License-Identifier: Apache-2.0
"""What the provider's controllers work with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flocx_common.api.discovery import Versions
from flocx_common.api.operation import ApiServices
from flocx_provider.api.views import Names
from flocx_provider.ports.inventory import NodeInventory
from flocx_provider.ports.store import Store
from flocx_provider.services.settings import ProviderSettings

#: The word for a provider in the catalog and in the microversion header.
SERVICE_TYPE = "baremetal-provider"
#: The lowest and the highest microversion.
VERSIONS: Versions = ((1, 0), (1, 0))


@dataclass(kw_only=True)
class ProviderServices(ApiServices):
    """Store, inventory and settings of the provider's API."""

    store: Store
    inventory: NodeInventory
    settings: ProviderSettings

    def names(self, project_ids: Iterable[str | None]) -> Names:
        """Return the names of these projects, in one look-up."""
        return self.directory.names({project for project in project_ids if project is not None})
