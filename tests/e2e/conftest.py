# SPDX-License-Identifier: Apache-2.0
"""Deployments for tests that need real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from flocx_common.testing.databases import empty_database
from tests.builders import uid
from tests.conftest import need_database
from tests.e2e.deployment import Deployment

MACHINES = [
    {
        "uuid": uid(2000 + number),
        "name": f"m{number}",
        "owner": "owner-a" if number % 2 else "owner-b",
        "resource_class": "baremetal",
        "cpus": 32,
    }
    for number in range(1, 9)
]


@pytest.fixture
def deploy(worker: str, tmp_path: Path) -> Iterator[Callable[..., Deployment]]:
    """Make a deployment on databases of a kind; everything is stopped and dropped in the end."""
    closing = []

    def made(kind: str = "sqlite", environment: Mapping[str, str] | None = None) -> Deployment:
        need_database(kind)
        urls = []
        for service in ("market", "provider"):
            database = empty_database(kind, f"flocx_test_{worker}_e2e_{service}", tmp_path)
            urls.append(database.__enter__())
            closing.append(lambda database=database: database.__exit__(None, None, None))
        deployment = Deployment(tmp_path, *urls, MACHINES, environment)
        closing.append(deployment.stop)
        deployment.sync()
        return deployment

    yield made
    for close in reversed(closing):
        close()
