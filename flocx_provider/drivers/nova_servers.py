# SPDX-License-Identifier: Apache-2.0
"""Nova, as far as taking a node back needs it: deleting the server on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keystoneauth1 import exceptions as keystone_exceptions

from flocx_client.reasons import reason_of
from flocx_common.domain.ids import is_id
from flocx_provider.ports.inventory import InventoryUnavailable


class NovaServers:
    """Deletes servers, whichever project they are of.

    :param connect: returns a keystoneauth adapter of Nova; called when it is first needed.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._connected: Any = None

    def delete(self, server_uuid: str) -> bool:
        """Ask Nova to delete a server, and return whether Nova knows it. Again is harmless.

        :raises InventoryUnavailable: Nova does not answer, or does not let us.
        """
        if not is_id(server_uuid.lower()):
            return False
        try:
            if self._connected is None:
                self._connected = self._connect()
            answer = self._connected.delete(f"/servers/{server_uuid}", raise_exc=False)
        except keystone_exceptions.ClientException as error:
            raise InventoryUnavailable(f"nova: it does not answer: {reason_of(error)}") from error
        if answer.status_code == 404:
            return False
        # Being deleted already is as good.
        if answer.status_code in (202, 204, 409):
            return True
        raise InventoryUnavailable(f"nova: it does not delete server {server_uuid}: HTTP {answer.status_code}")
