"""`vigie register identities` and `contracts`: tables of the operator into the store."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vigie import journal
from vigie.cli.following import cases_follow
from vigie.cli.terminal import draw_table, home_of, remark, say, write_json
from vigie.language import N_, _, number, plural
from vigie.pseudonyms import Keyring
from vigie.readers.registers.contracts import load_contracts, read_contracts
from vigie.readers.registers.identities import load_identities, read_identities
from vigie.readers.registers.refused import REASONS, RULES, Refused
from vigie.records import TABLES
from vigie.stores import Store

Read = Callable[[Path, Keyring, Refused], Iterator[pa.Table]]
Kept = Callable[[pa.Table, pa.Table], pa.Table]
"""What stays of the table that is there, given that and the new one."""


def identities(options: Namespace) -> int:
    """Read the identities of persons, in place of those that were there."""

    def read(path: Path, keyring: Keyring, refused: Refused) -> Iterator[pa.Table]:
        return read_identities(load_identities(path), path, keyring, refused)

    return _run(options, "identities", read, lambda known, _fresh: known.slice(0, 0))


def contracts(options: Namespace) -> int:
    """Read contracts, in place of those that were there of persons, or of the same organisations.

    What the mappings of logs declare of whole organisations stays.
    """

    def read(path: Path, keyring: Keyring, refused: Refused) -> Iterator[pa.Table]:
        return read_contracts(load_contracts(path), path, keyring, refused)

    return _run(options, "contracts", read, _of_others)


def _of_others(known: pa.Table, fresh: pa.Table) -> pa.Table:
    """Return the contracts of whole organisations of which the new table says nothing."""
    again = fresh.filter(fresh["person"].is_null())["organisation"]
    others = pc.invert(pc.is_in(known["organisation"], value_set=again))
    return known.filter(pc.and_(known["person"].is_null(), others))


def _run(options: Namespace, name: str, read: Read, kept: Kept) -> int:
    with cases_follow(options):
        return _read(options, name, read, kept)


def _read(options: Namespace, name: str, read: Read, kept: Kept) -> int:
    home = home_of(options)
    with Store.open(home, write=not options.check) as store, Refused(options.refused) as refused:
        pieces = [
            batch
            for path in options.mappings
            for batch in read(path, store.keyring, refused)
            if batch.num_rows
        ]
        fresh = pa.concat_tables([TABLES[name].empty_table(), *pieces])
        before = store.table(name)
        if not options.check:
            subject = f"{name}: {', '.join(path.name for path in options.mappings)}"
            journal.record(home, "register", subject, options.reason)
            store.put_table(name, pa.concat_tables([kept(before, fresh), fresh]))
    _tell(options, name, fresh.num_rows, before.num_rows, refused)
    return 4 if refused.total else 0


_KEPT = {
    "identities": N_("{count} links between identifiers and persons ({before} rows before)."),
    "contracts": N_("{count} contracts ({before} rows before)."),
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
