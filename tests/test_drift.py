"""A drift of many peers is foretold of each of them; a few thieves are no drift."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.context.relations import RELATIONS
from vigie.testing.detectors import partition_of, small_log
from vigie.timeline.units import DAY

ACCOUNTS, TURN = 24, 10
UNSEEN = RELATIONS.index("local_unseen")


def log(strangers: float) -> pa.Table:
    return small_log(days=14, accounts=ACCOUNTS, size=40, strangers=strangers)


def moved(accounts: range, strangers: float) -> pa.Table:
    """The log in which these accounts meet so many strangers from the day `TURN` on."""
    names = [f"account-{number}" for number in accounts]
    parts = []
    for events, theirs in ((log(0.1), False), (log(strangers), True)):
        at = events["at"].cast(pa.int64()).to_numpy()
        late = at // DAY - at.min() // DAY >= TURN
        parts.append(events.filter(pa.array((late & np.isin(events["account"], names)) == theirs)))
    return pa.concat_tables(parts).unify_dictionaries()


def foretold(events: pa.Table) -> float:
    """The mean chance of somebody never seen for the first account, two days after the turn."""
    partition = partition_of(events)
    units, relation = partition.units, partition.scene.marks["relation"]
    mine = units.account == units.accounts.index("account-0")
    late = units.day - units.day.min() >= TURN + 2
    said = mine & late & (relation == UNSEEN)
    return float(np.exp(partition.usual.log["relation"][said]).mean())


@pytest.fixture(scope="module")
def calm() -> float:
    return foretold(log(0.1))


def test_what_all_peers_meet_oftener_is_foretold_of_who_did_not_move(calm):
    assert foretold(moved(range(1, ACCOUNTS), 0.3)) > 1.2 * calm


def test_a_thief_moves_his_peers_little(calm):
    assert foretold(moved(range(1, 2), 0.95)) < 1.15 * calm


def test_a_drift_is_believed_up_to_a_limit(calm):
    assert foretold(moved(range(1, ACCOUNTS), 0.95)) < 3 * calm
