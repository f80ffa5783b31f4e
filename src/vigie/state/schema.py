"""The form of the tables: where it stands, and the migrations that bring it to the newest."""

from pathlib import Path
from typing import Final

from sqlalchemy import Engine, inspect, text

from vigie.errors import StoreError
from vigie.language import N_

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x7669_6769_6500
"""Number of the advisory lock under which one process at a time migrates in PostgreSQL."""


def newest() -> str:
    """Return the name of the last migration: they are numbered files."""
    return max(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def current(engine: Engine) -> str | None:
    """Return the migration at which a database stands, None when it is empty."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.begin() as connection:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(found) if found else None


def bring_up_to_date(engine: Engine, home: Path, where: str) -> None:
    """Run the migrations that a database lacks; raises `StoreError` when it is newer than we."""
    found, ours = current(engine), newest()
    if found == ours:
        return
    if found is not None and found > ours:
        raise StoreError(
            N_("the state was written by a newer version of Vigie"),
            where=where,
            remedy=N_("use that version"),
        )
    _upgrade(engine)


def _upgrade(engine: Engine) -> None:
    # As much to load as all the rest, for what a state needs once.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
