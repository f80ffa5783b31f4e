"""`vigie doctor`: what is well and what is not, without personal data."""

import platform
import shutil
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import vigie
from vigie import journal, sealing
from vigie.cli.terminal import draw_table, home_of, settings_of, write_json
from vigie.errors import VigieError, absent
from vigie.language import _, number
from vigie.pseudonyms import KEY_FILE
from vigie.stores import Store
from vigie.stores.catalogue import CATALOGUE_FILE

LIBRARIES = ("duckdb", "lxml", "msgspec", "numba", "numpy", "pyarrow", "pyrage", "cryptography")
LEAST_FREE = 5 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `remedy` when it is not well."""

    subject: str
    found: str
    remedy: str = ""


def doctor(options: Namespace) -> int:
    """Print the checks; 1 when one needs a remedy."""
    checks = list(_checks(options))
    if options.format == "json":
        write_json([
            {"subject": c.subject, "ok": not c.remedy, "found": c.found, "remedy": c.remedy}
            for c in checks
        ])  # fmt: skip
    else:
        header = ("", _("subject"), _("found"), _("remedy"))
        draw_table(
            header, [("!" if c.remedy else "ok", c.subject, c.found, c.remedy) for c in checks]
        )
    return int(any(check.remedy for check in checks))


def _checks(options: Namespace) -> Iterator[Check]:
    home = home_of(options)
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield Check("Vigie", f"{vigie.__version__}, Python {platform.python_version()}")
    yield Check(_("libraries"), libraries)
    try:
        settings_of(options)
        yield Check(_("settings"), _("read"))
    except VigieError as error:
        yield Check(_("settings"), _("not read"), str(error))
    if not home.exists():
        yield Check(_("store"), _("none yet in {home}").format(home=home))
        return
    yield _rights(home)
    yield _space(home)
    yield _key(home)
    yield _private_half(home)
    yield from _store(home)
    yield from _cases(options)
    yield _journal(home)


def _rights(home: Path) -> Check:
    mode = home.stat().st_mode & 0o777
    remedy = _("run chmod 700 on it") if mode & 0o077 else ""
    return Check(_("directory"), f"{home} ({mode:o})", remedy)


def _space(home: Path) -> Check:
    free = shutil.disk_usage(home).free
    remedy = _("make room: an import needs about the size of its log") if free < LEAST_FREE else ""
    return Check(_("free space"), f"{number(free / (1 << 30), 1)} GiB", remedy)


def _key(home: Path) -> Check:
    if not (home / KEY_FILE).exists() and not (home / CATALOGUE_FILE).exists():
        return Check(_("pseudonym key"), _("not made yet"))
    try:
        with Store.open(home) as store:
            ring = store.keyring
    except VigieError as error:
        return Check(_("pseudonym key"), _("not usable"), str(error))
    found = _("there, mode 0600, rotated {count} times").format(count=number(ring.version))
    return Check(_("pseudonym key"), found)


def _private_half(home: Path) -> Check:
    if not (home / sealing.PUBLIC_FILE).exists():
        return Check(_("sealed originals"), _("not made yet: the first import makes it"))
    if sealing.private_key_still_here(home):
        return Check(
            _("sealed originals"),
            _("the private key lies beside them"),
            _("move {file} to a place that is offline").format(file=sealing.PRIVATE_FILE),
        )
    return Check(_("sealed originals"), _("the private key is not here, as it should be"))


def _store(home: Path) -> Iterator[Check]:
    try:
        with Store.open(home) as store:
            sources = store.sources()
    except VigieError as error:
        yield Check(_("store"), _("not usable"), str(error))
        return
    for source in sources:
        found = _(
            "{rows} rows, {lines} lines read, {quarantined} quarantined, until {last}"
        ).format(
            rows=number(source.rows),
            lines=number(source.lines),
            quarantined=number(source.quarantined_now),
            last=f"{source.last_at:%Y-%m-%d}" if source.last_at else "–",
        )
        remedy = ""
        if source.quarantined_now:
            remedy = _('look at them: vigie events --sql "FROM quarantine"')
        yield Check(source.name, found, remedy)


def _cases(options: Namespace) -> Iterator[Check]:
    """Look at the cases where there are any: their libraries are an extra."""
    home = home_of(options)
    if not any(entry.what == "case" for entry in journal.entries(home)):
        return
    try:
        from vigie.cases.book import CaseBook

        with CaseBook.open(home, settings_of(options)) as book:
            count, where = len(book.cases()), book.state.address
    except (VigieError, ModuleNotFoundError) as error:
        said = error if isinstance(error, VigieError) else absent(error) or error
        yield Check(_("cases"), _("not usable"), str(said))
        return
    yield Check(_("cases"), _("{count} in {where}").format(count=number(count), where=where))


def _journal(home: Path) -> Check:
    entries = len(journal.entries(home))
    broken = journal.verify(home)
    found = _("{count} entries, the chain holds").format(count=number(entries))
    if broken:
        found = _("entry {number}: {what}").format(
            number=number(broken.number), what=_(broken.what)
        )
        return Check(_("journal"), found, _("compare it with its backup"))
    return Check(_("journal"), found)
