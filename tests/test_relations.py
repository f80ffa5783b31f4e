"""What colleagues know of a patient, and what an account with an open alert teaches."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.context.relations import (
    FAR,
    FAR_UNSEEN,
    LOCAL,
    LOCAL_UNSEEN,
    ORGANISATION,
    ORGANISATION_IDLE,
    OWN,
    OWN_IDLE,
    Relations,
)
from vigie.events import TIME
from vigie.testing.detectors import keys, text
from vigie.timeline.front import END, Front, Reader
from vigie.timeline.units import DAY, UnitFinder, batches

STRANGER = {LOCAL, LOCAL_UNSEEN, FAR, FAR_UNSEEN}
DOUBTED = -1
COLLEAGUES = {ORGANISATION, ORGANISATION_IDLE}


def relations_of(rows, mute=None, areas=None, site="site"):
    """The relation of each opening (account, day, patient), in order of time.

    `mute` says from which day on which accounts teach nothing, and since when; `areas` where the
    patients live.
    """
    accounts, days, patients = zip(*rows, strict=True)
    number = np.arange(len(rows))
    events = pa.table(
        {
            "event_id": keys(number, 1),
            "access_id": keys(number, 2),
            "at": pa.array(np.array(days) * DAY + number * 60_000_000).cast(TIME),
            "account": text(list(accounts)),
            "organisation": text([site] * len(rows)),
            "action": text(["open"] * len(rows)),
            "patient": keys(np.array(patients), 3),
        }
    )
    if areas:
        events = events.append_column("area", text(areas))
    reader, relations = Reader(), Relations()
    front, finder = Front(reader.words), UnitFinder(reader.words)
    said = {}
    for batch in batches(front.feed(reader.read(events), END)):
        units = finder.find(batch)
        if mute and mute[0] == units.on:
            relations.mute({units.accounts.index(name): at for name, at in mute[1].items()})
        said |= dict(zip(units.row.tolist(), relations.relate(units)[0].tolist(), strict=True))
    return [said[row] for row in sorted(said)]


def test_a_patient_of_a_colleague_is_known_to_the_organisation() -> None:
    assert relations_of([("a", 1, 5), ("b", 2, 5)])[1] in COLLEAGUES


def test_what_an_account_with_an_open_alert_opened_is_neither_known_nor_strange() -> None:
    rows = [("a", 1, 5), ("b", 2, 5), ("b", 3, 6), ("a", 4, 7), ("b", 5, 7)]
    said = relations_of(rows, (2, {"a": DAY}))
    assert {said[1], said[4]} == {DOUBTED}
    assert said[2] in STRANGER


def test_a_doubted_patient_is_known_once_another_colleague_has_met_it() -> None:
    rows = [("a", 1, 5), ("b", 2, 5), ("c", 3, 5)]
    assert relations_of(rows, (2, {"a": DAY}))[2] in COLLEAGUES


def test_a_log_without_places_still_tells_whom_somebody_has_met() -> None:
    rows = [("a", 1, 5), ("b", 2, 5), ("b", 2, 6)]
    assert relations_of(rows, site=None)[1:] == [FAR, FAR_UNSEEN]


def test_who_was_first_met_here_is_from_near_wherever_it_lives() -> None:
    rows = [("a", 1, patient) for patient in range(30)] + [("a", 2, 40), ("b", 2, 40)]
    assert relations_of(rows)[-1] in {LOCAL, LOCAL_UNSEEN}


def test_its_own_patients_stay_its_own() -> None:
    assert relations_of([("a", 1, 5), ("b", 2, 9), ("a", 3, 5)], (2, {"a": DAY}))[2] in {
        OWN,
        OWN_IDLE,
    }


def test_what_it_taught_before_the_climb_stays_known() -> None:
    assert relations_of([("a", 1, 5), ("b", 3, 5)], (3, {"a": 2 * DAY}))[1] in COLLEAGUES


@pytest.mark.parametrize("order", ["ac", "ca"])
def test_a_colleague_who_knew_the_patient_as_well_still_does(order: str) -> None:
    rows = [(order[0], 1, 5), (order[1], 1, 5), ("b", 2, 5)]
    assert relations_of(rows, (2, {"a": DAY}))[2] in COLLEAGUES


def test_the_first_patients_of_a_place_that_opens_are_from_near() -> None:
    rows = [("a", 1, patient) for patient in range(30)]
    said = relations_of(rows, areas=["35"] * 20 + ["13"] * 10)
    assert set(said[:20]) == {LOCAL_UNSEEN}
    assert set(said[20:22]) == {FAR_UNSEEN}
