# SPDX-License-Identifier: Apache-2.0
"""The provider's tables."""

from __future__ import annotations

import sqlalchemy as sa

from flocx_common.db.schema import MYSQL, change_counter_table, event_tables, new_metadata, node_table
from flocx_common.db.types import ExactDecimal, JSONText, UTCDateTime, text, uuid_text

metadata = new_metadata()

change_counter = change_counter_table(metadata)
events, event_projects = event_tables(metadata)
nodes = node_table(metadata)

#: One row: where this provider stands with the market.
registration = sa.Table(
    "registration",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("provider_uuid", uuid_text()),
    sa.Column("market_cursor", text(255)),
    **MYSQL,
)

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("uuid", uuid_text(), primary_key=True),
    sa.Column("name", text(255)),
    sa.Column("owner_project_id", text(64), nullable=False),
    sa.Column("node_uuid", uuid_text(), sa.ForeignKey("nodes.node_uuid"), nullable=False),
    sa.Column("node_name", text(255)),
    sa.Column("resource_class", text(255)),
    sa.Column("properties", JSONText, nullable=False),
    sa.Column("start_time", UTCDateTime, nullable=False),
    sa.Column("end_time", UTCDateTime),
    sa.Column("reserve_price", ExactDecimal, nullable=False),
    sa.Column("min_duration", sa.BigInteger, nullable=False),
    sa.Column("lessee_project_ids", JSONText),
    sa.Column("problem", text(1024)),
    sa.Column("status", text(16), nullable=False),
    sa.Column("status_reason", text(1024)),
    sa.Column("publication", text(16), nullable=False),
    sa.Column("publication_reason", text(1024)),
    sa.Column("request_digest", text(32), nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.CheckConstraint("end_time IS NULL OR end_time > start_time", name="window"),
    sa.Index(None, "node_uuid", "status"),
    sa.Index(None, "status"),
    sa.Index(None, "publication", "updated_at"),
    sa.Index(None, "owner_project_id"),
    **MYSQL,
)

contracts = sa.Table(
    "contracts",
    metadata,
    sa.Column("uuid", uuid_text(), primary_key=True),
    sa.Column("lessee_project_id", text(64), nullable=False),
    sa.Column("start_time", UTCDateTime, nullable=False),
    sa.Column("end_time", UTCDateTime, nullable=False),
    sa.Column("status", text(16), nullable=False),
    sa.Column("status_reason", text(1024)),
    sa.Index(None, "lessee_project_id"),
    **MYSQL,
)

allocations = sa.Table(
    "allocations",
    metadata,
    sa.Column("uuid", uuid_text(), primary_key=True),
    sa.Column("contract_uuid", uuid_text(), sa.ForeignKey("contracts.uuid"), nullable=False),
    # No foreign key: a lost offer must not keep a node from being taken back.
    sa.Column("offer_uuid", uuid_text(), nullable=False),
    sa.Column("node_uuid", uuid_text(), nullable=False),
    sa.Column("node_name", text(255)),
    sa.Column("owner_project_id", text(64), nullable=False),
    sa.Column("lessee_project_id", text(64), nullable=False),
    sa.Column("start_time", UTCDateTime, nullable=False),
    sa.Column("end_time", UTCDateTime, nullable=False),
    sa.Column("clearing_price", ExactDecimal, nullable=False),
    sa.Column("amount", ExactDecimal, nullable=False),
    sa.Column("market_status", text(16), nullable=False),
    sa.Column("status", text(16), nullable=False),
    sa.Column("status_reason", text(1024)),
    sa.Column("delivered_from", UTCDateTime),
    sa.Column("delivered_until", UTCDateTime),
    sa.Column("breach", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("reported", text(16), nullable=False),
    sa.Column("settled", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("trouble", text(1024)),
    sa.Column("trouble_since", UTCDateTime),
    sa.Column("noticed_at", UTCDateTime),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.CheckConstraint("end_time >= start_time", name="window"),
    sa.Index(None, "settled"),
    sa.Index(None, "market_status"),
    sa.Index(None, "node_uuid", "start_time"),
    sa.Index(None, "contract_uuid"),
    sa.Index(None, "owner_project_id"),
    **MYSQL,
)

#: What the static driver knows of its machines beyond the inventory file.
static_nodes = sa.Table(
    "static_nodes",
    metadata,
    sa.Column("node_uuid", uuid_text(), primary_key=True),
    sa.Column("down_reason", text(1024)),
    sa.Column("lessee_project_id", text(64)),
    sa.Column("contract_uuid", uuid_text()),
    **MYSQL,
)

#: Which manager writes to a node at the moment, where the inventory cannot tell.
node_claims = sa.Table(
    "node_claims",
    metadata,
    sa.Column("node_uuid", uuid_text(), primary_key=True),
    sa.Column("holder", text(255)),
    sa.Column("until", UTCDateTime),
    **MYSQL,
)

#: What the last inspection found in machines that were offered.
inspections = sa.Table(
    "inspections",
    metadata,
    sa.Column("node_uuid", uuid_text(), primary_key=True),
    sa.Column("inspected_at", text(64), nullable=False),
    sa.Column("found", JSONText, nullable=False),
    **MYSQL,
)
