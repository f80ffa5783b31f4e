"""Work behind the counter: bills refused, the month's reconciliation, quotes without an answer."""

import numpy as np

from benchmarks.elsewhere.log import Ints
from benchmarks.elsewhere.payers.hospitals import Stays
from benchmarks.elsewhere.payers.people import RENEWED, World
from benchmarks.elsewhere.payers.shops import BILL, LOOK, VIEW, Book, software
from benchmarks.elsewhere.region.rows import DAY, HOUR, Rows, in_a_row

WORKERS = {
    "optician": ("optician", "optician_shop"), "hearing": ("hearing",),
    "pharmacy": ("pharmacist",), "dental": ("dental_office",), "laboratory": ("lab_office",),
    "hospital": ("hospital_office",), "transport": ("transport",),
}  # fmt: skip
_ALPHABETIC = 4
"""Of seven sites, how many sort what is refused by name; the others take it by date."""


def work(world: World, rows: Rows, book: Book, stays: Stays) -> None:
    """Add what follows from the files."""
    at, site, patient, billed = book.joined()
    _refused(world, rows, site, patient, billed)
    _chase(world, rows, site, patient, billed)
    _reconcile(world, rows, site, patient, billed)
    _renew(world, rows, at, site, patient, billed, stays)
    _watch_quotes(world, rows, at, site, patient, billed)


def _clerks(world: World, site: Ints, at: np.ndarray) -> Ints:
    """Return who does the paperwork of each site: a chain's head office, or the shop itself."""
    who = np.full(len(site), -1)
    sectors = np.array(world.sector)[site]
    for sector, kinds in WORKERS.items():
        mine = sectors == sector
        who[mine] = world.pick(site[mine], at[mine], *kinds)
    chain = world.chain_at(site, at // DAY)
    central = chain >= 0
    office = world.sites("head office")
    who[central] = world.pick(office[chain[central]], at[central], "optician_office")
    return who


def in_lists(world, rows, site, patient, day, hour, pause, ways) -> None:
    """Work through lists: all of a site (of a chain) and a day in a row, by name or as they came.

    A list is taken by one clerk; `ways` are done to each person, some seconds apart.
    """
    chain = world.chain_at(site, day)
    desk = np.where(chain >= 0, 1_000 + chain * 5 + (patient % 5), site)
    by_name = desk % 7 < _ALPHABETIC
    group = desk * 1000 + day + 200
    order = np.lexsort((np.where(by_name, world.name[patient], 0), group))
    site, patient, group, day = (column[order] for column in (site, patient, group, day))
    at = in_a_row(world.rng, group, day * DAY + (hour + (group % 8) * 0.3) * HOUR, pause)
    first = np.r_[True, np.diff(group) != 0]
    clerk = _clerks(world, site[first], at[first])[np.cumsum(first) - 1]
    for number, way in enumerate(ways):
        rows.add(at + 15.0 * number, clerk, patient, way, np.where(chain[order] >= 0, -1, site))


def _refused(world, rows, site, patient, billed) -> None:
    """Some bills in sixteen come back days later; they are corrected together, week by week."""
    rng = world.rng
    sector = np.array(world.sector)[site]
    rate = np.where(np.isin(sector, ["laboratory", "pharmacy"]), 0.035, 0.065)
    some = np.isfinite(billed) & (rng.random(len(site)) < rate)
    day = _paperwork(world, site[some], billed[some] // DAY + rng.integers(3, 17, some.sum()))
    in_lists(world, rows, site[some], patient[some], day, 9.2, 110.0, (VIEW, BILL))


def _paperwork(world: World, site: Ints, day: np.ndarray) -> Ints:
    """Return the day on which it is dealt with: a chain's next one, a shop's own of the week."""
    day = day.astype(np.int64)
    weekly = day // 7 * 7 + 1 + site % 4
    weekly = np.where(weekly < day, weekly + 7, weekly)
    done = np.where(world.chain_of[site] >= 0, day, weekly)
    return done + np.where(done % 7 > 4, 7 - done % 7, 0)


def _chase(world, rows, site, patient, billed) -> None:
    """Insurers take three weeks and a half to pay; whatever takes longer is looked at."""
    rng = world.rng
    slow = np.isin(np.array(world.sector)[site], ["optician", "hearing", "dental", "hospital"])
    some = np.isfinite(billed) & slow & (rng.random(len(site)) < 0.2)
    day = _paperwork(world, site[some], billed[some] // DAY + rng.integers(22, 38, some.sum()))
    in_lists(world, rows, site[some], patient[some], day, 15.0, 60.0, (VIEW,))


def _reconcile(world, rows, site, patient, billed) -> None:
    """In the first days of a month all that was billed a month ago and is not paid is looked at."""
    for first, month in ((0, -30), (32, 0)):
        old = (billed > (month - 25) * DAY) & (billed < month * DAY + 6 * DAY)
        some = old & (world.rng.random(len(site)) < 0.1)
        day = first + world.rng.integers(0, 2, some.sum()) + site[some] % 4
        day = day + np.where(day % 7 > 4, 7 - day % 7, 0)
        in_lists(world, rows, site[some], patient[some], day, 13.6, 50.0, (VIEW,))


def _renew(world, rows, at, site, patient, billed, stays: Stays) -> None:
    """After New Year rights are asked again for quotes not yet delivered and stays that go on.

    What was given in December is paid by December's rights: nobody asks for it again.
    """
    sold_here = np.isin(np.array(world.sector)[site], ["optician", "hearing"])
    quoted = (at < RENEWED * DAY) & (at > (RENEWED - 45) * DAY) & sold_here
    quoted &= ~np.isfinite(billed) | (billed > RENEWED * DAY)
    quoted &= (site * 7 % 10) < 7
    lies = (stays.begins < RENEWED * DAY) & (stays.ends > (RENEWED + 1) * DAY)
    site = np.r_[site[quoted], stays.site[lies]]
    patient = np.r_[patient[quoted], stays.patient[lies]]
    _, once = np.unique(site << 32 | patient, return_index=True)
    site, patient = site[once], patient[once]
    day = RENEWED + 1 + (site * 3 % 7)
    day = day + np.where(day % 7 == 6, 1, 0) + np.where(day % 7 == 0, 1, 0)
    in_lists(world, rows, site, patient, day, 9.5, 40.0, (LOOK,))


def _watch_quotes(world, rows, at, site, patient, billed) -> None:
    """The software of three chains looks each morning at quotes of the last days, by number."""
    chain = world.chain_of[site]
    mine = (chain >= 0) & (chain < 3)
    at, site, patient = at[mine], site[mine], patient[mine]
    for later in (1, 2, 3):
        day = (at // DAY).astype(np.int64) + later
        order = np.lexsort((world.number[patient], day, chain[mine]))
        group = (chain[mine] * 1000 + day + 100)[order]
        start = (day * DAY + 5.5 * HOUR)[order] + 900 * later
        moment = in_a_row(world.rng, group, start, 2.0)
        rows.add(
            *rows.some(0.8, moment, software(world, site[order], moment), patient[order]), VIEW
        )
