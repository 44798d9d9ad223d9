# SPDX-License-Identifier: Apache-2.0
"""Ironic's API as the driver uses it: a few calls, and failures in the words of the port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ironicclient import client as ironic_client
from ironicclient import exc as ironic_exceptions
from keystoneauth1 import exceptions as keystone_exceptions

from flocx_client.reasons import reason_of
from flocx_common.domain.ids import is_id
from flocx_provider.domain.baremetal_routes import is_name
from flocx_provider.ports.inventory import InventoryUnavailable, NodeRefused

#: The microversion that all calls are made in: the first that has inspection inventories.
MICROVERSION = "1.81"

#: What is asked of each node; one list asks it of all.
FIELDS = [
    "uuid",
    "name",
    "owner",
    "lessee",
    "properties",
    "traits",
    "resource_class",
    "maintenance",
    "fault",
    "power_state",
    "provision_state",
    "instance_uuid",
    "inspection_finished_at",
]

Node = Mapping[str, Any]


class IronicClient:
    """Calls of Ironic with python-ironicclient, which repeats changes while Ironic has a node locked.

    Questions are not repeated: whoever asks for a person must not keep that
    person waiting, and jobs ask again by themselves. Nothing is connected before the first call, so that a silent Ironic delays no start.

    :param connect: returns a keystoneauth session, and the endpoint to use.
    """

    def __init__(self, connect: Callable[[], tuple[Any, str]], *, max_retries: int, retry_interval: int) -> None:
        self._connect = connect
        self._retries: dict[str, Any] = {"max_retries": max_retries, "retry_interval": retry_interval}
        self._lock = threading.Lock()
        self._reader: Any = None
        self._writer: Any = None

    def nodes(self, limit: int = 0) -> Sequence[Node]:
        """Return all nodes, or the first ones, by as many calls as there are pages.

        :raises InventoryUnavailable: Ironic does not answer.
        """
        with _told():
            return [one.to_dict() for one in self._reads().node.list(limit=limit, fields=FIELDS)]

    def node(self, name_or_uuid: str) -> Node | None:
        """Return a node by name or uuid.

        :raises InventoryUnavailable: Ironic does not answer.
        """
        wanted = name_or_uuid.lower() if is_id(name_or_uuid.lower()) else name_or_uuid
        if not is_name(wanted):
            return None
        with _told():
            try:
                found: Node = self._reads().node.get(wanted, fields=FIELDS).to_dict()
            except ironic_exceptions.NotFound:
                return None
        return found if wanted in (found.get("uuid"), found.get("name")) else None

    def patch(self, node_uuid: str, changes: Sequence[Mapping[str, Any]]) -> None:
        """Apply a JSON patch to a node.

        :raises NodeRefused: Ironic refuses it as the node is now.
        :raises InventoryUnavailable: Ironic does not answer.
        """
        with _told(node_uuid):
            self._writes().node.update(node_uuid, list(changes))

    def inspection(self, node_uuid: str) -> Mapping[str, Any]:
        """Return what the last inspection of a node found; nothing where there is none.

        :raises InventoryUnavailable: Ironic does not answer.
        """
        with _told():
            try:
                found = self._reads().node.get_inventory(node_uuid)
            except (ironic_exceptions.NotFound, ironic_exceptions.BadRequest):
                return {}
        return found if isinstance(found, Mapping) else {}

    def undeploy(self, node_uuid: str) -> None:
        """Begin to undo the deployment of a node.

        :raises NodeRefused: Ironic refuses it as the node is now.
        :raises InventoryUnavailable: Ironic does not answer.
        """
        with _told(node_uuid):
            self._writes().node.set_provision_state(node_uuid, "deleted")

    def _reads(self) -> Any:
        with self._lock:
            if self._reader is None:
                self._reader = self._made(max_retries=0, retry_interval=1)
            return self._reader

    def _writes(self) -> Any:
        with self._lock:
            if self._writer is None:
                self._writer = self._made(**self._retries)
            return self._writer

    def _made(self, **retries: Any) -> Any:
        session, endpoint = self._connect()
        return ironic_client.get_client(
            "1", session=session, endpoint=endpoint, os_ironic_api_version=MICROVERSION, **retries
        )


@contextmanager
def _told(changed: str | None = None) -> Iterator[None]:
    """Say in the port's words what went wrong.

    The words are the same for each try, so that a log tells a change of state once.

    :param changed: the node that was to be changed; what Ironic then says of the request is a refusal.
    """
    try:
        yield
    except InventoryUnavailable:
        raise
    except (ironic_exceptions.Conflict, ironic_exceptions.BadRequest, ironic_exceptions.NotFound) as error:
        if changed is None:
            raise InventoryUnavailable(f"inventory: Ironic refuses: {reason_of(error)}") from error
        raise NodeRefused(f"node: {changed}: Ironic refuses the change: {reason_of(error)}") from error
    except (ironic_exceptions.Unauthorized, keystone_exceptions.Unauthorized) as error:
        raise InventoryUnavailable(
            "inventory: Ironic or Keystone does not accept the credentials of [ironic]"
        ) from error
    except (ironic_exceptions.Forbidden, keystone_exceptions.Forbidden) as error:
        raise InventoryUnavailable(
            "inventory: Ironic does not let the user of [ironic] do this: it needs the role service, with "
            "rbac_service_role_elevated_access in Ironic, or a system scope"
        ) from error
    except (ironic_exceptions.NotAcceptable, ironic_exceptions.UnsupportedVersion) as error:
        raise InventoryUnavailable(f"inventory: Ironic with API version {MICROVERSION} or later is expected") from error
    except (ironic_exceptions.ClientException, keystone_exceptions.ClientException) as error:
        raise InventoryUnavailable(f"inventory: Ironic does not answer: {reason_of(error)}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # Something answers, but it is not Ironic: a proxy's page, say.
        raise InventoryUnavailable("inventory: what answers there does not answer as Ironic would") from error
