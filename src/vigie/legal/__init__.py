"""The law as dated data: durations, vocabularies, bands and grids, each item with its source.

A change of law is a change of these files. `VIGIE_HOME/legal/` may hold newer ones under the same
names, and they come first: the law does not wait for a release.
"""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from vigie.errors import SettingsError, reason_of
from vigie.language import N_

FOLDER: Final = "legal"
T = TypeVar("T")


def load(name: str, kind: type[T], home: Path | None = None) -> T:
    """Return the file `name`.toml as a `kind`, that of `home` when there is one.

    Raises `SettingsError` naming the file when it does not say what `kind` needs.
    """
    own = home / FOLDER / f"{name}.toml" if home else None
    where = str(own) if own and own.exists() else f"{FOLDER}/{name}.toml"
    try:
        return msgspec.convert(tomllib.loads(_read(own, name)), kind)
    except (
        OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError
    ) as error:  # fmt: skip
        reason = reason_of(error)
    raise SettingsError(
        N_("the legal data cannot be read ({reason})"),
        where=where,
        remedy=N_("mend that item, or remove the file to return to the one that came with Vigie"),
        reason=reason,
    )


def _read(own: Path | None, name: str) -> str:
    if own and own.exists():
        return own.read_text("utf-8")
    return (resources.files(__name__) / f"{name}.toml").read_text("utf-8")
