"""`vigie statement scan`: the free text that a screen shows, searched for words of the lists."""

from argparse import Namespace
from datetime import UTC, datetime

import msgspec

from vigie import journal
from vigie.cases.book import CaseBook
from vigie.cases.model import Case, TextScanned
from vigie.cases.scans import with_scans
from vigie.cli.book import open_book
from vigie.cli.case_exposure import say_changes
from vigie.cli.terminal import draw_table, home_of, say, write_json
from vigie.errors import UsageError
from vigie.language import N_, _, number
from vigie.statements.freetext import CATEGORIES, Scan, load_terms, scan

FOUND = 3


def scan_text(options: Namespace) -> int:
    """Search a file, say what was found, and record it where a case is named; 3 when words are."""
    if options.case and not (options.source and options.screen):
        raise UsageError(
            N_("nothing says which screen shows this text"), remedy=N_("give --source and --screen")
        )
    if options.case:
        journal.require_reason(options.reason)
    found = scan(options.file, options.column, load_terms(home_of(options)), options.encoding)
    if options.format == "json":
        write_json({"version": 1, **msgspec.to_builtins(found)})
    else:
        _draw(found)
    if options.case:
        with open_book(options) as book:
            before = book.case(options.case)
            after = _record(book, before, found, options)
        if options.format == "table":
            say_changes(before, after)
    return FOUND if found.hits else 0


def _record(book: CaseBook, case: Case, found: Scan, options: Namespace) -> Case:
    """Record the search, and let the facts of the case follow."""
    user = journal.current_user()
    said = {name: value for name, value in msgspec.structs.asdict(found).items() if name != "words"}
    case = book.note_scan(case.id, TextScanned(
        author=options.author or user, recorded_by=user, recorded_at=datetime.now(UTC),
        reason=options.reason, source=options.source, screen=options.screen, **said,
    ))  # fmt: skip
    if case.facts is None:
        return case
    facts = with_scans(case.read_facts(), case)
    return book.set_facts(
        case.id, facts, N_("free text was searched"), options.author, given=case.facts.given
    )


def _draw(found: Scan) -> None:
    text = _("{values} texts read of {file}, {empty} rows without a text; lists of {terms}.")
    say(text.format(
        values=number(found.values), file=found.file, empty=number(found.empty), terms=found.terms
    ))  # fmt: skip
    rows = [(_(CATEGORIES.get(name, name)), number(count)) for name, count in found.found.items()]
    draw_table((_("words of"), _("texts")), rows)
    if found.words:
        words = ", ".join(f"{word} ({number(count)})" for word, count in found.words.items())
        say(_("The commonest: {words}.").format(words=words))
    if not found.values:
        say(_("! There is no text in it: nothing is proved by that."))
    say(_(
        "What is not in the lists, misspelt or only alluded to is not found: read a sample before "
        "you deny anything. Who records this vouches that the file is all that the screen showed."
    ))  # fmt: skip
