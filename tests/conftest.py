# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests: databases of the three kinds, and hypothesis profiles."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from flocx_common.testing.databases import KINDS, MigratedDatabase, empty_database, unavailable

# Deadlines measure the machine; examples are random, and what fails is printed.
hypothesis.settings.register_profile("default", deadline=None, print_blob=True, max_examples=100)
hypothesis.settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("FLOCX_TEST_PROFILE", "default"))

# Shells start what runs in the background with Ctrl-C ignored, and every process that a test starts would
# inherit that; tests press Ctrl-C, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Set where a missing database is a failure and not a reason to skip.
REQUIRED = os.environ.get("FLOCX_TEST_REQUIRE_DATABASES", "") not in ("", "0")

_reasons: dict[str, str | None] = {}


def need_database(kind: str) -> None:
    """Skip the test, or fail it where that is forbidden, when there is no database of a kind."""
    if kind not in _reasons:
        _reasons[kind] = unavailable(kind)
    reason = _reasons[kind]
    if reason is not None:
        (pytest.fail if REQUIRED else pytest.skip)(reason)


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """A word that tells apart test processes running at the same time."""
    return f"{getattr(request.config, 'workerinput', {}).get('workerid', 'main')}_{os.getpid()}"


@pytest.fixture(params=KINDS, scope="session")
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of database in turn."""
    need_database(request.param)
    return str(request.param)


@pytest.fixture
def database_url(kind: str, worker: str, tmp_path) -> Iterator[str]:
    """The URL of a database without tables, of every kind in turn."""
    with empty_database(kind, f"flocx_test_{worker}_empty", tmp_path) as url:
        yield url


def _migrated(kind: str, worker: str, service: str, directory) -> Iterator[MigratedDatabase]:
    with empty_database(kind, f"flocx_test_{worker}_{service}", directory) as url:
        migrated = MigratedDatabase(url, f"flocx_migrations_{service}")
        yield migrated
        migrated.close()


@pytest.fixture(scope="session")
def migrated_market(kind: str, worker: str, tmp_path_factory) -> Iterator[MigratedDatabase]:
    """The market's database, of every kind in turn."""
    yield from _migrated(kind, worker, "market", tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="session")
def migrated_provider(kind: str, worker: str, tmp_path_factory) -> Iterator[MigratedDatabase]:
    """The provider's database, of every kind in turn."""
    yield from _migrated(kind, worker, "provider", tmp_path_factory.mktemp("provider"))


@pytest.fixture(scope="session")
def sqlite_market(worker: str, tmp_path_factory) -> Iterator[MigratedDatabase]:
    """The market's database on SQLite, for tests to which the kind does not matter."""
    yield from _migrated("sqlite", worker, "market", tmp_path_factory.mktemp("sqlite_market"))


@pytest.fixture(scope="session")
def sqlite_provider(worker: str, tmp_path_factory) -> Iterator[MigratedDatabase]:
    """The provider's database on SQLite, for tests to which the kind does not matter."""
    yield from _migrated("sqlite", worker, "provider", tmp_path_factory.mktemp("sqlite_provider"))
