"""The audit log of a hospital's database: PostgreSQL's csvlog with pgAudit's entries.

What interfaces do with the database's own accounts, and large extractions, pass by no screen of
the hospital's software: only this log tells of them. `pgaudit.log_rows` is on.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.simulate.world import World
from vigie.simulate.writers.logfiles import Day, LogFolder, local_text
from vigie.simulate.writers.texts import TSV, Texts, line, number, pages, present

LARGE: Final = 1000
"""An extraction of so many records is made by a query, not on a screen."""
_ASKED: Final = ("search", "list", "open", "print", "rights_check", "break_glass")
_CHANGED: Final = ("update", "merge", "stock", "billing", "delete")
_SPOKEN: Final = (*_ASKED, *_CHANGED, "create", "export")
_FIELDS_AFTER: Final = ",,,,,,,,,"


class DatabaseLog:
    """Writes the accesses that reach the database without a screen."""

    def __init__(self, world: World, log: LogFolder) -> None:
        """Prepare the texts of `world` once."""
        self._texts = Texts(world, TSV)
        self._log = log
        self._services = pc.equal(world.accounts["kind"], "service").to_numpy()
        self._spoken = np.array([action in _SPOKEN for action in ACTIONS])

    def passes_here(self, accesses: pa.Table) -> NDArray[np.bool_]:
        """Say which accesses this log tells, and the hospital's software does not."""
        action = accesses["action"].to_numpy()
        service = self._services[accesses["account"].to_numpy()] & self._spoken[action]
        large = accesses["record_count"].to_numpy() >= LARGE
        chosen: NDArray[np.bool_] = service | (large & (action == ACTIONS.index("export")))
        return chosen

    def write(self, day: Day, rows: NDArray[np.int64]) -> None:
        """Write `postgresql/postgresql-YYYY-MM-DD.csv` for these rows of the day."""
        accesses = day.accesses.take(pa.array(rows))
        page = pages(accesses)
        listed = page.joined(self._texts.of(accesses).patient("number"), ", ")
        texts = self._texts.of(page.accesses)
        numbers = number(day.first + rows[page.rows[page.firsts]] + 1)
        name = f"postgresql/postgresql-{day.name}.csv"
        lines = self._log.append(name, _lines(texts, numbers, listed))
        self._log.place(name, day.first + rows[page.rows], lines[page.line], page.part)


def _lines(texts: Texts, numbers: pa.Array, patients: pa.Array) -> pa.Array:
    at = local_text(texts.codes("at"), "%F %T %Z", "ms", "UTC")
    session = texts.session()
    client = present(texts.listed("network", "networks"), '"', ':5432"', '"[local]"')
    return line(
        at, ',"', texts.account("login"), '","dpi",', _process(texts), ",", client, ",",
        pc.utf8_slice_codeunits(session, 0, 8), ".", pc.utf8_slice_codeunits(session, 8, 12), ",",
        numbers, ',"', _of_action(texts, "SELECT", "UPDATE", "INSERT"), '",', at, ",3/", numbers,
        ',0,LOG,00000,"AUDIT: SESSION,', numbers, ",1,",
        _of_action(texts, "READ,SELECT", "WRITE,UPDATE", "WRITE,INSERT"), ",TABLE,",
        _of_action(texts, "dossier.patient", "dossier.patient", "dossier.document"), ',""',
        _statement(texts, patients), '"",<not logged>,', texts.numbers("record_count", "1"), '"',
        _FIELDS_AFTER, '"', pc.if_else(_is(texts, ("export",)), "psql", "interfaces"),
        '","client backend",,0',
    )  # fmt: skip


def _process(texts: Texts) -> pa.Array:
    return number(texts.codes("session") % 30_000 + 900)


def _is(texts: Texts, actions: tuple[str, ...]) -> pa.Array:
    return pa.array(np.isin(texts.codes("action"), [ACTIONS.index(name) for name in actions]))


def _of_action(texts: Texts, asked: str, changed: str, created: str) -> pa.Array:
    words = pc.if_else(_is(texts, ("create",)), created, asked)
    return pc.if_else(_is(texts, _CHANGED), changed, words)


def _statement(texts: Texts, patients: pa.Array) -> pa.Array:
    name = pc.replace_substring(texts.patient("surname"), "'", "''")
    nobody = pc.equal(patients, "")
    asked = line("select ipp, nom, prenom, ddn, adresse from dossier.patient where ipp in (",
                 patients, ")")  # fmt: skip
    lost = line("select ipp from dossier.patient where nom = '", name, "'")
    changed = line("update dossier.patient set maj = now() where ipp in (", patients, ")")
    values = line("(", pc.replace_substring(patients, ", ", ", 'CR'), ("), ", 'CR')")
    created = line("insert into dossier.document (ipp, type) values ", values)
    whole = pc.if_else(nobody, "select * from dossier.patient", asked)
    said = pc.if_else(_is(texts, _CHANGED), changed, asked)
    said = pc.if_else(_is(texts, ("create",)), created, said)
    said = pc.if_else(nobody, lost, said)
    return pc.if_else(_is(texts, ("export",)), line("copy (", whole, ") to stdout"), said)
