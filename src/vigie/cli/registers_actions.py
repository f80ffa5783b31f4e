"""`vigie register identities`, `contracts`, `staff`: tables of the operator into the store."""

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vigie import journal
from vigie.cli.codes import NOTHING, UNTRUSTED
from vigie.cli.following import cases_follow
from vigie.cli.terminal import draw_table, home_of, remark, say, write_json
from vigie.language import N_, _, number, plural
from vigie.pseudonyms import Keyring
from vigie.readers.registers.contracts import load_contracts, read_contracts
from vigie.readers.registers.identities import load_identities, read_identities
from vigie.readers.registers.refused import REASONS, RULES, Refused
from vigie.readers.registers.staff import load_staff, read_staff
from vigie.stores import Store

Read = Callable[[Path, Keyring, Refused], Iterator[pa.Table]]
Kept = Callable[[Iterator[pa.Table], "Fresh"], Iterator[pa.Table]]
"""From the table before and the new one to what stays of the former."""


def identities(options: Namespace) -> int:
    """Read the identities of persons, in place of those that were there."""

    def read(path: Path, keyring: Keyring, refused: Refused) -> Iterator[pa.Table]:
        return read_identities(load_identities(path), path, keyring, refused)

    return _run(options, "identities", read, _nothing)


def contracts(options: Namespace) -> int:
    """Read contracts, in place of those that were there of persons, or of the same organisations.

    What the mappings of logs declare of whole organisations stays.
    """

    def read(path: Path, keyring: Keyring, refused: Refused) -> Iterator[pa.Table]:
        return read_contracts(load_contracts(path), path, keyring, refused)

    return _run(options, "contracts", read, _of_organisations)


def staff(options: Namespace) -> int:
    """Read whose the accounts are, in place of what was there."""

    def read(path: Path, keyring: Keyring, refused: Refused) -> Iterator[pa.Table]:
        return read_staff(load_staff(path), path, keyring, refused)

    return _run(options, "staff", read, _nothing)


def _run(options: Namespace, name: str, read: Read, kept: Kept) -> int:
    with cases_follow(options):
        return _read(options, name, read, kept)


def _read(options: Namespace, name: str, read: Read, kept: Kept) -> int:
    home = home_of(options)
    with Store.open(home, write=not options.check) as store, Refused(options.refused) as refused:
        fresh = Fresh(
            batch for path in options.mappings for batch in read(path, store.keyring, refused)
        )
        before = store.rows_of(name)
        if options.check:
            for _batch in fresh:
                pass
        else:
            store.put_tables(name, _whole(options, store, name, fresh, kept))
    _tell(options, name, fresh.rows, before, refused)
    return UNTRUSTED if refused.total else NOTHING


def _whole(
    options: Namespace, store: Store, name: str, fresh: "Fresh", kept: Kept
) -> Iterator[pa.Table]:
    """Yield the new table, then what stays of the one before; the journal stands between them."""
    yield from fresh
    subject = f"{name}: {', '.join(path.name for path in options.mappings)}"
    journal.record(store.home, "register", subject, options.reason)
    yield from kept(store.table_in_batches(name), fresh)


class Fresh:
    """The tables as they are read, counted, with the organisations they speak of as a whole."""

    def __init__(self, tables: Iterable[pa.Table]) -> None:
        self._tables = tables
        self.rows = 0
        self.organisations: set[str] = set()

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield each table once."""
        for table in self._tables:
            self.rows += table.num_rows
            if {"organisation", "person"} <= {*table.column_names}:
                whole = table.filter(table["person"].is_null())["organisation"].unique()
                self.organisations |= {*whole.to_pylist()}
            yield table


def _nothing(_known: Iterator[pa.Table], _fresh: Fresh) -> Iterator[pa.Table]:
    return iter(())


def _of_organisations(known: Iterator[pa.Table], fresh: Fresh) -> Iterator[pa.Table]:
    """Yield what mappings of logs declare, unless the new table speaks of the same places."""
    again = pa.array(sorted(filter(None, fresh.organisations)), pa.string())
    for table in known:
        whole = table.filter(table["person"].is_null())
        yield whole.filter(pc.invert(pc.is_in(whole["organisation"], value_set=again)))


_KEPT = {
    "identities": N_("{count} links between identifiers and persons ({before} rows before)."),
    "contracts": N_("{count} contracts ({before} rows before)."),
    "staff": N_("{count} owners of accounts ({before} rows before)."),
}


def _tell(options: Namespace, name: str, rows: int, before: int, refused: Refused) -> None:
    if options.format == "json":
        write_json(_as_json(name, rows, before, refused))
        return
    say(_(_KEPT[name]).format(count=number(rows), before=number(before)))
    for rule, count in sorted(refused.rules.items()):
        if count:
            text = plural("{count} row left out: {rule}.", "{count} rows left out: {rule}.", count)
            say(text.format(count=number(count), rule=_(RULES[rule])))
    if refused.total:
        header = (_("reason"), _("column"), _("first row"), _("rows"))
        draw_table(header, [
            (_(REASONS[reason]), column or "–", number(refused.first[reason, column]),
             number(count))
            for (reason, column), count in sorted(refused.counts.items())
        ])  # fmt: skip
        remark(_("These rows were refused; mend them in the table and read it again."))
    if options.check:
        remark(_("This was a check: nothing was kept."))


def _as_json(name: str, rows: int, before: int, refused: Refused) -> dict[str, Any]:
    return {
        "version": 1,
        "table": name,
        "rows": rows,
        "rows_before": before,
        "rules": {rule: count for rule, count in sorted(refused.rules.items()) if count},
        "refused": [
            {"reason": reason, "column": column, "first_row": refused.first[reason, column],
             "rows": count}
            for (reason, column), count in sorted(refused.counts.items())
        ],
    }  # fmt: skip
