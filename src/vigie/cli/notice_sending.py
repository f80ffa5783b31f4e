"""`vigie notice send` and `outcomes`: letters by mail, and what became of each."""

from argparse import Namespace
from collections.abc import Iterator
from itertools import islice

from vigie.cli.notice_actions import date_of, find_case, look, persons, say_ways
from vigie.cli.terminal import (
    draw_table,
    home_of,
    remark,
    say,
    settings_of,
    write_csv,
    write_json,
)
from vigie.delivery.mailing import Addressee, Mailing, addressees, enqueue, send_letters
from vigie.delivery.outbox import Outbox
from vigie.delivery.smtp import Session, load_server
from vigie.errors import UsageError
from vigie.language import N_, _, number
from vigie.notices.approval import require_approved
from vigie.notices.forms import form
from vigie.notices.letters import Letters
from vigie.notices.routes import WRITTEN
from vigie.notices.story import tell
from vigie.state import open_state

STATUSES = {
    "queued": N_("waiting to be sent"),
    "deferred": N_("put off by the server, will be tried again"),
    "sending": N_("under way"),
    "sent": N_("accepted by the server"),
    "refused": N_("refused by the server"),
    "uncertain": N_("uncertain: the line dropped; never tried again by itself"),
    "by_post": N_("no mailbox: by post"),
    "deceased": N_("deceased: nobody is written to"),
    "doubtful": N_("doubtful: the register holds rows that differ, look at them first"),
    "unreachable": N_("unreachable: public communication, article 34(3)(c)"),
}


def send(options: Namespace) -> int:
    """Send the letters, or say what would be sent."""
    case = find_case(options)
    story = tell(case, home_of(options), date_of(options))
    require_approved(case, options.notice)
    if options.register is None:
        raise UsageError(N_("{option} is missing"), option="--register")
    letters, mailing = Letters(story, home_of(options)), Mailing()
    with persons(options, story, by_controller=False) as (found, register, aliases):
        assert register is not None

        def people(count: Mailing) -> Iterator[Addressee]:
            return addressees(found, register, aliases, date_of(options).date(), count)

        if not options.really:
            return _dry(people(mailing), letters, mailing)
        server = load_server(home_of(options))
        look(options, case, "letters by mail")
        with open_state(home_of(options), settings_of(options)) as state:
            outbox = Outbox(state, notice_of(case.id, story.sha256))
            enqueue(people(mailing), outbox)
            with Session(server, home_of(options)) as session:
                reached = islice(_due(people(Mailing()), outbox), options.limit)
                send_letters(reached, letters, form("pdf"), outbox, session, server.sender, mailing)
            say_ways(mailing)
            _draw(outbox.counts())
            return 4 if outbox.counts().get("uncertain") else 0


def notice_of(case: str, facts: str) -> str:
    """Return the name of a queue: other facts are another notice."""
    return f"{case}/letters@{facts[:16]}"


def _due(people: Iterator[Addressee], outbox: Outbox) -> Iterator[Addressee]:
    due = outbox.due()
    return (one for one in people if one.person in due and one.email)


def _dry(people: Iterator[Addressee], letters: Letters, mailing: Mailing) -> int:
    """Write every letter in memory, so that what would fail fails now, and send none."""
    by_mail = 0
    for one in people:
        if one.way in WRITTEN:
            letters.write(one.exposed, one.fields, one.way)
            by_mail += bool(one.email)
    say_ways(mailing)
    say(_("{count} letters would leave by mail.").format(count=number(by_mail)))
    remark(_("This was a dry run: nothing was sent. --really sends."))
    return 0


def outcomes(options: Namespace) -> int:
    """Print what became of the letters."""
    case = find_case(options)
    if case.facts is None:
        raise UsageError(N_("the case has no facts yet"), where=case.id)
    with open_state(home_of(options), settings_of(options)) as state:
        outbox = Outbox(state, notice_of(case.id, case.facts.sha256))
        if options.format == "csv":
            write_csv(("person", "status", "code", "at"), outbox.rows())
        elif options.format == "json":
            write_json({"version": 1, "notice": outbox.notice, "counts": outbox.counts()})
        else:
            _draw(outbox.counts())
    return 0


def _draw(counts: dict[str, int]) -> None:
    rows = [(_(STATUSES.get(name, name)), number(count)) for name, count in counts.items()]
    draw_table((_("letters"), _("persons")), rows)
