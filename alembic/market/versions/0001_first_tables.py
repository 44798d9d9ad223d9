# SPDX-License-Identifier: Apache-2.0
"""The first tables, and the rule that no node has two live allocations that overlap.

On PostgreSQL an exclusion constraint holds the rule. Elsewhere a trigger
refuses what it can see, and every writer bumps the node's generation row by
compare-and-set in the same transaction: of two writers that cannot see each
other, one loses there.
"""

import sqlalchemy as sa
from alembic import op

from flocx_common.db.schema import MYSQL
from flocx_common.db.types import ExactDecimal, JSONText, UTCDateTime, text, uuid_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


LIVE = "('created', 'acknowledged', 'active')"

# Two windows overlap, and neither is empty.
OVERLAPS = f"""
    NEW.status IN {LIVE} AND NEW.start_time < NEW.end_time AND EXISTS (
        SELECT 1 FROM allocations AS other
        WHERE other.node_uuid = NEW.node_uuid AND other.uuid <> NEW.uuid AND other.status IN {LIVE}
          AND other.start_time < NEW.end_time AND NEW.start_time < other.end_time
          AND other.start_time < other.end_time)
"""


def upgrade() -> None:
    create_tables()
    op.execute("INSERT INTO change_counter (id, value) VALUES (1, 0)")
    forbid_overlaps(op.get_bind().dialect.name)


def downgrade() -> None:
    allow_overlaps(op.get_bind().dialect.name)
    drop_tables()


def forbid_overlaps(dialect: str) -> None:
    if dialect == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        op.execute(
            "ALTER TABLE allocations ADD CONSTRAINT ex_allocations_node EXCLUDE USING gist "
            f"(node_uuid WITH =, tstzrange(start_time, end_time) WITH &&) WHERE (status IN {LIVE})"
        )
        return
    for event in ("INSERT", "UPDATE"):
        name = f"tr_allocations_{event.lower()}"
        if dialect == "sqlite":
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON allocations FOR EACH ROW WHEN {OVERLAPS} "
                "BEGIN SELECT RAISE(ABORT, 'live allocations of a node overlap'); END"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON allocations FOR EACH ROW BEGIN IF {OVERLAPS} THEN "
                "SIGNAL SQLSTATE '23P01' SET MYSQL_ERRNO = 23101, "
                "MESSAGE_TEXT = 'live allocations of a node overlap'; END IF; END"
            )


def allow_overlaps(dialect: str) -> None:
    if dialect == "postgresql":
        op.execute("ALTER TABLE allocations DROP CONSTRAINT ex_allocations_node")
        return
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER tr_allocations_{event}")


