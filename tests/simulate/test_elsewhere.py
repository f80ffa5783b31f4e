"""The logs drawn elsewhere: seeded, honest where nobody stole, and judged by their own truth."""

import numpy as np
import pytest
from benchmarks.bench_elsewhere import NAMES, asked, draw, measure, row
from benchmarks.elsewhere import contacts
from benchmarks.elsewhere.log import as_events

from vigie.events import SCHEMA


@pytest.mark.parametrize("name", ["office", "forum", "archive"])
def test_a_log_is_the_same_for_the_same_seed(name: str) -> None:
    one, same, other = draw(name, 1), draw(name, 1), draw(name, 2)
    assert as_events(one).equals(as_events(same))
    assert not np.array_equal(one.at[:1000], other.at[:1000])
    assert as_events(one).schema.equals(SCHEMA)
    assert (np.diff(one.at) >= 0).all()
    assert set(np.unique(one.theft)) == set(range(-1, len(one.families)))


def test_most_contacts_are_inside_the_group_as_published() -> None:
    log, place = contacts.draw("high_school", 1), contacts.PLACES["high_school"]
    inside = (log.groups[log.account] == log.groups[log.patient]).mean()
    assert abs(inside - place.inside) < 0.1


def test_a_school_without_classes_is_watched_with_few_false_alerts() -> None:
    run = measure("bare_school", 1)
    assert run.calibrated
    assert len(run.verdict.false) == 0
    assert np.mean([fate.found for fate in run.verdict.fates]) > 0.6
    assert row("bare_school", [run]).count("|") == 9


def test_a_merger_of_two_sites_is_no_theft_of_their_staff() -> None:
    run = measure("archive", 1)
    assert len(run.verdict.false) <= 2
    assert np.mean([fate.found for fate in run.verdict.fates]) > 0.6


def test_an_unknown_log_is_refused_with_the_names_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert asked([]) == ([11, 12, 13], list(NAMES))
    with pytest.raises(SystemExit):
        asked(["11", "hospitl"])
    said = capsys.readouterr().err
    assert "hospitl" in said
    assert all(name in said for name in NAMES)


def test_most_customers_of_a_portal_are_new_to_the_desk_and_nobody_steals_unless_told() -> None:
    log = draw("payers_honest", 1)
    named = np.flatnonzero(log.patient >= 0)
    pair = log.account[named] << 32 | log.patient[named]
    late = log.at[named] >= (log.first + 30) * 86_400_000_000
    _, first = np.unique(pair, return_index=True)
    met = len(np.unique(pair[late]))
    assert (log.theft < 0).all()
    assert not log.families
    assert 0.6 < late[first].sum() / met < 0.95
