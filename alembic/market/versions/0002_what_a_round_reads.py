# SPDX-License-Identifier: Apache-2.0
"""Indexes for what every round reads: nodes that are taken, late, or sought a replacement for."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXES = (["end_time"], ["status", "start_time"], ["replacement_sought_since"])


def upgrade() -> None:
    for columns in INDEXES:
        op.create_index(op.f(f"ix_allocations_{'_'.join(columns)}"), "allocations", columns)


def downgrade() -> None:
    for columns in INDEXES:
        op.drop_index(op.f(f"ix_allocations_{'_'.join(columns)}"), "allocations")
