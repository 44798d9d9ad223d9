# SPDX-License-Identifier: Apache-2.0
"""What the Ironic driver keeps: claims on nodes, and what inspections found."""

import sqlalchemy as sa
from alembic import op

from flocx_common.db.schema import MYSQL
from flocx_common.db.types import JSONText, UTCDateTime, text, uuid_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "node_claims",
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("holder", text(255)),
        sa.Column("until", UTCDateTime()),
        sa.PrimaryKeyConstraint("node_uuid", name=op.f("pk_node_claims")),
        **MYSQL,
    )
    op.create_table(
        "inspections",
        sa.Column("node_uuid", uuid_text(), nullable=False),
        sa.Column("inspected_at", text(64), nullable=False),
        sa.Column("found", JSONText(), nullable=False),
        sa.PrimaryKeyConstraint("node_uuid", name=op.f("pk_inspections")),
        **MYSQL,
    )


def downgrade() -> None:
    op.drop_table("inspections")
    op.drop_table("node_claims")
