# SPDX-License-Identifier: Apache-2.0
"""The first tables."""

import sqlalchemy as sa
from alembic import op

from flocx_common.db.schema import MYSQL
from flocx_common.db.types import ExactDecimal, JSONText, UTCDateTime, text, uuid_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_counter")),
        **MYSQL,
    )
    op.create_table(
        "contracts",
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("lessee_project_id", text(64), nullable=False),
        sa.Column("start_time", UTCDateTime(), nullable=False),
        sa.Column("end_time", UTCDateTime(), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("status_reason", text(1024)),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_contracts")),
        **MYSQL,
    )
    op.create_index(op.f("ix_contracts_lessee_project_id"), "contracts", ["lessee_project_id"])
    op.create_table(
        "events",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("event_type", text(64), nullable=False),
        sa.Column("entity_uuid", uuid_text(), nullable=False),
        sa.Column("occurred_at", UTCDateTime(), nullable=False),
        sa.Column("reason", text(1024)),
        sa.Column("detail", JSONText(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_events")),
        sa.UniqueConstraint("uuid", name=op.f("uq_events_uuid")),
        **MYSQL,
    )
    op.create_index(op.f("ix_events_entity_uuid"), "events", ["entity_uuid"])
    op.create_index(op.f("ix_events_event_type_number"), "events", ["event_type", "number"])
    op.create_table(
        "nodes",
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node_uuid", name=op.f("pk_nodes")),
        **MYSQL,
    )
    op.create_table(
        "registration",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider_uuid", uuid_text()),
        sa.Column("market_cursor", text(255)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        **MYSQL,
    )
    op.create_table(
        "static_nodes",
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("down_reason", text(1024)),
        sa.Column("lessee_project_id", text(64)),
        sa.Column("contract_uuid", uuid_text()),
        sa.PrimaryKeyConstraint("node_uuid", name=op.f("pk_static_nodes")),
        **MYSQL,
    )
    op.create_table(
        "allocations",
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("contract_uuid", uuid_text(), nullable=False),
        sa.Column("offer_uuid", uuid_text(), nullable=False),
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("node_name", text(255)),
        sa.Column("owner_project_id", text(64), nullable=False),
        sa.Column("lessee_project_id", text(64), nullable=False),
        sa.Column("start_time", UTCDateTime(), nullable=False),
        sa.Column("end_time", UTCDateTime(), nullable=False),
        sa.Column("clearing_price", ExactDecimal(), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.Column("market_status", text(16), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("status_reason", text(1024)),
        sa.Column("delivered_from", UTCDateTime()),
        sa.Column("delivered_until", UTCDateTime()),
        sa.Column("breach", sa.Boolean(), nullable=False),
        sa.Column("reported", text(16), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("trouble", text(1024)),
        sa.Column("trouble_since", UTCDateTime()),
        sa.Column("noticed_at", UTCDateTime()),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("end_time >= start_time", name=op.f("ck_allocations_window")),
        sa.ForeignKeyConstraint(["contract_uuid"], ["contracts.uuid"], name=op.f("fk_allocations_contract_uuid")),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_allocations")),
        **MYSQL,
    )
    op.create_index(op.f("ix_allocations_contract_uuid"), "allocations", ["contract_uuid"])
    op.create_index(op.f("ix_allocations_market_status"), "allocations", ["market_status"])
    op.create_index(op.f("ix_allocations_node_uuid_start_time"), "allocations", ["node_uuid", "start_time"])
    op.create_index(op.f("ix_allocations_owner_project_id"), "allocations", ["owner_project_id"])
    op.create_index(op.f("ix_allocations_settled"), "allocations", ["settled"])
    op.create_table(
        "event_projects",
        sa.Column("project_id", text(64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["number"], ["events.number"], name=op.f("fk_event_projects_number")),
        sa.PrimaryKeyConstraint("project_id", "number", name=op.f("pk_event_projects")),
        **MYSQL,
    )
    op.create_table(
        "offers",
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("name", text(255)),
        sa.Column("owner_project_id", text(64), nullable=False),
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("node_name", text(255)),
        sa.Column("resource_class", text(255)),
        sa.Column("properties", JSONText(), nullable=False),
        sa.Column("start_time", UTCDateTime(), nullable=False),
        sa.Column("end_time", UTCDateTime()),
        sa.Column("reserve_price", ExactDecimal(), nullable=False),
        sa.Column("min_duration", sa.BigInteger(), nullable=False),
        sa.Column("lessee_project_ids", JSONText()),
        sa.Column("problem", text(1024)),
        sa.Column("status", text(16), nullable=False),
        sa.Column("status_reason", text(1024)),
        sa.Column("publication", text(16), nullable=False),
        sa.Column("publication_reason", text(1024)),
        sa.Column("request_digest", text(32), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("end_time IS NULL OR end_time > start_time", name=op.f("ck_offers_window")),
        sa.ForeignKeyConstraint(["node_uuid"], ["nodes.node_uuid"], name=op.f("fk_offers_node_uuid")),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_offers")),
        **MYSQL,
    )
    op.create_index(op.f("ix_offers_node_uuid_status"), "offers", ["node_uuid", "status"])
    op.create_index(op.f("ix_offers_owner_project_id"), "offers", ["owner_project_id"])
    op.create_index(op.f("ix_offers_publication_updated_at"), "offers", ["publication", "updated_at"])
    op.create_index(op.f("ix_offers_status"), "offers", ["status"])
    op.execute("INSERT INTO change_counter (id, value) VALUES (1, 0)")
    op.execute("INSERT INTO registration (id) VALUES (1)")


def downgrade() -> None:
    op.drop_table("offers")
    op.drop_table("event_projects")
    op.drop_table("allocations")
    op.drop_table("static_nodes")
    op.drop_table("registration")
    op.drop_table("nodes")
    op.drop_table("events")
    op.drop_table("contracts")
    op.drop_table("change_counter")
