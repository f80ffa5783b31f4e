"""How somebody got in, what he changed, and from which country, as the detectors are told it."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.config import Settings
from vigie.context.circumstances import DEEDS, SIGNS
from vigie.context.ranges import Ranges
from vigie.detectors.authentication import Authentication
from vigie.detectors.changes import Changes
from vigie.errors import SettingsError
from vigie.events import KEY, TIME
from vigie.stream import Stream
from vigie.testing.detectors import keys, text
from vigie.timeline.units import DAY

START = 20_370 * DAY
MINUTE = DAY // 1440


def log(*rows: dict) -> pa.Table:
    """Return waist rows: `at` in minutes, the rest as an ordinary opening of a new patient."""
    count = len(rows)

    def column(name: str, default):
        return [row.get(name, default) for row in rows]

    patient = [row.get("patient", 1000 + n) for n, row in enumerate(rows)]
    whom = keys(np.array([max(p, 0) for p in patient]), 3).to_pylist()
    named = [key if p >= 0 else None for key, p in zip(whom, patient, strict=True)]
    return pa.table(
        {
            "event_id": keys(np.arange(count), 1),
            "access_id": keys(np.arange(count), 2),
            "source_file": text(["log"] * count),
            "source_line": pa.array(np.arange(count) + 1),
            "at": pa.array([START + int(row["at"] * MINUTE) for row in rows]).cast(TIME),
            "account": text(column("account", "amina")),
            "organisation": text(["site"] * count),
            "session": text(column("session", "s")),
            "network": text(column("network", "10.0.0.1")),
            "auth_method": text(column("means", "CPS")),
            "outcome": text(column("outcome", "success")),
            "action": text(column("action", "open")),
            "patient": pa.array(named, KEY),
        }
    )


def seen(events: pa.Table, settings: Settings | None = None) -> list[dict]:
    """Return for each unit, in order of time, its line and marks."""
    stream = Stream(settings, keep=True)
    stream.feed(events)
    stream.finish()
    found = []
    for part in (kept.partition for kept in stream.kept):
        marks = part.scene.marks
        for i in part.units.order.tolist():
            found.append(
                {"line": int(part.units.place["source_line"][i]),
                 "sign": SIGNS[marks["sign"][i]] if marks["sign"][i] >= 0 else None,
                 "deed": DEEDS[marks["deed"][i]] if marks["deed"][i] >= 0 else None}
            )  # fmt: skip
    return found


def signs(events: pa.Table, settings: Settings | None = None) -> list[str]:
    return [unit["sign"] for unit in seen(events, settings) if unit["sign"]]


def days(count: int, **said) -> list[dict]:
    return [{"at": 1440 * n, "session": f"d{n}"} | said for n in range(count)]


def test_a_session_is_told_once():
    assert signs(log({"at": 0}, {"at": 1}, {"at": 2})) == ["none"]


def test_a_weaker_means_than_usual_is_a_sign_and_a_stronger_one_is_not():
    weaker = {"at": 14_400, "session": "x", "means": "password"}
    assert signs(log(*days(10), weaker))[-1] == "weaker_means"
    stronger = weaker | {"means": "e-CPS"}
    assert signs(log(*days(10, means="password"), stronger))[-1] == "none"


def test_failures_before_a_success_are_told_and_one_is_not():
    def after(failures: int) -> str:
        failed = [{"at": 30 + n, "action": "login", "outcome": "minor_failure", "patient": -1}
                  for n in range(failures)]  # fmt: skip
        return signs(log({"at": 0}, *failed, {"at": 40, "session": "x"}))[-1]

    assert (after(1), after(2)) == ("none", "failures")


def test_a_session_beside_another_and_an_account_that_wakes():
    beside = {"at": 2, "session": "x", "network": "10.0.0.9"}
    assert signs(log({"at": 0}, beside)) == ["none", "beside"]
    assert signs(log({"at": 0}, {"at": 1440 * 22, "session": "x"})) == ["none", "woken"]


def test_a_network_that_failed_on_many_accounts_and_gets_in():
    tried = [{"at": 1440 + n, "account": f"p{n}", "network": "9.9.9.9", "action": "login",
              "outcome": "minor_failure", "patient": -1} for n in range(12)]  # fmt: skip
    inside = {"at": 1455, "session": "x", "network": "9.9.9.9"}
    assert signs(log({"at": 0}, *tried, inside))[-1] == "tried_many"
    at_home = log({"at": 0, "network": "9.9.9.9"}, *tried, inside)
    assert signs(at_home)[-1] == "none"


def test_a_deletion_counts_though_the_patient_was_just_opened():
    rows = log(
        {"at": 0, "patient": 5}, {"at": 1, "patient": 5, "action": "delete"},
        {"at": 2, "patient": -1, "action": "log_change"},
    )  # fmt: skip
    assert [unit["deed"] for unit in seen(rows)] == ["reading", "deletion", "rights"]


def test_an_office_merges_in_runs_that_speak_once_and_deletes_one_by_one():
    merges = [{"at": at, "patient": 100 + at, "action": "merge"} for at in (0, 1, 50, 200)]
    said = [unit["deed"] for unit in seen(log(*merges))]
    assert said == ["merge", None, None, "merge"]
    deletions = [row | {"action": "delete"} for row in merges]
    assert [unit["deed"] for unit in seen(log(*deletions))] == ["deletion"] * 4


@pytest.mark.parametrize("detector", [Authentication(), Changes()])
def test_a_log_that_says_nothing_of_it_is_not_heard(detector):
    stream = Stream(keep=True)
    events = log(*days(5))
    for name in ("auth_method", "outcome", "session", "network"):
        place = events.schema.get_field_index(name)
        blank = pa.nulls(events.num_rows, events.schema.field(name).type)
        events = events.set_column(place, name, blank)
    stream.feed(events)
    stream.finish()
    assert detector.name in stream.panel.abstaining


def test_countries_are_told_where_the_operator_gives_a_table(tmp_path):
    table = tmp_path / "ranges.csv"
    table.write_text("network,country\n10.0.0.0/8,FR\n81.0.0.0,81.0.0.255,BE\n", "utf-8")
    settings = Settings(ranges=str(table))
    abroad = {"at": 14_400, "session": "x", "network": "81.0.0.7"}
    assert signs(log(*days(10), abroad), settings)[-1] == "abroad"
    soon = {"at": 13_000, "session": "x", "network": "81.0.0.7"}
    assert signs(log(*days(10), soon), settings)[-1] == "travel"
    assert signs(log(*days(10), abroad))[-1] == "none"


def test_a_bad_table_of_ranges_is_refused_with_its_line(tmp_path):
    table = tmp_path / "ranges.csv"
    table.write_text("# mine\n10.0.0.0/8,FR\n10.0.0.0/99,FR\n", "utf-8")
    with pytest.raises(SettingsError, match="ranges"):
        Ranges.load(table)
