"""What keeps the store in order: verify, compact, retain, rotate, unseal."""

import sys
from argparse import Namespace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from vigie.cli.codes import ERROR, NOTHING, UNTRUSTED
from vigie.cli.following import has_cases
from vigie.cli.opening import open_present
from vigie.cli.terminal import home_of, remark, say, settings_of, write_json
from vigie.errors import UsageError, VigieError, absent
from vigie.journal import JOURNAL_FILE
from vigie.language import N_, _, number, plural
from vigie.stores import Store
from vigie.stores.retention import due

if TYPE_CHECKING:
    from vigie.pseudonyms import Keyring
    from vigie.stores.verification import Finding


def verify(options: Namespace) -> int:
    """Check every segment, the catalogue and the journal; name what is not as it was written."""
    with _present(options) as store:
        findings = store.verify()
        sources = store.sources()
    findings += _cases(options)
    if options.format == "json":
        write_json(
            {
                "version": 1,
                "ok": not findings,
                "findings": [
                    {"kind": f.kind, "where": f.where, "entry": f.number or None, "what": str(f)}
                    for f in findings
                ],
            }
        )
    else:
        for finding in findings:
            say(f"! {finding}")
        if not findings:
            say(
                _("Everything is as it was written; rows: {rows}, sources: {sources}.").format(
                    rows=number(sum(source.rows for source in sources)),
                    sources=number(len(sources)),
                )
            )
    return ERROR if findings else NOTHING


def _present(options: Namespace) -> Store:
    """Open what there is to check: a home of cases alone has a journal and no store."""
    home = home_of(options)
    return Store.open(home) if (home / JOURNAL_FILE).exists() else open_present(options)


def _cases(options: Namespace) -> "list[Finding]":
    """Check the cases, if there ever were any: their libraries are an extra."""
    home = home_of(options)
    if not has_cases(home):
        return []
    try:
        from vigie.cases.verification import verify_cases

        return verify_cases(home, settings_of(options))
    except (VigieError, ModuleNotFoundError) as error:
        from vigie.stores.verification import Finding

        # The rest is checked all the same; a check that was not made is never green.
        remark(str(error if isinstance(error, VigieError) else absent(error) or error))
        return [Finding("cases", "state", N_("the cases cannot be checked"))]


def compact(options: Namespace) -> int:
    """Merge small segments of the same day."""
    with open_present(options, write=True) as store:
        merged = store.compact()
    text = plural("{count} segment merged.", "{count} segments merged.", merged)
    say(text.format(count=number(merged)))
    return NOTHING


def retain(options: Namespace) -> int:
    """Drop what the retention of each source no longer allows, but what an open case asks about.

    4: days were kept for a case.
    """
    now = datetime.now(UTC)
    with open_present(options, write=True) as store:
        held = _held(options, store, due(store, now))
        removed = store.retain(now, held)
    for gone in removed:
        say(
            _("{source}: {rows} rows of {days} days and {chunks} sealed originals removed.").format(
                source=gone.source,
                rows=number(gone.rows),
                days=number(gone.days),
                chunks=number(gone.chunks),
            )
        )
    if not removed and not held:
        say(_("Nothing is older than its retention."))
    return UNTRUSTED if held else NOTHING


def _held(options: Namespace, store: Store, days: list[str]) -> set[str]:
    """Return the days to keep for open cases, after saying which; none when told to drop them."""
    if not days or not has_cases(store.home):
        return set()
    from vigie.cli.retaining import hold

    return hold(options, store, days)


def rotate(options: Namespace) -> int:
    """Change the pseudonym key and bring the store to the new one."""
    with open_present(options, write=True) as store:
        count = store.rotate(reason="vigie rotate", carry=partial(_carry, options))
    say(
        _(
            "The key was rotated (rotations so far: {count}); every stored pseudonym follows it. "
            "Back the new key file up, and destroy the copies of the old one."
        ).format(count=number(count))
    )
    return NOTHING


def _carry(options: Namespace, ring: "Keyring") -> None:
    """Bring what the cases keep to the new key; what is left behind follows when it is used."""
    home = home_of(options)
    if not has_cases(home):
        return
    from vigie.delivery.carrying import carry_queues
    from vigie.exposure.sets import carry_sets
    from vigie.state import open_state

    carry_sets(home, ring)
    with open_state(home, settings_of(options)) as state:
        carry_queues(state, ring)


def unseal(options: Namespace) -> int:
    """Write sealed original lines to standard output, byte for byte."""
    wanted = _by_file(options.lines)
    with open_present(options) as store:
        for file, lines in wanted.items():
            for raw in store.unseal(file, lines, options.identity, options.reason):
                sys.stdout.buffer.write(raw + b"\n")
    return NOTHING


def _by_file(references: list[str]) -> dict[str, list[int]]:
    """Gather FILE:LINE references by file, in the order given."""
    wanted: dict[str, list[int]] = {}
    for reference in references:
        file, _colon, line = reference.rpartition(":")
        if not file or not line.isdecimal() or not int(line):
            raise UsageError(
                N_("{reference!r} is not a file and a line"),
                remedy=N_("write it as alerts cite it: portal.ndjson:1824"),
                reference=reference,
            )
        wanted.setdefault(file, []).append(int(line))
    return wanted
