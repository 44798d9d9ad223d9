# SPDX-License-Identifier: Apache-2.0
"""The market's tables.

Rules that must hold whatever the code does are constraints here or, where a
database needs statements of its own for them, in the first migration.
"""

from __future__ import annotations

import sqlalchemy as sa

from flocx_common.db.schema import MYSQL, change_counter_table, event_tables, new_metadata, node_table
from flocx_common.db.types import ExactDecimal, JSONText, UTCDateTime, text, uuid_text

metadata = new_metadata()

change_counter = change_counter_table(metadata)
events, event_projects = event_tables(metadata)
nodes = node_table(metadata)

providers = sa.Table(
    "providers",
    metadata,
    sa.Column("uuid", uuid_text(), primary_key=True),
    sa.Column("name", text(255), nullable=False),
    sa.Column("service_user_id", text(64), nullable=False),
    sa.Column("turnaround", sa.Integer, nullable=False),
    sa.Column("last_heartbeat_at", UTCDateTime, nullable=False),
    sa.Column("silent", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("request_digest", text(32), nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("removed_at", UTCDateTime),
    # Equal to the uuid once removed, else empty: names and users can be used again.
    sa.Column("removal", text(36), nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("name", "removal"),
    sa.UniqueConstraint("service_user_id", "removal"),
    **MYSQL,
)

hardware_documents = sa.Table(
    "hardware_documents",
    metadata,
    sa.Column("digest", text(32), primary_key=True),
    sa.Column("document", JSONText, nullable=False),
    **MYSQL,
)

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("uuid", uuid_text(), primary_key=True),
    sa.Column("name", text(255)),
    sa.Column("provider_uuid", uuid_text(), sa.ForeignKey("providers.uuid"), nullable=False),
    sa.Column("owner_project_id", text(64), nullable=False),
    sa.Column("resource_type", text(32), nullable=False),
    sa.Column("node_uuid", uuid_text(), sa.ForeignKey("nodes.node_uuid"), nullable=False),
    sa.Column("node_name", text(255)),
    sa.Column("resource_class", text(255)),
    sa.Column("properties_digest", text(32), sa.ForeignKey("hardware_documents.digest"), nullable=False),
    sa.Column("start_time", UTCDateTime, nullable=False),
    sa.Column("end_time", UTCDateTime),
    sa.Column("reserve_price", ExactDecimal, nullable=False),
    sa.Column("min_duration", sa.BigInteger, nullable=False),
    sa.Column("lessee_project_ids", JSONText),
    sa.Column("health_problem", text(1024)),
    sa.Column("status", text(16), nullable=False),
    sa.Column("status_reason", text(1024)),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.CheckConstraint("end_time IS NULL OR end_time > start_time", name="window"),
    sa.Index(None, "node_uuid", "status"),
    sa.Index(None, "status", "end_time"),
    sa.Index(None, "provider_uuid", "status"),
    sa.Index(None, "owner_project_id"),
    **MYSQL,
)

#: The projects a restricted offer is for; an offer for everyone has none.
offer_lessees = sa.Table(
    "offer_lessees",
    metadata,
    sa.Column("project_id", text(64), primary_key=True),
    sa.Column("offer_uuid", uuid_text(), sa.ForeignKey("offers.uuid"), primary_key=True),
    sa.Index(None, "offer_uuid"),
    **MYSQL,
)

bids = sa.Table(
    "bids",
    metadata,
    sa.Column("uuid", uuid_text(), primary_key=True),
    sa.Column("name", text(255)),
    sa.Column("project_id", text(64), nullable=False),
    sa.Column("requirements", JSONText, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("start_time", UTCDateTime, nullable=False),
    sa.Column("end_time", UTCDateTime, nullable=False),
    sa.Column("duration", sa.BigInteger),
    sa.Column("limit_price", ExactDecimal, nullable=False),
    sa.Column("spread", JSONText),
    sa.Column("together", text(1024)),
    sa.Column("offer_uuids", JSONText),
    sa.Column("status", text(16), nullable=False),
    sa.Column("status_reason", text(1024)),
    sa.Column("request_digest", text(32), nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.CheckConstraint("end_time > start_time", name="window"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
    sa.Index(None, "status", "end_time"),
    sa.Index(None, "project_id"),
    **MYSQL,
)

contracts = sa.Table(
    "contracts",
    metadata,
    sa.Column("uuid", uuid_text(), primary_key=True),
    sa.Column("bid_uuid", uuid_text(), sa.ForeignKey("bids.uuid"), nullable=False),
    # The bid while the contract binds it, the contract itself afterwards:
    # unique, so that a bid has at most one live contract.
    sa.Column("binding_key", uuid_text(), nullable=False),
    sa.Column("lessee_project_id", text(64), nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("start_time", UTCDateTime, nullable=False),
    sa.Column("end_time", UTCDateTime, nullable=False),
    sa.Column("clearing_price", ExactDecimal, nullable=False),
    sa.Column("amount", ExactDecimal, nullable=False),
    sa.Column("price_rule", text(32), nullable=False),
    sa.Column("status", text(16), nullable=False),
    sa.Column("status_reason", text(1024)),
    sa.Column("notified_at", UTCDateTime),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("binding_key"),
    sa.CheckConstraint("end_time >= start_time", name="window"),
    sa.Index(None, "status", "end_time"),
    sa.Index(None, "lessee_project_id"),
    sa.Index(None, "bid_uuid"),
    **MYSQL,
)

allocations = sa.Table(
    "allocations",
    metadata,
    sa.Column("uuid", uuid_text(), primary_key=True),
    sa.Column("contract_uuid", uuid_text(), sa.ForeignKey("contracts.uuid"), nullable=False),
    sa.Column("offer_uuid", uuid_text(), sa.ForeignKey("offers.uuid"), nullable=False),
    sa.Column("provider_uuid", uuid_text(), sa.ForeignKey("providers.uuid"), nullable=False),
    sa.Column("node_uuid", uuid_text(), sa.ForeignKey("nodes.node_uuid"), nullable=False),
    sa.Column("node_name", text(255)),
    sa.Column("owner_project_id", text(64), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("start_time", UTCDateTime, nullable=False),
    sa.Column("end_time", UTCDateTime, nullable=False),
    sa.Column("clearing_price", ExactDecimal, nullable=False),
    sa.Column("amount", ExactDecimal, nullable=False),
    sa.Column("status", text(16), nullable=False),
    sa.Column("status_reason", text(1024)),
    sa.Column("delivered_from", UTCDateTime),
    sa.Column("delivered_until", UTCDateTime),
    sa.Column("replacement_sought_since", UTCDateTime),
    # Its place in the order of changes: what a provider's cursor moves over.
    sa.Column("change_number", sa.BigInteger, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.UniqueConstraint("contract_uuid", "node_uuid"),
    sa.UniqueConstraint("change_number"),
    sa.CheckConstraint("end_time >= start_time", name="window"),
    sa.Index(None, "provider_uuid", "change_number"),
    sa.Index(None, "node_uuid", "end_time"),
    # What a round asks for: nodes that are taken, late, or sought a replacement for.
    sa.Index(None, "end_time"),
    sa.Index(None, "status", "start_time"),
    sa.Index(None, "replacement_sought_since"),
    sa.Index(None, "owner_project_id"),
    sa.Index(None, "offer_uuid"),
    **MYSQL,
)
