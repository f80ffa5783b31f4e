"""What `vigie retain` says of open cases that ask about the days whose time is over."""

from argparse import Namespace

from vigie import journal
from vigie.cases.holds import Hold, find_holds
from vigie.cli.book import open_book
from vigie.cli.terminal import remark, settings_of
from vigie.language import _, number, plural, sentence
from vigie.stores import Store


def hold(options: Namespace, store: Store, days: list[str]) -> set[str]:
    """Return the days that stay for a case, after saying so; with --drop-for-cases they go."""
    if options.drop_for_cases:
        journal.require_reason(options.reason)
    with open_book(options) as book:
        cases = book.cases()
    kept: set[str] = set()
    for one in find_holds(store, cases, days, settings_of(options).trust.silent_hours):
        stays = not (one.exported or options.drop_for_cases)
        _tell(one, stays)
        subject = f"{one.case}: {len(one.days)} days from {one.days[0]} to {one.days[-1]}"
        journal.record(store.home, "held" if stays else "let go", subject, options.reason)
        kept |= {*one.days} if stays else set()
    return kept


def _tell(one: Hold, stays: bool) -> None:
    count = len(one.days)
    asks = plural(
        "it is open and asks about {count} day whose time is over ({first} to {last})",
        "it is open and asks about {count} days whose time is over ({first} to {last})", count,
    ).format(count=number(count), first=one.days[0], last=one.days[-1])  # fmt: skip
    if stays:
        after = _(
            "kept for it: write its exposure out (vigie exposure --case {case} --out FILE.parquet) "
            "or drop them all the same (vigie retain --drop-for-cases --reason …)"
        ).format(case=one.case)
    elif one.exported:
        after = _("dropped: its exposure was written out, and counts them")
    else:
        after = _("dropped all the same, as you said: its lines and their evidence are gone")
    remark(f"! {sentence(_('case {case}').format(case=one.case), asks, after)}")
