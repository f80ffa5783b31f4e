"""Who was told by which notice, and what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0002_deliveries"
down_revision = "0001_cases"


def upgrade() -> None:
    """Make the table of deliveries."""
    op.create_table(
        "deliveries",
        sa.Column("notice", sa.String(120), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("notice", "person", name="pk_deliveries"),
    )
