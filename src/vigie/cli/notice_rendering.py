"""`vigie notice render`: documents, packets by controller, letters."""

from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path

from vigie.cases.figures import classes_of, possible_classes, surely_seen
from vigie.cases.filings import KINDS, file
from vigie.cases.grounds import told
from vigie.cases.model import Case
from vigie.cli.arriving import remind, require_current
from vigie.cli.book import find_case
from vigie.cli.notice_persons import (
    HOLDERS,
    date_of,
    holders_of,
    look,
    of_processor,
    persons,
    required,
    say_joined,
    say_ways,
)
from vigie.cli.notice_queue import refused_by_mail
from vigie.cli.opening import key_in_use
from vigie.cli.terminal import draw_table, home_of, remark, say
from vigie.delivery.mailing import Mailing, addressees, print_letters
from vigie.delivery.packets import POSSIBLE, write_packets
from vigie.delivery.posting import largest_file
from vigie.delivery.professionals import print_professionals, standing
from vigie.delivery.recipients import OPERATOR, Recipient, load_recipients, require
from vigie.delivery.smtp import Server, load_server
from vigie.delivery.unwritten import UNWRITTEN
from vigie.errors import SettingsError
from vigie.language import _, number, plural
from vigie.notices import controllers, papers
from vigie.notices.approval import NAMED, require_approved
from vigie.notices.document import Document
from vigie.notices.forms import form
from vigie.notices.letters import Letters
from vigie.notices.routes import WRITTEN, mailbox
from vigie.notices.story import Story, head_of, tell


def render(options: Namespace) -> int:
    """Make a notice; one that bears names needs the approval, and leaves encrypted."""
    case = find_case(options)
    if options.notice in KINDS:
        remind(options, [case])
        _write_all(options, _sheet(options, case))
        return 0
    story = tell(case, home_of(options), date_of(options))
    named = options.notice in NAMED or (options.notice == "professionals" and options.staff)
    if named:
        require_approved(case, options.notice)
        require_current(options, case)
        story.require_persons()
        with key_in_use(options):
            return _NAMED[options.notice](options, case, story)
    remind(options, [case])
    story.require_persons()
    _write_all(options, _documents(options, story))
    return 0


def _write_all(options: Namespace, documents: dict[str, Document]) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    _write(documents, options.out, options.form or ["pdf"], home_of(options))


def _write(documents: dict[str, Document], out: Path, forms: Iterable[str], home: Path) -> None:
    """Write documents that bear no patient's name, in every form that is asked for."""
    for suffix in forms:
        made = form(suffix, home)
        for name, document in documents.items():
            path = out / f"{name}.{suffix}"
            path.write_bytes(made(document))
            remark(_("written: {path}").format(path=path))


def _sheet(options: Namespace, case: Case) -> dict[str, Document]:
    home, date = home_of(options), date_of(options)
    filing = file(case, options.notice, home, date)
    if options.notice == "cnil" and case.role == "processor":
        remark("! " + _(
            "In this case you are a processor: to notify the CNIL is each controller's to do, "
            "whose packet holds a draft. This sheet serves if they mandated you, or for data of "
            "your own."
        ))  # fmt: skip
    return {options.notice: papers.sheet(filing, head_of(case, home, date))}


def _documents(options: Namespace, story: Story) -> dict[str, Document]:
    home, notice = home_of(options), options.notice
    seen, may = classes_of(story.facts), possible_classes(story.facts)
    if notice == "press":
        sure = surely_seen(story.facts)
        may = [*(name for name in seen if name not in sure), *may]
        return {notice: papers.press(story, sure, home, may)}
    if notice == "advice":
        return {notice: papers.advice_page(story, [*seen, *may], home)}
    return {
        f"professional-{place}": papers.professional(story, account, home)
        for place, account in enumerate(story.facts.accounts, start=1)
    }


def _controllers(options: Namespace, case: Case, story: Story) -> int:
    path = required(options.recipients, "--recipients")
    to = load_recipients(path)
    home = home_of(options)
    cnil = file(case, "cnil", home, date_of(options))
    documents = controllers.enclosed(cnil, story, options.form or ("pdf", "docx"), home)
    with persons(options, story, by_controller=True) as (found, register, aliases):
        look(options, case, f"packets for {len(found.shares)} controllers")
        outcome = write_packets(
            found, to, options.out, documents, register, aliases,
            story.sha256, told(case, options.notice), where=str(path), largest=_largest(home),
        )  # fmt: skip
    text = plural(
        "{packets} packet written to {path}, with {persons} persons on its list.",
        "{packets} packets written to {path}, with {persons} persons on their lists (those who "
        "have two controllers are on both).", len(outcome.packets),
    )  # fmt: skip
    say(text.format(
        packets=number(len(outcome.packets)), persons=number(outcome.persons), path=options.out
    ))  # fmt: skip
    if outcome.possible:
        say(_(
            "{count} more may be concerned, nobody knows: they are listed apart, in {name}."
        ).format(count=number(outcome.possible), name=POSSIBLE))  # fmt: skip
    if outcome.joined:
        say_joined(outcome.joined)
    return 0


def _largest(home: Path) -> Callable[[Recipient], int | None]:
    """Return how large a file for each recipient may be: as its mailbox takes, if it has one."""
    try:
        mail = load_server(home).largest_mb
    except SettingsError:
        mail = Server("", "").largest_mb

    def largest(to: Recipient) -> int | None:
        if not mailbox(to.email):
            return None
        return largest_file(int(min(to.largest_mb or mail, mail) * 1_000_000))

    return largest


def _operator(options: Namespace) -> Recipient:
    """Return to whom letters to print are encrypted."""
    path = required(options.recipients, "--recipients")
    known = load_recipients(path)
    require(known, [OPERATOR], str(path))
    return known[OPERATOR]


def _letters(options: Namespace, case: Case, story: Story) -> int:
    to, home = _operator(options), home_of(options)
    required(options.register, "--register")
    suffix = (options.form or ["pdf"])[0]
    of_processor(case)
    with persons(options, story, by_controller=False) as (found, register, aliases):
        assert register is not None
        look(options, case, "letters to print")
        mailing = Mailing()
        people = addressees(found, register, aliases, date_of(options).date(), mailing)
        if options.by_post:
            refused = refused_by_mail(options, case)
            people = (one for one in people if one.way not in WRITTEN or not one.email
                      or one.person in refused)  # fmt: skip
        letters = Letters(story, home)
        print_letters(people, letters, form(suffix, home), to, options.out, mailing, suffix)
    say_ways(mailing)
    text = plural("{count} letter to print.", "{count} letters to print.", mailing.letters)
    say(text.format(count=number(mailing.letters)))
    if sum(mailing.ways.values()) > sum(mailing.ways[way] for way in WRITTEN):
        say(_("Who is not written to is listed beside the letters, in {name}.").format(
            name=UNWRITTEN
        ))  # fmt: skip
    return 0


def _professionals(options: Namespace, case: Case, story: Story) -> int:
    to, holders = _operator(options), holders_of(options, story)
    suffix, home = (options.form or ["pdf"])[0], home_of(options)
    look(options, case, "letters to professionals to print")
    print_professionals(holders, story, form(suffix, home), to, options.out, suffix, home)
    rows = [(one.account, _(HOLDERS[standing(one)])) for one in holders]
    draw_table((_("account"), _("way")), rows)
    return 0


_NAMED = {"controllers": _controllers, "letters": _letters, "professionals": _professionals}
