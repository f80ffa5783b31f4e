"""The tables of the state database. A change here needs a migration beside it."""

from typing import Final

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

CASES: Final = Table(
    "cases",
    METADATA,
    Column("id", String(20), primary_key=True),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    UniqueConstraint("year", "number"),
)

CASE_RECORDS: Final = Table(
    "case_records",
    METADATA,
    Column("case_id", String(20), ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("author", Text, nullable=False),
    Column("recorded_at", String(32), nullable=False),  # ISO 8601, UTC: the same text everywhere
    Column("body", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("entry", Integer),  # of the journal; null until it is written there: not yet a record
)

DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    Column("notice", String(120), primary_key=True),
    Column("person", String(32), primary_key=True),  # a pseudonym, hexadecimal: never a name
    Column("status", String(20), nullable=False),
    Column("code", Integer),
    Column("at", String(32), nullable=False),
)
