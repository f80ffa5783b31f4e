"""`vigie import`: read logs into the store and say what became of every line."""

import os
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vigie.cli.codes import ERROR, NOTHING, UNTRUSTED
from vigie.cli.following import cases_follow
from vigie.cli.terminal import (
    draw_table,
    home_of,
    reading_progress,
    remark,
    say,
    write_json,
)
from vigie.errors import UsageError
from vigie.language import N_, _, number, plural, sentence
from vigie.pipeline import (
    Fault,
    Imported,
    find_files,
    import_files,
    label_of,
    load_mappings,
    passed_over,
)
from vigie.readers.base import REASONS, Tally
from vigie.stores import Receipt, Store

_MOST = 20
_FEW = 5
_LOOK = N_('mend the export, or look at what is kept aside: vigie events --sql "FROM quarantine"')
_REMEDIES = {
    "bad_time": N_("write their form as format of that column in the mapping, and import again"),
    "bad_encoding": N_('write encoding = "cp1252" (or theirs) in [source.format]; import again'),
    "unknown_kind": N_("add it to [care.kinds] of the mapping, and import again"),
    "unknown_action": N_("add it to [values.action] of the mapping, and import again"),
    "truncated": N_("fetch the file again: its end is missing"),
}


def import_logs(options: Namespace) -> int:
    """Run the command."""
    with cases_follow(options):
        imported = read_paths(options)
        if options.format == "json":
            write_json({"version": 1, "files": [as_json(file) for file in imported]})
        else:
            show(imported)
    if all(file.error for file in imported):
        return ERROR
    return UNTRUSTED if any(untrusted(file) for file in imported) else NOTHING


def read_paths(options: Namespace) -> list[Imported]:
    """Import what the options name, with progress on a terminal."""
    home = home_of(options).resolve()
    files, mappings = find_files(options.paths), load_mappings(options.mapping)
    # A directory of logs may hold the store as well, which is no log.
    files = {path: name for path, name in files.items() if home not in _folders(path)}
    if not files:
        raise UsageError(
            N_("the directory holds no log file"), where=str(options.paths[0]),
            remedy=N_("name the directory where the logs are"),
        )  # fmt: skip
    _say_passed_over(options.paths)
    total = sum(map(_size, files))
    with (
        Store.open(home_of(options), write=True) as store,
        reading_progress(options, total, _("reading")) as advance,
    ):
        return import_files(store, files, mappings, advance)


def _say_passed_over(paths: Sequence[Path]) -> None:
    """Say what of the directories is not read: silence would make it look read."""
    left = passed_over(paths)
    if left:
        names = ", ".join(label_of(str(path)) for path in left[:_FEW])
        names += ", …" if len(left) > _FEW else ""
        what = plural(
            "{count} text, link to a directory or link to nothing was passed over",
            "{count} texts, links to directories or links to nothing were passed over",
            len(left),
        )
        remedy = _("name it by itself if it is a log")
        remark(f"vigie: {sentence(names, what.format(count=number(len(left))), remedy)}")


def _folders(path: Path) -> Sequence[Path]:
    """Return the folders that a file is in; links that go round in circles are read as they are."""
    return Path(os.path.realpath(path)).parents


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # its reading will say why
        return 0


def untrusted(file: Imported) -> bool:
    """Say whether a part of the file could not be read."""
    receipt = file.receipt
    return receipt is None or bool(receipt.tally.quarantined or receipt.damage)


def complain(imported: list[Imported]) -> None:
    """Say on standard error which files and lines could not be read, why, and what to do."""
    for file in imported:
        if file.error:
            remark(f"vigie: {file.error}")
    for receipt in (file.receipt for file in imported if file.receipt):
        if receipt.already_known and receipt.tally.quarantined:
            remark(f"vigie: {_still_aside(receipt)}")
    said = [(file, fault) for file in imported for fault in file.faults]
    for file, fault in said[:_MOST]:
        remark(f"vigie: {_explained(file, fault)}")
    if len(said) > _MOST:
        text = plural("and {count} reason more.", "and {count} reasons more.", len(said) - _MOST)
        remark(f"vigie: {text.format(count=number(len(said) - _MOST))}")


def _still_aside(receipt: Receipt) -> str:
    """Say of a file that was read before how many of its lines wait since then."""
    count = receipt.tally.quarantined
    text = plural(
        "{count} line of it is in quarantine since it was first read",
        "{count} lines of it are in quarantine since it was first read",
        count,
    )
    return sentence(receipt.label, text.format(count=number(count)), _(_LOOK))


