# SPDX-License-Identifier: Apache-2.0
"""Runs the migrations: on the connection it is given, or on ``-x url=...``."""

import sqlalchemy as sa
from alembic import context

from flocx_market.db.models import metadata


def run(connection: sa.engine.Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=False)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = context.get_x_argument(as_dictionary=True).get("url")
    if url is None:
        raise SystemExit("say which database: alembic -x url=sqlite:////tmp/market.db ...")
    with sa.create_engine(url).begin() as connection:
        run(connection)
