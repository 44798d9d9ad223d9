# SPDX-License-Identifier: Apache-2.0
"""The people of the story: each with credentials from clouds.yaml, as anybody would have them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from openstack.config import loader

from flocx_client.market import MarketClient
from flocx_client.provider import ProviderClient


@dataclass(frozen=True, slots=True)
class Person:
    """One user, with clients of the market and of both providers."""

    name: str
    market: MarketClient
    providers: tuple[ProviderClient, ProviderClient]


def person(name: str, clouds_yaml: Path, second_provider_url: str) -> Person:
    """Return the person that a cloud of ``clouds.yaml`` stands for."""
    config = loader.OpenStackConfig(config_files=[str(clouds_yaml)], load_envvars=False)
    cloud = config.get_one(cloud=name)
    session = cloud.get_session()
    return Person(
        name,
        MarketClient(session, endpoint_override=cloud.get_endpoint("baremetal-market")),
        (
            ProviderClient(session, endpoint_override=cloud.get_endpoint("baremetal-provider")),
            ProviderClient(session, endpoint_override=second_provider_url),
        ),
    )
