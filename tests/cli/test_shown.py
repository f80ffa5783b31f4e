"""What commands print of an answer: words that agree with their numbers, curves that show why."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vigie.alerts.watch import REASONS
from vigie.cli.alerts_shown import LEVELS
from vigie.cli.explain import draw_evidence, say_reasons
from vigie.language import _, speaking
from vigie.story import Step, Story

Run = Callable[..., str]
MAPPING = """[source]
name = "his"
[columns]
at = "at"
account = "who"
action = { value = "open" }
patient = { column = "patient", kind = "local" }
"""


def log(folder: Path, rows: list[tuple[str, str, int]]) -> list[object]:
    """Write a log of accesses (when, who, which patient) and say how it is read."""
    with (folder / "log.csv").open("w") as file:
        csv.writer(file).writerows([("at", "who", "patient"), *rows])
    (folder / "map.toml").write_text(MAPPING)
    return [folder / "log.csv", "--mapping", folder / "map.toml"]


@pytest.mark.parametrize("peak", [3, 140, 155, 298])
def test_a_curve_that_crosses_for_a_moment_is_drawn_crossing(
    peak: int, capsys: pytest.CaptureFixture[str]
) -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    steps = tuple(
        Step(start + timedelta(minutes=n), n, 0.0, 5.5 if n == peak else 1.0) for n in range(300)
    )
    draw_evidence(Story(steps, (3.6,)))
    drawn = capsys.readouterr().out.splitlines()
    assert sum("┃" in line for line in drawn) == 1
    assert f"{steps[peak].at:%H:%M:%S}" in next(line for line in drawn if "┃" in line)
    assert f"{steps[-1].at:%H:%M:%S}" in drawn[-1]
    assert len(drawn) == 25


def test_evidence_just_at_its_threshold_crosses_it(capsys: pytest.CaptureFixture[str]) -> None:
    moments = [datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in range(3)]
    levels = zip(moments, (3.99, 4.0, 6.4), strict=True)
    draw_evidence(Story(tuple(Step(at, 1, 1.0, level) for at, level in levels), (4.0,)))
    assert ["┃" in line for line in capsys.readouterr().out.splitlines()[1:]] == [0, 1, 1]


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "1 row of 1 account over 1 day (UTC)"), ("fr", "1 enregistrement de 1 compte sur 1 j")],
)
def test_one_is_not_several(language: str, said: str, vigie: Run, tmp_path: Path) -> None:
    told = log(tmp_path, [("2026-01-05 10:00:00", "dupont", 7)])
    page = tmp_path / "page.html"
    printed = vigie("scan", *told, "--report", page, "--lang", language, code=4)
    assert said in printed
    assert said.removesuffix(" (UTC)") in page.read_text()
    with speaking("en"):
        assert "within the alarm budget" not in printed + page.read_text()


def test_a_log_that_names_no_account_says_that_alone(vigie: Run, tmp_path: Path) -> None:
    told = log(tmp_path, [(f"2026-01-0{1 + n // 9} 10:00:00", "", n) for n in range(60)])
    printed = vigie("scan", *told, code=4)
    assert "no access names an account: nobody can be watched" in printed
    assert "names a patient" not in printed
    assert "0 accounts" not in printed
    assert "theorem" not in vigie("triage", code=4)
    assert "no access names an account" in vigie("triage", "--format", "json", code=4)


def test_reasons_are_told_with_what_they_predict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    step = Step(datetime(2026, 1, 5, tzinfo=UTC), 1, 1.0, 5.0)
    say_reasons(Story((step,), (3.6,), {"by_name": 40, "in_no_order": 2, "usual": 1, "recall": 0}))
    said = capsys.readouterr().out
    assert "tried on the 43 accesses" in said
    assert "     42  clean-up (records one after the other" in said
    assert "      1  none (usual work" in said
    assert "Never nearest: on call, replacement, new place, campaign, recall, drift." in said
    say_reasons(Story((step,), (3.6,), {"by_name": 0}))
    assert not capsys.readouterr().out


def test_a_level_has_one_name_in_french() -> None:
    """The list, the page and its key speak of the same thing."""
    with speaking("fr"):
        key = _(
            "Three thresholds give the gravity: watch, step up (ask who is there to authenticate "
            "again) and suspend; each has a budget of its own, smaller than the one before. What "
            "honest batches of work can resemble stays at watch."
        )
        assert all(_(name) in key for name in LEVELS.values())
        whys = {_(why).partition("\u00a0:")[0] for why in REASONS.values()}
    assert "Accès inhabituels" not in whys
