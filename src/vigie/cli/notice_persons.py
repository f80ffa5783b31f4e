"""Persons in notices, as `render` and `send` ask for them: whom, by which way, and what is said."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vigie import journal
from vigie.cases.model import Case
from vigie.cli.terminal import draw_table, home_of, remark, say
from vigie.cli.times import day_of
from vigie.delivery.mailing import Mailing
from vigie.delivery.split import Split, split
from vigie.errors import UsageError
from vigie.exposure.output import hash_file
from vigie.exposure.sets import first_name, is_superseded, set_of
from vigie.language import N_, _, number, plural
from vigie.notices.approval import require_approved
from vigie.notices.people import Joined
from vigie.notices.register import Register, load_register
from vigie.notices.routes import ROUTE_NAMES
from vigie.notices.staff import Holder, find_holders, load_staff
from vigie.notices.story import Story
from vigie.pseudonyms import open_keyring

HOLDERS = {
    "queued": N_("to the holder, who has a mailbox"),
    "by_post": N_("to the holder, by post"),
    "doubtful": N_("doubtful: the register holds rows that differ, look at them first"),
    "unknown_holder": N_("not in the register of staff, or without an address"),
}


def date_of(options: Namespace) -> datetime:
    """Return the date that the notices bear."""
    return day_of(options.date, "--date") or datetime.now(UTC)


def required(path: Path | None, option: str) -> Path:
    """Return the path that an option gives, or raise `UsageError`."""
    if path is None:
        raise UsageError(N_("{option} is missing"), option=option)
    return path


@contextmanager
def persons(
    options: Namespace, story: Story, by_controller: bool
) -> Iterator[tuple[Split, Register | None, pa.Table | None]]:
    """Open the exposure that the facts count, the register and the persons' other pseudonyms."""
    home = home_of(options)
    exposure = options.exposure or set_of(home, story.case, open_keyring(home))
    if not exposure.exists():
        raise UsageError(
            N_("this notice needs the persons"), where=str(exposure),
            remedy=N_("compute them (vigie exposure --case), or give --exposure FILE.parquet"),
        )  # fmt: skip
    counted, given = story.facts.exposure_sha256, hash_file(exposure)
    if is_superseded(home, given):
        raise UsageError(
            N_("this set bears pseudonyms of a key that was rotated since"), where=str(exposure),
            remedy=N_("leave --exposure out: the set kept for the case was brought to the new key"),
        )  # fmt: skip
    if counted and first_name(home, given) != counted:
        raise UsageError(
            N_("this is not the exposure that the facts of the case count"),
            where=str(exposure),
            remedy=N_("give the file that was written with these facts"),
        )
    register = load_register(options.register, open_keyring(home)) if options.register else None
    aliases = pq.read_table(options.identifiers) if options.identifiers else None
    with split(exposure, home / "work", by_controller=by_controller) as found:
        yield found, register, aliases


def holders_of(options: Namespace, story: Story) -> list[Holder]:
    """Return who holds the accounts that were used."""
    path = required(options.staff, "--staff")
    return find_holders(load_staff(path), path, story.facts.accounts)


def look(options: Namespace, case: Case, subject: str) -> None:
    """Write the look at a list of persons into the journal, before it happens."""
    approval = require_approved(case, options.notice)
    reason = f"approved by {approval.author}, record {approval.number}"
    journal.look_at_persons(home_of(options), f"{case.id} {options.notice}: {subject}", reason)


def of_processor(case: Case) -> None:
    """Say whose the letters are to write, where the case is a processor's."""
    if case.role == "processor":
        remark("! " + _(
            "In this case you are a processor: to write to the persons is each controller's to do, "
            "whose packet holds a draft. These letters serve if they mandated you, or for data of "
            "your own."
        ))  # fmt: skip


def say_ways(mailing: Mailing) -> None:
    """Print how many persons go which way, and what the register gave."""
    rows = [(_(ROUTE_NAMES[way]), number(count)) for way, count in sorted(mailing.ways.items())]
    draw_table((_("way"), _("persons")), rows)
    say_joined(mailing.joined)


def say_joined(joined: Joined) -> None:
    """Print what the register lacked or said twice: every row and person is accounted for."""
    say(_(
        "Register: {rows} rows read, {without} without an identifier, {damaged} unreadable; "
        "persons who are not in it: {missing}, there several times, the same: {agreeing}, there "
        "several times, not the same: {differing}."
    ).format(
        rows=number(joined.rows), without=number(joined.without_identifier),
        damaged=number(sum(joined.damaged.values())), missing=number(joined.missing),
        agreeing=number(joined.agreeing), differing=number(joined.differing),
    ))  # fmt: skip
    if joined.shared:
        say(plural(
            "{count} social-security number of the log is borne by several persons of the "
            "register, {bearers} in all: any of them may be concerned.",
            "{count} social-security numbers of the log are borne by several persons of the "
            "register, {bearers} in all: any of them may be concerned.", joined.shared,
        ).format(count=number(joined.shared), bearers=number(joined.bearers)))  # fmt: skip
    if joined.persons and joined.missing == joined.persons:
        remark("! " + _(
            "Nobody of the set is in the register: the kind or authority of its [[identifiers]] "
            "is probably not that under which the log names patients."
        ))  # fmt: skip
