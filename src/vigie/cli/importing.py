"""`vigie import`: read logs into the store and say what became of every line."""

from argparse import Namespace
from typing import Any

from vigie.cli.terminal import (
    draw_table,
    home_of,
    reading_progress,
    remarks,
    say,
    write_json,
)
from vigie.language import _, number, plural
from vigie.pipeline import Imported, find_files, import_files, load_mappings
from vigie.stores import Store


def import_logs(options: Namespace) -> int:
    """Run the command."""
    imported = read_paths(options)
    if options.format == "json":
        write_json({"version": 1, "files": [as_json(file) for file in imported]})
    else:
        show(imported)
    if all(file.error for file in imported):
        return 1
    return 4 if any(untrusted(file) for file in imported) else 0


def read_paths(options: Namespace) -> list[Imported]:
    """Import what the options name, with progress on a terminal."""
    files, mappings = find_files(options.paths), load_mappings(options.mapping)
    total = sum(path.stat().st_size for path in files)
    with (
        Store.open(home_of(options), write=True) as store,
        reading_progress(options, total, _("reading")) as advance,
    ):
        return import_files(store, files, mappings, advance)


def untrusted(file: Imported) -> bool:
    """Say whether a part of the file could not be read."""
    receipt = file.receipt
    return receipt is None or bool(receipt.tally.quarantined or receipt.damage)


def complain(imported: list[Imported]) -> None:
    """Say on standard error which files could not be read."""
    for file in imported:
        if file.error:
            remarks().print(f"vigie: {file.error}", markup=False)


def as_json(file: Imported) -> dict[str, Any]:
    """Return one file of the JSON output."""
    if file.receipt is None:
        return {"file": file.label, "error": str(file.error)}
    receipt, tally = file.receipt, file.receipt.tally
    return {
        "file": file.label,
        "reader": file.reader,
        "read": tally.read,
        "accepted": tally.accepted,
        "ignored": dict(tally.ignored),
        "quarantined": tally.quarantined,
        "rows_added": receipt.added,
        "rows_already_there": receipt.duplicates,
        "ambiguous": receipt.ambiguous,
        "damage": receipt.damage,
    }


def show(imported: list[Imported]) -> None:
    """Draw the table of files and the sum."""
    header = (
        _("file"), _("format"), _("lines read"), _("accepted"), _("ignored"), _("quarantined"),
        _("rows added"), _("already there"),
    )  # fmt: skip
    rows = []
    for file in imported:
        if file.receipt is not None:
            tally = file.receipt.tally
            ignored = ", ".join(f"{rule} {number(n)}" for rule, n in sorted(tally.ignored.items()))
            rows.append((
                file.label, file.reader, number(tally.read), number(tally.accepted), ignored or "0",
                number(tally.quarantined), number(file.receipt.added),
                number(file.receipt.duplicates),
            ))  # fmt: skip
    if rows:
        draw_table(header, rows)
    complain(imported)
    known = sum(1 for file in imported if file.receipt and file.receipt.already_known)
    if known:
        text = plural("{count} file was already known.", "{count} files were already known.", known)
        say(text.format(count=number(known)))
    doubts = sum(file.receipt.ambiguous for file in imported if file.receipt)
    if doubts:
        say(
            plural(
                "{count} line is a repeated access or the same one exported twice: kept once.",
                "{count} lines are repeated accesses or the same ones exported twice: kept once.",
                doubts,
            ).format(count=number(doubts))
        )
