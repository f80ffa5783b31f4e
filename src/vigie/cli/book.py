"""The book of cases as commands open it, and the case that their options name."""

from argparse import Namespace

from vigie.cases.book import CaseBook
from vigie.cases.model import Case
from vigie.cli.terminal import home_of, settings_of


def open_book(options: Namespace) -> CaseBook:
    """Open the book of cases of this home."""
    return CaseBook.open(home_of(options), settings_of(options))


def find_case(options: Namespace) -> Case:
    """Return the case that `options.case` names by its beginning."""
    with open_book(options) as book:
        return book.case(options.case)
