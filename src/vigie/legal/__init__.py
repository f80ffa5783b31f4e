"""The law as dated data: durations, vocabularies, bands and grids, each item with its source.

A change of law is a change of these files. `VIGIE_HOME/legal/` may hold newer ones under the same
names, and they come first: the law does not wait for a release.
"""

from importlib import resources
from pathlib import Path
from typing import Final, TypeVar

from vigie.config import read_toml
from vigie.language import N_

FOLDER: Final = "legal"
T = TypeVar("T")


def load(name: str, kind: type[T], home: Path | None = None) -> T:
    """Return the file `name`.toml as a `kind`, that of `home` when there is one.

    Raises `SettingsError` naming the file when it does not say what `kind` needs.
    """
    file = f"{name}.toml"
    own = home / FOLDER / file if home else None
    has_own = own is not None and own.exists()
    return read_toml(
        own if own and has_own else resources.files(__name__) / file, kind,
        N_("the legal data cannot be read ({reason})"),
        N_("mend that item, or remove the file to return to the one that came with Vigie"),
        where="" if has_own else f"{FOLDER}/{file}",
    )  # fmt: skip
