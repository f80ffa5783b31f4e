"""`vigie notice prepare`, `approve`, `refuse`, `list` and `render`."""

from argparse import Namespace
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigie import journal
from vigie.cases.book import CaseBook
from vigie.cases.figures import classes_of, possible_classes
from vigie.cases.filings import KINDS, file
from vigie.cases.model import Case, Matter
from vigie.cli.scan import day_of
from vigie.cli.terminal import draw_table, home_of, remark, say, settings_of, write_json
from vigie.errors import UsageError
from vigie.language import N_, _, number
from vigie.notices import controllers, papers
from vigie.notices.approval import NAMED, NAMES, Standing, require_approved, standing
from vigie.notices.document import Document
from vigie.notices.forms import form
from vigie.notices.story import Story, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from vigie.delivery.mailing import Mailing
    from vigie.delivery.split import Split
    from vigie.notices.register import Register
    from vigie.notices.staff import Holder


def prepare(options: Namespace) -> int:
    """Ask for a notice."""
    return _decide(options, Matter.NOTICE_ASKED)


def approve(options: Namespace) -> int:
    """Approve a notice that somebody else asked for."""
    return _decide(options, Matter.NOTICE_APPROVED)


def refuse(options: Namespace) -> int:
    """Refuse a notice."""
    return _decide(options, Matter.NOTICE_REFUSED)


def _decide(options: Namespace, matter: Matter) -> int:
    with open_book(options) as book:
        case = book.case(options.case)
        if matter == Matter.NOTICE_ASKED:
            tell(case, home_of(options), datetime.now(UTC))
        case = book.decide(case.id, matter, options.notice, options.reason, options.author)
    _say(standing(case, options.notice))
    return 0


def open_book(options: Namespace) -> CaseBook:
    """Open the book of the cases."""
    return CaseBook.open(home_of(options), settings_of(options))


def find_case(options: Namespace) -> Case:
    """Return the case that is meant."""
    with open_book(options) as book:
        return book.case(options.case)


def show(options: Namespace) -> int:
    """Print where each notice stands."""
    case = find_case(options)
    found = [standing(case, name) for name in NAMES]
    if options.format == "json":
        write_json({"version": 1, "case": case.id, "notices": [_as_json(one) for one in found]})
        return 0
    for one in found:
        if one.state != "none":
            _say(one)
    if all(one.state == "none" for one in found):
        say(_("Nobody has asked for a notice of this case."))
    return 0


def _as_json(one: Standing) -> dict[str, Any]:
    return {
        "notice": one.notice,
        "state": one.state,
        "asked_by": one.asked.author if one.asked else None,
        "answered_by": one.answered.author if one.answered else None,
        "changes": [{"name": c.name, "before": c.before, "after": c.after} for c in one.changes],
    }


_STATES = {
    "asked": N_("{notice}: asked for by {asked}; another person must approve it."),
    "approved": N_("{notice}: asked for by {asked}, approved by {answered}."),
    "refused": N_("{notice}: asked for by {asked}, refused by {answered}."),
    "stale": N_("! {notice}: stale, the facts changed since {asked} asked for it."),
}


def _say(one: Standing) -> None:
    say(_(_STATES[one.state]).format(
        notice=one.notice, asked=one.asked.author if one.asked else "",
        answered=one.answered.author if one.answered else "",
    ))  # fmt: skip
    if one.changes:
        header = (_("what"), _("before"), _("now"))
        draw_table(header, [(c.name, c.before, c.after) for c in one.changes])


def render(options: Namespace) -> int:
    """Make a notice; one that bears names needs the approval, and leaves encrypted."""
    case = find_case(options)
    story = tell(case, home_of(options), date_of(options))
    named = options.notice in NAMED or (options.notice == "professionals" and options.staff)
    if named:
        require_approved(case, options.notice)
        return _NAMED[options.notice](options, case, story)
    documents = _documents(options, case, story)
    options.out.mkdir(parents=True, exist_ok=True)
    write_documents(documents, options.out, options.form or ["pdf"], home_of(options))
    return 0


