# SPDX-License-Identifier: Apache-2.0
"""Makes Neutron's tables from its models, in Neutron's environment: its migrations do not run on SQLite."""

from __future__ import annotations

import importlib
import sys

import sqlalchemy


def main() -> None:
    """Make the tables in the database whose URL is the argument."""
    engine = sqlalchemy.create_engine(sys.argv[1])
    importlib.import_module("neutron.db.migration.models.head").get_metadata().create_all(engine)
    engine.dispose()


if __name__ == "__main__":
    main()