def _explained(file: Imported, fault: Fault) -> str:
    count = plural("{count} line", "{count} lines", fault.count)
    what = f"{_(REASONS[fault.reason])} ({count.format(count=number(fault.count))})"
    column = f" ({fault.column})" if fault.column else ""
    label = file.receipt.label if file.receipt else file.label
    remedy = _(_REMEDIES.get(fault.reason, _LOOK))
    return sentence(f"{label}:{fault.line}{column}", what, remedy)


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
        "reasons": [
            {"reason": f.reason, "column": f.column, "first_line": f.line, "lines": f.count}
            for f in file.faults
        ],
        "rows_added": receipt.added,
        "relations": file.relations,
        "rows_already_there": receipt.duplicates,
        "ambiguous": receipt.ambiguous,
        "damage": receipt.damage,
        "doubtful_times": dict(file.doubts),
    }


def show(imported: list[Imported]) -> None:
    """Draw the table of files, then what stands out."""
    header = (
        _("file"), _("format"), _("lines read"), _("accepted"), _("ignored"), _("quarantined"),
        _("rows added"), _("already there"),
    )  # fmt: skip
    rows = [_row(file, file.receipt) for file in imported if file.receipt is not None]
    if rows:
        draw_table(header, rows)
    summarise(imported)


def _row(file: Imported, receipt: Receipt) -> tuple[str, ...]:
    tally = receipt.tally
    ignored = ", ".join(f"{rule} {number(n)}" for rule, n in sorted(tally.ignored.items()))
    return (
        file.label, file.reader, number(tally.read), number(tally.accepted), ignored or "0",
        number(tally.quarantined), number(receipt.added), number(receipt.duplicates),
    )  # fmt: skip


def summarise(imported: list[Imported]) -> None:
    """Say in a few lines what became of all lines: read = accepted + ignored + quarantined."""
    receipts = [file.receipt for file in imported if file.receipt is not None]
    complain(imported)
    for receipt in receipts:
        if receipt.damage:
            text = _("! {file}: {reason}.")
            say(text.format(file=receipt.label, reason=_(REASONS[receipt.damage])))
    tally = sum((receipt.tally for receipt in receipts), Tally())
    text = _(
        "Lines read: {read} (files: {files}) = {accepted} accepted + {ignored} ignored by rule "
        "+ {quarantined} quarantined; rows added: {added}."
    )
    say(text.format(
        read=number(tally.read), files=number(len(receipts)), accepted=number(tally.accepted),
        ignored=number(sum(tally.ignored.values())), quarantined=number(tally.quarantined),
        added=number(sum(receipt.added for receipt in receipts)),
    ))  # fmt: skip
    _say_apart(imported, receipts)


def _say_reread(count: int) -> None:
    """Say that a mended mapping changes nothing of what was read with the one before."""
    if count:
        text = plural(
            "! {count} file was read before with another mapping: its lines that are there keep "
            "what that one made of them, and those that this one dates on another day are there "
            "twice (declared screens and controllers are taken). To have this mapping alone, read "
            "the logs into a new store: --home names its directory.",
            "! {count} files were read before with another mapping: their lines that are there "
            "keep what that one made of them, and those that this one dates on another day are "
            "there twice (declared screens and controllers are taken). To have this mapping "
            "alone, read the logs into a new store: --home names its directory.",
            count,
        )
        say(text.format(count=number(count)))


def _say_doubts(imported: list[Imported]) -> None:
    """Say how many rows have a moment that the log leaves in doubt."""
    doubts = sum((file.doubts for file in imported), Counter[str]())
    if count := doubts["ambiguous"]:
        text = plural(
            "! {count} row is of the hour that the autumn clock change repeats: the log does not "
            "say which of the two, and the first is taken (clock_quality: ambiguous).",
            "! {count} rows are of the hour that the autumn clock change repeats: the log does not "
            "say which of the two, and the first is taken (clock_quality: ambiguous).",
            count,
        )
        say(text.format(count=number(count)))
    if count := doubts["skewed"]:
        text = plural(
            "! {count} row follows a jump back in time in its file (a clock set back, exports "
            "joined), or is of the hour that the spring clock change skips: its order is not sure "
            "(clock_quality: skewed).",
            "! {count} rows follow a jump back in time in their file (a clock set back, exports "
            "joined), or are of the hour that the spring clock change skips: their order is not "
            "sure (clock_quality: skewed).",
            count,
        )
        say(text.format(count=number(count)))


def _say_apart(imported: list[Imported], receipts: list[Receipt]) -> None:
    """Say how many care relations were kept, files known before, lines perhaps exported twice."""
    kept = sum(file.relations for file in imported)
    known = sum(receipt.already_known for receipt in receipts)
    doubts = sum(receipt.ambiguous for receipt in receipts)
    if kept:
        text = plural("{count} care relation was kept.", "{count} care relations were kept.", kept)
        say(text.format(count=number(kept)))
    _say_doubts(imported)
    if known:
        text = plural("{count} file was already known.", "{count} files were already known.", known)
        say(text.format(count=number(known)))
    _say_reread(sum(receipt.reread for receipt in receipts))
    if doubts:
        text = plural(
            "{count} line is a repeated access or the same one exported twice: kept once.",
            "{count} lines are repeated accesses or the same ones exported twice: kept once.",
            doubts,
        )
        say(text.format(count=number(doubts)))