def write_documents(
    documents: dict[str, Document], out: Path, forms: Iterable[str], home: Path
) -> None:
    """Write documents that bear no patient's name, in every form that is asked for."""
    for suffix in forms:
        made = form(suffix, home)
        for name, document in documents.items():
            path = out / f"{name}.{suffix}"
            path.write_bytes(made(document))
            remark(_("written: {path}").format(path=path))


def date_of(options: Namespace) -> datetime:
    """Return the date that the notices bear."""
    return day_of(options.date, "--date") or datetime.now(UTC)


def _documents(options: Namespace, case: Case, story: Story) -> dict[str, Document]:
    home, notice = home_of(options), options.notice
    if notice in KINDS:
        return {notice: papers.sheet(file(case, notice, home, date_of(options)), story)}
    classes = [*classes_of(story.facts), *possible_classes(story.facts)]
    if notice == "press":
        return {notice: papers.press(story, classes, home)}
    if notice == "advice":
        return {notice: papers.advice_page(story, classes, home)}
    return {
        f"professional-{place}": papers.professional(story, account, home)
        for place, account in enumerate(story.facts.accounts, start=1)
    }


@contextmanager
def persons(
    options: Namespace, story: Story, by_controller: bool
) -> "Iterator[tuple[Split, Register | None, pa.Table | None]]":
    """Open the exposure that the facts count, the register and the persons' other pseudonyms."""
    import pyarrow.parquet as pq

    from vigie.cli.case_exposure import set_of
    from vigie.delivery.split import split
    from vigie.exposure.output import hash_file
    from vigie.notices.register import load_register
    from vigie.pseudonyms import open_keyring

    home = home_of(options)
    exposure = options.exposure or set_of(home, story.case)
    if not exposure.exists():
        raise UsageError(
            N_("this notice needs the persons"), where=str(exposure),
            remedy=N_("compute them (vigie exposure --case), or give --exposure FILE.parquet"),
        )  # fmt: skip
    counted = story.facts.exposure_sha256
    if counted and hash_file(exposure) != counted:
        raise UsageError(
            N_("this is not the exposure that the facts of the case count"),
            where=str(exposure),
            remedy=N_("give the file that was written with these facts"),
        )
    register = load_register(options.register, open_keyring(home)) if options.register else None
    aliases = pq.read_table(options.identifiers) if options.identifiers else None
    with split(exposure, home / "work", by_controller=by_controller) as found:
        yield found, register, aliases


def _controllers(options: Namespace, case: Case, story: Story) -> int:
    from vigie.delivery.packets import POSSIBLE, write_packets
    from vigie.delivery.recipients import load_recipients

    path = required(options.recipients, "--recipients")
    to = load_recipients(path)
    home = home_of(options)
    cnil = file(case, "cnil", home, date_of(options))
    documents = controllers.enclosed(cnil, story, options.form or ("pdf", "docx"), home)
    with persons(options, story, by_controller=True) as (found, register, aliases):
        look(options, case, f"packets for {len(found.shares)} controllers")
        outcome = write_packets(
            found, to, options.out, documents, register, aliases,
            story.sha256, where=str(path),
        )  # fmt: skip
    say(_(
        "{packets} packets written to {path}; their lists name {persons} persons in all, one with "
        "two controllers in both."
    ).format(
        packets=number(len(outcome.packets)), persons=number(outcome.persons), path=options.out
    ))  # fmt: skip
    if outcome.possible:
        say(_(
            "{count} more may be concerned, nobody knows: they are listed apart, in {name}."
        ).format(count=number(outcome.possible), name=POSSIBLE))  # fmt: skip
    if outcome.joined:
        say_joined(outcome.joined)
    return 0


