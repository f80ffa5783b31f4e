"""One database of state, opened at the newest form of its tables.

SQLite is the file `state.sqlite` of the home, for its owner only, written ahead (WAL) and flushed
at every commit; PostgreSQL is what the setting `state` names. What is above sees no difference.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from vigie.config import Settings
from vigie.errors import StoreError, reason_of
from vigie.errors.reasons import quoted
from vigie.language import N_, Text
from vigie.state.address import address_of, shown, without_secret
from vigie.state.schema import bring_up_to_date

LOCK_FILE: Final = "state.lock"


class State:
    """The state of one home. Raises `StoreError`, never an exception of the database."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self.engine, self.home = engine, home
        self.address = shown(engine.url)

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process of this home at a time: what is read inside is so until it is left."""
        with _told(self.engine.url):
            descriptor = os.open(self.home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing: committed when the block ends without error."""
        with _told(self.engine.url), self.engine.begin() as connection:
            yield connection


def open_state(home: Path, settings: Settings) -> State:
    """Open the state of `home`, making or migrating its tables where needed.

    Raises `StoreError` when the database does not answer or was written by a newer Vigie,
    `SettingsError` and `SecretError` for an address that cannot be used.
    """
    url = address_of(home, settings.state)
    with _told(url):
        engine = _engine(url)
        try:
            bring_up_to_date(engine, home, shown(url))
        except BaseException:
            engine.dispose()
            raise
    return State(engine, home)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        _make_private(Path(str(url.database)))
        engine = create_engine(url, connect_args={"timeout": 30, "isolation_level": None})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, pool_pre_ping=True)


def _make_private(path: Path) -> None:
    """Make the file for its owner only before SQLite would make it for everybody."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # The driver's own BEGIN comes late and lets two writers read the same last number.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _told(url: URL) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError:
        raise StoreError(
            N_("PostgreSQL needs a library that is not installed"),
            remedy=N_("install it: pip install 'vigie-sante[postgresql]'"),
        ) from None
    except OSError as error:
        raise _unusable(url, reason_of(error)) from None
    except DBAPIError as error:
        raise _unusable(url, _answer(error, url)) from None
    except SQLAlchemyError as error:
        raise _unusable(url, quoted(type(error).__name__)) from None


def _answer(error: DBAPIError, url: URL) -> Text:
    """Say why in our words where they are known, else quote the server, without its password."""
    if isinstance(error.orig, sqlite3.Error):
        return reason_of(error.orig)
    return quoted(without_secret(str(error.orig), url))


def _unusable(url: URL, reason: Text) -> StoreError:
    return StoreError(
        N_("the state database cannot be used ({reason})"),
        where=shown(url),
        remedy=N_("check that it runs, its rights and the setting state, then do it again"),
        reason=reason,
    )
