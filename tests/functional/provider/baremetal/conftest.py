# SPDX-License-Identifier: Apache-2.0
"""A provider's application in front of an Ironic in memory, with nodes of two owners, some handed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import session as ksa_session
from keystoneauth1 import token_endpoint

from flocx_common.api.app import assembled
from flocx_common.api.auth import authenticated
from flocx_common.api.health import Readiness
from flocx_common.api.policy import Policy
from flocx_common.domain.holders import MARK, NodeAttributes
from flocx_common.testing.clock import FrozenClock
from flocx_provider import bootstrap
from flocx_provider.api.baremetal import mirrored
from flocx_provider.api.baremetal_exchange import MirrorServices
from flocx_provider.api.services import SERVICE_TYPE, VERSIONS
from flocx_provider.db.store import ProviderStore
from flocx_provider.domain.allocation import AllocationStatus, Contract
from flocx_provider.domain.private_properties import PrivateProperties
from flocx_provider.drivers.baremetal_http import BaremetalHttp
from flocx_provider.policies.rules import list_rules
from flocx_provider.services.baremetal import Nodes
from tests.builders import NOW, at, uid
from tests.fake_baremetal import TOKEN, FakeBaremetal, Wire
from tests.harness import Browser, write_conf, write_users
from tests.unit.provider.builders import provider_allocation

A, B = "p-owner-a", "p-owner-b"
LESSEE, OTHER = "p-consumer-a", "p-consumer-b"

#: Answered where the mirror does not: what the rest of the provider would say.
ELSEWHERE = b'{"elsewhere": true}'


def elsewhere(environ, start_response):
    """Serve what is not below /baremetal."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [ELSEWHERE]


class Mirror:
    """An Ironic, the provider's application in front of it, and what the provider has written down.

    The nodes: n1 is owner-a's and held by consumer-a under a running contract,
    n2 is owner-b's, n3 owner-a's and free, n4 nobody's, n5 is owner-b's and held
    by consumer-b, n6 is owner-a's and still names consumer-a, whose contract is over.
    """

    def __init__(
        self, directory: Path, database: Any, url: str, clock: FrozenClock, attributes: NodeAttributes, policy: str
    ) -> None:
        self.ironic = FakeBaremetal()
        self.clock = clock
        self.attributes = attributes
        self.store = ProviderStore(database)
        write_users(directory)
        (directory / "policy.yaml").write_text(policy)
        sections = {
            "api": {"auth_strategy": "http_basic"},
            "http_basic": {"htpasswd_file": directory / "htpasswd", "users_file": directory / "users.yaml"},
            "database": {"connection": url},
            "oslo_policy": {"policy_file": directory / "policy.yaml"},
        }
        self.conf = bootstrap.configuration(["--config-file", str(write_conf(directory, "provider.conf", sections))])
        http = requests.Session()
        self.wire = Wire(self.ironic)
        http.mount("http://ironic.test", self.wire)
        auth = token_endpoint.Token("http://ironic.test/v1/", TOKEN)
        adapter = ksa_adapter.Adapter(ksa_session.Session(auth=auth, session=http), service_type="baremetal")
        self.service = BaremetalHttp(lambda: adapter, largest=1_000_000)
        self.services = MirrorServices(
            service=self.service,
            nodes=Nodes(service=self.service, store=self.store, attributes=attributes),
            policy=Policy(self.conf, list_rules()),
            private=PrivateProperties(["**.serial"]),
            clock=clock,
            public_endpoint=None,
        )
        self.app = self.around(self.services)

    def around(self, services: MirrorServices | None) -> Any:
        """Return the whole application."""
        app, _ = authenticated(mirrored(elsewhere, services), self.conf)
        return assembled(app, self.conf, readiness=Readiness({}), service_type=SERVICE_TYPE, versions=VERSIONS)

    def browser(self, user: str | None) -> Browser:
        """Return a user's browser; None for one without credentials."""
        return Browser(self.app, user)

    def node(
        self, number: int, owner: str | None, lessee: str | None = None, mark: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """Add a node to Ironic, as the configured attributes have it."""
        properties = {"cpus": 8 * number, "cpu_arch": "x86_64", "serial": "S1", "rack": "r1"}
        if mark is not None:
            properties[MARK] = mark
        fields: dict[str, Any] = {"owner": None, "lessee": None}
        for attribute, value in ((self.attributes.owner, owner), (self.attributes.lessee, lessee)):
            key = attribute.removeprefix("properties/")
            if value is not None:
                (fields if key == attribute else properties)[key] = value
        return self.ironic.add(
            "nodes",
            **{
                "uuid": uid(1000 + number),
                "name": f"n{number}",
                "power_state": "power off",
                "provision_state": "active" if lessee else "available",
                "maintenance": False,
                "instance_uuid": None,
                "resource_class": "baremetal",
                "driver": "ipmi",
                "driver_info": {"ipmi_address": "10.0.0.9", "ipmi_password": "secret word"},
                "driver_internal_info": {"agent_secret_token": "secret word"},
                "instance_info": {"image_source": "http://images/x", "configdrive": "secret word"},
                "extra": {"note": "the owner's"},
                "description": f"machine {number}",
                "reservation": "conductor-1",
                "conductor": "conductor-1",
                "last_error": "10.0.0.9 did not answer",
                "traits": ["HW_CPU_X86_VMX"],
                "properties": properties,
                **fields,
                **more,
            },
        )

    def contract(self, number: int, lessee: str, **over: Any) -> str:
        """Write down an allocation of a node that is handed over; return its contract."""
        allocation = provider_allocation(
            number, lessee_project_id=lessee, market_status="active", status=AllocationStatus.ACTIVE, **over
        )
        contract = Contract(
            uuid=allocation.contract_uuid,
            lessee_project_id=lessee,
            start_time=allocation.start_time,
            end_time=allocation.end_time,
            status="active",
            status_reason=None,
        )

        def write(uow: Any) -> None:
            uow.contracts.put(contract)
            uow.allocations.add(allocation)

        self.store.write(write)
        return allocation.contract_uuid

    def furnish(self) -> None:
        """Add the nodes and what belongs to them."""
        self.node(1, A, LESSEE, self.contract(1, LESSEE))
        self.node(2, B)
        self.node(3, A)
        self.node(4, None)
        self.node(5, B, OTHER, self.contract(5, OTHER))
        self.node(6, A, LESSEE, self.contract(6, LESSEE, start_time=at(-20), end_time=at(-1)))
        for number in (1, 2, 3):
            common = {"node_uuid": uid(1000 + number), "extra": {}}
            self.ironic.add("ports", uuid=uid(2000 + number), address=f"02:00:00:00:00:0{number}", **common)
            self.ironic.add("portgroups", uuid=uid(3000 + number), name=f"g{number}", address=None, **common)
            self.ironic.add("connectors", uuid=uid(4000 + number), type="iqn", connector_id=f"c{number}", **common)


@pytest.fixture
def policy() -> str:
    """The text of the policy file."""
    return ""


@pytest.fixture
def attributes() -> NodeAttributes:
    """Where nodes say whose they are."""
    return NodeAttributes()


@pytest.fixture
def mirror(tmp_path, sqlite_provider, attributes, policy) -> Mirror:
    """A furnished mirror."""
    made = Mirror(tmp_path, sqlite_provider.renew(), sqlite_provider.url, FrozenClock(NOW), attributes, policy)
    made.furnish()
    return made
