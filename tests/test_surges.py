"""A site's surge, told by the volume of the others, and what it explains."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.stream import Stream
from vigie.testing.detectors import small_log
from vigie.timeline.units import DAY
from vigie.usual.surges import Surges


def repeated(events: pa.Table, day: int, accounts: range, times: int) -> pa.Table:
    """The events, those of these accounts on one day coming so many times, of other patients."""
    at = events["at"].cast(pa.int64()).to_numpy()
    names = [f"account-{number}" for number in accounts]
    here = np.isin(events["account"].to_numpy(), names) & (at // DAY - at.min() // DAY == day)
    parts = [events]
    for number in range(1, times):
        more = events.filter(pa.array(here))
        for column in ("event_id", "access_id", "patient"):
            place = more.schema.get_field_index(column)
            fresh = [bytes([100 + number]) + key[1:] for key in more[column].to_pylist()]
            more = more.set_column(place, column, pa.array(fresh, more.schema.field(place).type))
        parts.append(more)
    return pa.concat_tables(parts).unify_dictionaries()


def shares(events: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return account, moment and the share that a surge explains of the last day's units."""
    stream = Stream(keep=True)
    stream.feed(events)
    stream.finish()
    surges, found = Surges(), []
    for units in (seen.partition.units for seen in stream.kept):
        number = np.array([int(units.accounts[code][8:]) for code in units.account])
        found.append(np.stack([number, units.at, surges.follow(units)]))
    account, at, share = np.concatenate(found, axis=1)
    last = at // DAY == at.max() // DAY
    return account[last], at[last], share[last]


@pytest.fixture(scope="module")
def events() -> pa.Table:
    return small_log(days=12, accounts=12, size=30)


def test_an_ordinary_day_is_no_surge(events):
    assert (shares(events)[2] == 0).all()


def test_a_day_on_which_a_whole_site_works_three_times_as_much_is_one(events):
    account, at, share = shares(repeated(events, 11, range(0, 12, 2), 3))
    surging = account % 2 == 0
    assert share[surging & (at % DAY > 0.4 * DAY)].min() > 0.3
    assert share[~surging].max() == 0


def test_what_an_account_does_itself_explains_nothing_of_it(events):
    account, _, share = shares(repeated(events, 11, range(1), 12))
    assert share[account == 0].max() == 0
    assert share[account != 0].max() > 0