def create_tables() -> None:
    op.create_table(
        "bids",
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("name", text(255)),
        sa.Column("project_id", text(64), nullable=False),
        sa.Column("requirements", JSONText(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("start_time", UTCDateTime(), nullable=False),
        sa.Column("end_time", UTCDateTime(), nullable=False),
        sa.Column("duration", sa.BigInteger()),
        sa.Column("limit_price", ExactDecimal(), nullable=False),
        sa.Column("spread", JSONText()),
        sa.Column("together", text(1024)),
        sa.Column("offer_uuids", JSONText()),
        sa.Column("status", text(16), nullable=False),
        sa.Column("status_reason", text(1024)),
        sa.Column("request_digest", text(32), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("end_time > start_time", name=op.f("ck_bids_window")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_bids_quantity")),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_bids")),
        **MYSQL,
    )
    op.create_index(op.f("ix_bids_project_id"), "bids", ["project_id"])
    op.create_index(op.f("ix_bids_status_end_time"), "bids", ["status", "end_time"])
    op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_counter")),
        **MYSQL,
    )
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
        "hardware_documents",
        sa.Column("digest", text(32), nullable=False),
        sa.Column("document", JSONText(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_hardware_documents")),
        **MYSQL,
    )
    op.create_table(
        "nodes",
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node_uuid", name=op.f("pk_nodes")),
        **MYSQL,
    )
    op.create_table(
        "providers",
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("service_user_id", text(64), nullable=False),
        sa.Column("turnaround", sa.Integer(), nullable=False),
        sa.Column("last_heartbeat_at", UTCDateTime(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("request_digest", text(32), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("removed_at", UTCDateTime()),
        sa.Column("removal", uuid_text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_providers")),
        sa.UniqueConstraint("name", "removal", name=op.f("uq_providers_name_removal")),
        sa.UniqueConstraint("service_user_id", "removal", name=op.f("uq_providers_service_user_id_removal")),
        **MYSQL,
    )
    op.create_table(
        "contracts",
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("bid_uuid", uuid_text(), nullable=False),
        sa.Column("binding_key", uuid_text(), nullable=False),
        sa.Column("lessee_project_id", text(64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("start_time", UTCDateTime(), nullable=False),
        sa.Column("end_time", UTCDateTime(), nullable=False),
        sa.Column("clearing_price", ExactDecimal(), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.Column("price_rule", text(32), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("status_reason", text(1024)),
        sa.Column("notified_at", UTCDateTime()),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("end_time >= start_time", name=op.f("ck_contracts_window")),
        sa.ForeignKeyConstraint(["bid_uuid"], ["bids.uuid"], name=op.f("fk_contracts_bid_uuid")),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_contracts")),
        sa.UniqueConstraint("binding_key", name=op.f("uq_contracts_binding_key")),
        **MYSQL,
    )
    op.create_index(op.f("ix_contracts_bid_uuid"), "contracts", ["bid_uuid"])
    op.create_index(op.f("ix_contracts_lessee_project_id"), "contracts", ["lessee_project_id"])
    op.create_index(op.f("ix_contracts_status_end_time"), "contracts", ["status", "end_time"])
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
        sa.Column("provider_uuid", uuid_text(), nullable=False),
        sa.Column("owner_project_id", text(64), nullable=False),
        sa.Column("resource_type", text(32), nullable=False),
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("node_name", text(255)),
        sa.Column("resource_class", text(255)),
        sa.Column("properties_digest", text(32), nullable=False),
        sa.Column("start_time", UTCDateTime(), nullable=False),
        sa.Column("end_time", UTCDateTime()),
        sa.Column("reserve_price", ExactDecimal(), nullable=False),
        sa.Column("min_duration", sa.BigInteger(), nullable=False),
        sa.Column("lessee_project_ids", JSONText()),
        sa.Column("health_problem", text(1024)),
        sa.Column("status", text(16), nullable=False),
        sa.Column("status_reason", text(1024)),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("end_time IS NULL OR end_time > start_time", name=op.f("ck_offers_window")),
        sa.ForeignKeyConstraint(["node_uuid"], ["nodes.node_uuid"], name=op.f("fk_offers_node_uuid")),
        sa.ForeignKeyConstraint(
            ["properties_digest"], ["hardware_documents.digest"], name=op.f("fk_offers_properties_digest")
        ),
        sa.ForeignKeyConstraint(["provider_uuid"], ["providers.uuid"], name=op.f("fk_offers_provider_uuid")),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_offers")),
        **MYSQL,
    )
    op.create_index(op.f("ix_offers_node_uuid_status"), "offers", ["node_uuid", "status"])
    op.create_index(op.f("ix_offers_owner_project_id"), "offers", ["owner_project_id"])
    op.create_index(op.f("ix_offers_provider_uuid_status"), "offers", ["provider_uuid", "status"])
    op.create_index(op.f("ix_offers_status_end_time"), "offers", ["status", "end_time"])
    op.create_table(
        "allocations",
        sa.Column("uuid", uuid_text(), nullable=False),
        sa.Column("contract_uuid", uuid_text(), nullable=False),
        sa.Column("offer_uuid", uuid_text(), nullable=False),
        sa.Column("provider_uuid", uuid_text(), nullable=False),
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("node_name", text(255)),
        sa.Column("owner_project_id", text(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("start_time", UTCDateTime(), nullable=False),
        sa.Column("end_time", UTCDateTime(), nullable=False),
        sa.Column("clearing_price", ExactDecimal(), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("status_reason", text(1024)),
        sa.Column("delivered_from", UTCDateTime()),
        sa.Column("delivered_until", UTCDateTime()),
        sa.Column("replacement_sought_since", UTCDateTime()),
        sa.Column("change_number", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("end_time >= start_time", name=op.f("ck_allocations_window")),
        sa.ForeignKeyConstraint(["contract_uuid"], ["contracts.uuid"], name=op.f("fk_allocations_contract_uuid")),
        sa.ForeignKeyConstraint(["node_uuid"], ["nodes.node_uuid"], name=op.f("fk_allocations_node_uuid")),
        sa.ForeignKeyConstraint(["offer_uuid"], ["offers.uuid"], name=op.f("fk_allocations_offer_uuid")),
        sa.ForeignKeyConstraint(["provider_uuid"], ["providers.uuid"], name=op.f("fk_allocations_provider_uuid")),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_allocations")),
        sa.UniqueConstraint("change_number", name=op.f("uq_allocations_change_number")),
        sa.UniqueConstraint("contract_uuid", "node_uuid", name=op.f("uq_allocations_contract_uuid_node_uuid")),
        **MYSQL,
    )
    op.create_index(op.f("ix_allocations_node_uuid_end_time"), "allocations", ["node_uuid", "end_time"])
    op.create_index(op.f("ix_allocations_offer_uuid"), "allocations", ["offer_uuid"])
    op.create_index(op.f("ix_allocations_owner_project_id"), "allocations", ["owner_project_id"])
    op.create_index(
        op.f("ix_allocations_provider_uuid_change_number"), "allocations", ["provider_uuid", "change_number"]
    )
    op.create_table(
        "offer_lessees",
        sa.Column("project_id", text(64), nullable=False),
        sa.Column("offer_uuid", uuid_text(), nullable=False),
        sa.ForeignKeyConstraint(["offer_uuid"], ["offers.uuid"], name=op.f("fk_offer_lessees_offer_uuid")),
        sa.PrimaryKeyConstraint("project_id", "offer_uuid", name=op.f("pk_offer_lessees")),
        **MYSQL,
    )
    op.create_index(op.f("ix_offer_lessees_offer_uuid"), "offer_lessees", ["offer_uuid"])


def drop_tables() -> None:
    op.drop_table("offer_lessees")
    op.drop_table("allocations")
    op.drop_table("offers")
    op.drop_table("event_projects")
    op.drop_table("contracts")
    op.drop_table("providers")
    op.drop_table("nodes")
    op.drop_table("hardware_documents")
    op.drop_table("events")
    op.drop_table("change_counter")
    op.drop_table("bids")
