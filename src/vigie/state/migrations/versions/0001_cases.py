"""Cases and their records."""

import sqlalchemy as sa
from alembic import op

revision = "0001_cases"
down_revision = None


def upgrade() -> None:
    """Make the tables of cases."""
    op.create_table(
        "cases",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("year", "number", name="uq_cases_year"),
    )
    op.create_table(
        "case_records",
        sa.Column("case_id", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", "number", name="pk_case_records"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_records_case_id"),
        sa.UniqueConstraint("digest", name="uq_case_records_digest"),
    )


def downgrade() -> None:
    """Drop the tables of cases."""
    op.drop_table("case_records")
    op.drop_table("cases")