def _letters(options: Namespace, case: Case, story: Story) -> int:
    from vigie.delivery.mailing import Mailing, addressees, print_letters
    from vigie.delivery.recipients import OPERATOR, load_recipients, require
    from vigie.notices.letters import Letters

    path = required(options.recipients, "--recipients")
    to = load_recipients(path)
    require(to, [OPERATOR], str(path))
    required(options.register, "--register")
    suffix = (options.form or ["pdf"])[0]
    with persons(options, story, by_controller=False) as (found, register, aliases):
        assert register is not None
        look(options, case, "letters to print")
        mailing = Mailing()
        people = addressees(found, register, aliases, date_of(options).date(), mailing)
        letters = Letters(story, home_of(options))
        print_letters(
            people,
            letters,
            form(suffix, home_of(options)),
            to[OPERATOR],
            options.out,
            mailing,
            suffix,
        )
    say_ways(mailing)
    return 0


def _professionals(options: Namespace, case: Case, story: Story) -> int:
    from vigie.delivery.professionals import print_professionals, standing
    from vigie.delivery.recipients import OPERATOR, load_recipients, require

    path = required(options.recipients, "--recipients")
    to = load_recipients(path)
    require(to, [OPERATOR], str(path))
    holders = holders_of(options, story)
    suffix, home = (options.form or ["pdf"])[0], home_of(options)
    look(options, case, "letters to professionals to print")
    print_professionals(holders, story, form(suffix, home), to[OPERATOR], options.out, suffix, home)
    rows = [(one.account, _(HOLDERS[standing(one)])) for one in holders]
    draw_table((_("account"), _("way")), rows)
    return 0


def holders_of(options: Namespace, story: Story) -> "list[Holder]":
    """Return who holds the accounts that were used."""
    from vigie.notices.staff import find_holders, load_staff

    path = required(options.staff, "--staff")
    return find_holders(load_staff(path), path, story.facts.accounts)


HOLDERS = {
    "queued": N_("to the holder, who has a mailbox"),
    "by_post": N_("to the holder, by post"),
    "doubtful": N_("doubtful: the register holds rows that differ, look at them first"),
    "unknown_holder": N_("not in the register of staff, or without an address"),
}
_NAMED = {"controllers": _controllers, "letters": _letters, "professionals": _professionals}


def say_ways(mailing: "Mailing") -> None:
    """Print how many persons go which way, and what the register gave."""
    rows = [(_(WAYS[way]), number(count)) for way, count in sorted(mailing.ways.items())]
    draw_table((_("way"), _("persons")), rows)
    say_joined(mailing.joined)


WAYS = {
    "adult": N_("to the person"),
    "minor": N_("to the legal representatives of a minor"),
    "protected": N_("to the legal representative of a protected adult"),
    "deceased": N_("deceased: nobody is written to"),
    "doubtful": N_("doubtful: the register holds rows that differ, look at them first"),
    "unreachable": N_("unreachable: public communication, article 34(3)(c)"),
    "possible": N_("only possibly concerned: no letter, your data protection officer decides"),
}


def say_joined(joined: Any) -> None:
    """Print what the register lacked or said twice: every row and person is accounted for."""
    say(_(
        "Register: {rows} rows read, {without} without an identifier, {damaged} unreadable; "
        "{missing} persons are not in it, {agreeing} are there several times alike and {differing} "
        "several times differently."
    ).format(
        rows=number(joined.rows), without=number(joined.without_identifier),
        damaged=number(sum(joined.damaged.values())), missing=number(joined.missing),
        agreeing=number(joined.agreeing), differing=number(joined.differing),
    ))  # fmt: skip


def look(options: Namespace, case: Case, subject: str) -> None:
    """Write the look at a list of persons into the journal, before it happens."""
    approval = require_approved(case, options.notice)
    reason = f"approved by {approval.author}, record {approval.number}"
    journal.look_at_persons(home_of(options), f"{case.id} {options.notice}: {subject}", reason)


def required(path: Path | None, option: str) -> Path:
    """Return the path that an option gives, or raise `UsageError`."""
    if path is None:
        raise UsageError(N_("{option} is missing"), option=option)
    return path
