# SPDX-License-Identifier: Apache-2.0
"""Fixtures that the suites of several ports share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flocx_common.db.engine import create_engine
from flocx_common.db.transactions import Database

#: A place of each kind at which no database answers.
_NOWHERE = {
    "sqlite": "sqlite:////nowhere/at/all.sqlite",
    "postgresql": "postgresql+psycopg://nobody@127.0.0.1:1/none",
    "mariadb": "mysql+pymysql://nobody@127.0.0.1:1/none",
}


@pytest.fixture
def silent_database(kind: str) -> Iterator[Database]:
    """A database that does not answer, of every kind in turn."""
    database = Database(create_engine(_NOWHERE[kind]))
    yield database
    database.dispose()
