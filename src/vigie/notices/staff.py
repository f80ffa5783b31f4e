"""The register of staff: who holds an account, looked up when a letter to them is made.

[register]
file = "annuaire.csv"

[columns]
account = "LOGIN"             # as the log writes it
surname = "NOM"
given_name = "PRENOM"
email = "MSSANTE"
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from vigie.language import N_
from vigie.notices.letters import Person
from vigie.notices.routes import mailbox
from vigie.readers.registers.places import Place, check_place, load, unusable
from vigie.readers.registers.sources import open_source

FIELDS: Final = (
    "account", "surname", "used_name", "given_name", "address", "address_more", "postcode",
    "city", "country", "email",
)  # fmt: skip


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mapping of a register of staff, as it is written."""

    register: Place
    columns: dict[str, str]


class Holder(msgspec.Struct, frozen=True):
    """Who holds an account. Of rows that differ none is kept: `rows` says how many there are."""

    account: str
    rows: int
    person: Person

    @property
    def email(self) -> str:
        """The mailbox, empty when there is none."""
        return mailbox(self.person.get("email"))

    @property
    def by_post(self) -> bool:
        """Whether there is an address to write to."""
        return bool(self.person.get("postcode") and self.person.get("city"))


def load_staff(path: Path) -> Mapping:
    """Read and check the mapping of a register of staff; raises `MappingError`."""
    mapping = load(path, Mapping, {"register": (), "columns": FIELDS})
    check_place(mapping.register, path)
    if "account" not in mapping.columns:
        raise unusable(path, N_("it does not say which column is the account"))
    return mapping


def find_holders(mapping: Mapping, path: Path, accounts: Iterable[str]) -> list[Holder]:
    """Return who holds each account, in their order; the register is read once."""
    wanted = list(accounts)
    names = [name for name in FIELDS if name in mapping.columns]
    columns = [mapping.columns[name] for name in names]
    kept: dict[str, list[dict[str, str | None]]] = {account: [] for account in wanted}
    known = pa.array(wanted, pa.string())
    for rows in open_source(mapping.register, path, columns, lambda row: None):
        said = pa.table(dict(zip(names, (rows.table[column] for column in columns), strict=True)))
        logins = pc.utf8_trim_whitespace(said["account"])
        here = pc.fill_null(pc.is_in(logins, known), False)
        for row, login in zip(said.filter(here).to_pylist(), logins.filter(here), strict=True):
            kept[login.as_py()].append({**row, "account": login.as_py()})
    return [_holder(account, rows) for account, rows in kept.items()]


def _holder(account: str, rows: list[dict[str, str | None]]) -> Holder:
    differ = any(row != rows[0] for row in rows)
    return Holder(account, len(rows), rows[0] if rows and not differ else {})
