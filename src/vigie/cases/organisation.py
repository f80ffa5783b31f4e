"""Who files: what no log says, from `organisation.toml` in the home.

Every entry is optional; a filing marks as unknown what is not there.
"""

from pathlib import Path
from typing import Final

import msgspec

from vigie.config import read_toml
from vigie.language import N_

FILE: Final = "organisation.toml"


class Organisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The organisation that keeps the cases.

    `contact` is the data protection officer or another contact (art. 33(3)(b)), `representative`
    the legal representative: name, function, mail, telephone in one line each. `processing` is what
    the record of processing activities (art. 30) calls what was breached. `processor` is empty
    where there is none, None where nobody said.
    """

    name: str = ""
    siren: str = ""
    finess: str = ""
    sector: str = ""
    region: str = ""
    contact: str = ""
    representative: str = ""
    processor: str | None = None
    processing: str = ""
    security: str = ""
    anssi_regime: str = ""


def load_organisation(home: Path) -> Organisation:
    """Read the file, or return one that says nothing; raises `SettingsError` when it is spoilt."""
    path = home / FILE
    if not path.exists():
        return Organisation()
    return read_toml(
        path, Organisation, N_("the organisation cannot be read ({reason})"),
        N_("mend that line; every entry is optional"),
    )  # fmt: skip
