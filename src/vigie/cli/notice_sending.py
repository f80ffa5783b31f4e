"""`vigie notice send` and `outcomes`: what leaves by mail, and what became of each."""

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable

from vigie.cases.grounds import same_grounds, told
from vigie.cases.model import Case
from vigie.cli.arriving import require_current
from vigie.cli.book import find_case
from vigie.cli.notice_persons import (
    HOLDERS,
    date_of,
    holders_of,
    look,
    of_processor,
    persons,
    required,
    say_ways,
)
from vigie.cli.notice_queue import notice_of, queue_of
from vigie.cli.opening import key_in_use
from vigie.cli.terminal import (
    draw_table,
    home_of,
    remark,
    say,
    settings_of,
    write_csv,
    write_json,
)
from vigie.delivery.mailing import Mailing, addressees, due_letters
from vigie.delivery.outbox import QUEUED
from vigie.delivery.posting import content, due_parcels, parcels
from vigie.delivery.professionals import due_professionals
from vigie.delivery.recipients import load_recipients
from vigie.delivery.sending import BY_POST, Due, send_all
from vigie.delivery.smtp import Server, Session, load_server
from vigie.errors import UsageError, VigieError
from vigie.language import N_, _, number, plural
from vigie.notices.approval import require_approved
from vigie.notices.document import Document
from vigie.notices.forms import form
from vigie.notices.letters import Letters
from vigie.notices.routes import ROUTE_NAMES
from vigie.notices.story import Story, tell
from vigie.pseudonyms import open_keyring
from vigie.state import open_state

STATUSES = {
    "queued": N_("waiting to be sent"),
    "deferred": N_("put off by the server, will be tried again"),
    "sending": N_("under way"),
    "sent": N_("accepted by the server"),
    "refused": N_("refused by the server"),
    "uncertain": N_("uncertain: the line dropped; never tried again by itself"),
    "by_post": N_("no mailbox: by post"),
    "no_mailbox": N_("no mailbox in the file of recipients: hand it over otherwise"),
    "too_large": N_("larger than the mail server takes: lower largest_mb and render again"),
    "unknown_holder": HOLDERS["unknown_holder"],
    **{name: ROUTE_NAMES[name] for name in ("deceased", "doubtful", "unreachable", "possible")},
}
Form = Callable[[Document], bytes]
_NOBODY = Server(host="", sender="dry-run@localhost")


Make = Callable[[str, str, int, Form], Iterable[Due]]
"""From a sender, the name of the queue, the largest message and the form of the letters."""


def send(options: Namespace) -> int:
    """Send what is due, or say what would be sent."""
    case = find_case(options)
    story = tell(case, home_of(options), date_of(options))
    require_approved(case, options.notice)
    require_current(options, case)
    story.require_persons()
    with key_in_use(options):
        return _SENDERS[options.notice](options, case, story)


def _send_letters(options: Namespace, case: Case, story: Story) -> int:
    required(options.register, "--register")
    letters, mailing = Letters(story, home_of(options)), Mailing()
    of_processor(case)
    with persons(options, story, by_controller=False) as (found, register, aliases):
        assert register is not None
        people = addressees(found, register, aliases, date_of(options).date(), mailing)

        def due(sender: str, notice: str, _largest: int, pdf: Form) -> Iterable[Due]:
            return due_letters(people, letters, pdf, sender, notice)

        return _run(options, case, story, due, lambda: say_ways(mailing))


def _send_professionals(options: Namespace, case: Case, story: Story) -> int:
    holders = holders_of(options, story)

    def due(sender: str, notice: str, _largest: int, pdf: Form) -> Iterable[Due]:
        home = home_of(options)
        return due_professionals(holders, story, pdf, sender, notice, open_keyring(home), home)

    return _run(options, case, story, due)


def _send_packets(options: Namespace, case: Case, story: Story) -> int:
    folder = required(options.packets, "--packets")
    to = load_recipients(required(options.recipients, "--recipients"))
    found = parcels(folder, to, same_grounds(case, options.notice), told(case, options.notice))
    for one in found:
        content(one)  # before the first leaves, all must be what was written

    def due(sender: str, notice: str, largest: int, _pdf: Form) -> Iterable[Due]:
        return due_parcels(found, story, sender, notice, open_keyring(home_of(options)), largest)

    return _run(options, case, story, due)


_SENDERS = {
    "letters": _send_letters,
    "professionals": _send_professionals,
    "controllers": _send_packets,
}


def _run(
    options: Namespace, case: Case, story: Story,
    due: Make, then: Callable[[], None] = lambda: None,
) -> int:  # fmt: skip
    """Send all that is due; without --really write every message in memory and send none."""
    home = home_of(options)
    if not options.really:
        # What may fail is the text; to lay every letter out would take days for millions.
        notice = notice_of(case.id, options.notice, story.sha256)
        return _dry(due(_NOBODY.sender, notice, _largest(options), lambda _letter: b""), then)
    server = load_server(home)
    look(options, case, f"{options.notice} by mail")
    with open_state(home, settings_of(options)) as state, Session(server, home) as session:
        notice, outbox = queue_of(options, case, state)
        everybody = due(server.sender, notice, session.largest, form("pdf"))
        send_all(everybody, outbox, session, options.limit)
        then()
        _draw(outbox.counts())
        return 4 if outbox.counts().get("uncertain") else 0


def _largest(options: Namespace) -> int:
    """Return the size that the settings allow, without asking the server."""
    try:
        server = load_server(home_of(options))
    except VigieError:
        server = _NOBODY
    return int(server.largest_mb * 1_000_000)


def _dry(everybody: Iterable[Due], then: Callable[[], None]) -> int:
    """Write every message in memory, so that what would fail fails now, and send none."""
    standings: Counter[str] = Counter()
    for one in everybody:
        standings[one.standing] += 1
        if one.standing in (QUEUED, BY_POST):
            one.message()
    then()
    _draw(dict(sorted(standings.items())))
    count = standings[QUEUED]
    text = plural(
        "{count} message would leave by mail.", "{count} messages would leave by mail.", count
    )
    say(text.format(count=number(count)))
    remark(_("This was a dry run: nothing was sent. --really sends."))
    return 0


def outcomes(options: Namespace) -> int:
    """Print what became of each."""
    case = find_case(options)
    if case.facts is None:
        raise UsageError(N_("the case has no facts yet"), where=case.id)
    with key_in_use(options), open_state(home_of(options), settings_of(options)) as state:
        queue, outbox = queue_of(options, case, state)
        if options.format == "csv":
            write_csv(("person", "status", "code", "at"), outbox.rows())
        elif options.format == "json":
            write_json({"version": 1, "notice": queue, "counts": outbox.counts()})
        else:
            _draw(outbox.counts())
    return 0


def _draw(counts: dict[str, int]) -> None:
    if not counts:
        say(_("Nothing is in this queue: nothing was sent."))
        return
    rows = [(_(STATUSES.get(name, name)), number(count)) for name, count in counts.items()]
    draw_table((_("messages"), _("number")), rows)
