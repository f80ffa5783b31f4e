"""Where the state lives: from the setting `state` to an address that can be shown."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from vigie.config import SETTINGS_FILE
from vigie.errors import SecretError, SettingsError
from vigie.language import N_

STATE_FILE: Final = "state.sqlite"
_DRIVERS: Final = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


def address_of(home: Path, setting: str) -> URL:
    """Return the URL of the state: `setting`, or the SQLite file of `home` when it is empty.

    Raises `SettingsError` for what is no such URL, `SecretError` when it holds a password and
    others may read the settings.
    """
    if not setting:
        return URL.create(_DRIVERS["sqlite"], database=str(home / STATE_FILE))
    try:
        url = make_url(setting)
    except (ArgumentError, ValueError):
        raise _no_address() from None
    family = url.get_backend_name()
    if family not in _DRIVERS or (family == "sqlite" and not url.database):
        raise _no_address()
    if url.password and _readable_by_others(home / SETTINGS_FILE):
        raise SecretError(
            N_("the settings hold a password and others may read them"),
            where=str(home / SETTINGS_FILE),
            remedy=N_("run chmod 600 on it, or leave the password to ~/.pgpass"),
        )
    return url.set(drivername=_DRIVERS[family])


def shown(url: URL) -> str:
    """Return the address as a message may say it: without password and options."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(query={}, drivername=url.get_backend_name()).render_as_string(hide_password=True)


def without_secret(text: str, url: URL) -> str:
    """Return the first line of `text` with the password of `url` struck out."""
    line = text.strip().split("\n")[0]
    return line.replace(str(url.password), "***") if url.password else line


def _no_address() -> SettingsError:
    # What was written may hold a password: the message does not repeat it.
    return SettingsError(
        N_("the setting state is not the address of a database"),
        where=SETTINGS_FILE,
        remedy=N_("write postgresql://user@host/database, or remove it for a SQLite file"),
    )


def _readable_by_others(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & 0o077)
