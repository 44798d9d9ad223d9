# SPDX-License-Identifier: Apache-2.0
"""What the tables of both services have in common."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from flocx_common.db.types import JSONText, UTCDateTime, text, uuid_text

#: Every constraint has a name that can be guessed, so that migrations can drop it.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

#: MySQL and MariaDB: transactional tables that hold every character.
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def new_metadata() -> sa.MetaData:
    """Return empty metadata with the naming convention."""
    return sa.MetaData(naming_convention=NAMING)


def change_counter_table(metadata: sa.MetaData) -> sa.Table:
    """Define the one-row table that numbers changes in the order of their commits."""
    return sa.Table(
        "change_counter",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        **MYSQL,
    )


def event_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """Define the tables of events and of the projects that may see each."""
    events = sa.Table(
        "events",
        metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("event_type", text(64), nullable=False),
        sa.Column("entity_uuid", uuid_text(), nullable=False),
        sa.Column("occurred_at", UTCDateTime, nullable=False),
        sa.Column("reason", text(1024)),
        sa.Column("detail", JSONText, nullable=False),
        sa.UniqueConstraint("uuid"),
        sa.Index(None, "entity_uuid"),
        sa.Index(None, "event_type", "number"),
        **MYSQL,
    )
    event_projects = sa.Table(
        "event_projects",
        metadata,
        sa.Column("project_id", text(64), primary_key=True),
        sa.Column("number", sa.BigInteger, sa.ForeignKey("events.number"), primary_key=True, autoincrement=False),
        **MYSQL,
    )
    return events, event_projects


def node_table(metadata: sa.MetaData) -> sa.Table:
    """Define the table of node generations.

    Whatever changes what a node can be sold for bumps its row in the same
    transaction, by compare-and-set, so that of two such changes one loses.
    """
    return sa.Table(
        "nodes",
        metadata,
        sa.Column("node_uuid", uuid_text(), primary_key=True),
        sa.Column("generation", sa.BigInteger, nullable=False),
        **MYSQL,
    )
