"""The page for people who would rather look than read: whole, safe, readable by all."""

import base64
import hashlib
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from thieves import theft_in
from vigie.cli import main
from vigie.detection import Detection, detect
from vigie.errors import UsageError
from vigie.language import LANGUAGES, speaking, visible
from vigie.report import Looked, check_place, dates, page, render, write
from vigie.report.charts import POINTS, evidence, thin
from vigie.report.markup import Html, element
from vigie.story import Step, Story
from vigie.testing.detectors import small_log, text

HOSTILE = '</title><script>alert("1")</script>\x07\u202e'
FILE = "<img src=x onerror=alert(2)>.csv"
THIEVES = {HOSTILE: 18, "account-8": 20}
START = datetime(2026, 1, 5, tzinfo=UTC)


def with_thefts() -> pa.Table:
    """A quiet log in which two accounts, one of a hostile name, open strangers one by one."""
    events = small_log(days=24, accounts=60, size=15, strangers=0.01)
    names = events.column("account").cast(pa.string())
    renamed = pc.if_else(pc.equal(names, "account-7"), HOSTILE, names)
    place = events.schema.get_field_index("account")
    column = text(renamed.to_pylist()).cast(events.schema.field(place).type)
    events = events.set_column(place, "account", column)
    thefts = [
        theft_in(events, name, day, hour=8, file=FILE, apart=2, seed=day)
        for name, day in THIEVES.items()
    ]
    return pa.concat_tables([events, *thefts]).unify_dictionaries()


@pytest.fixture(scope="module")
def events() -> pa.Table:
    return with_thefts()


@pytest.fixture(scope="module")
def found(events: pa.Table) -> Detection:
    found = detect(events, quarantined=3, lines=21_783)
    assert set(THIEVES) <= {alert.account for alert in found.alerts}
    return found


@pytest.fixture(scope="module", params=LANGUAGES)
def written(request: pytest.FixtureRequest, found: Detection) -> str:
    with speaking(request.param):
        return render(found, Looked(21_780, 3))


@pytest.fixture(scope="module")
def read(written: str) -> html.HtmlElement:
    return html.document_fromstring(written)


def test_every_figure_is_named_and_has_the_table_of_its_figures(read: html.HtmlElement) -> None:
    figures = read.xpath("//figure")
    assert len(figures) == len(read.xpath("//svg[@role='img']")) >= 5
    for figure in figures:
        (svg,) = figure.xpath("./svg")
        said = [read.xpath(f"//*[@id='{key}']") for key in svg.get("aria-labelledby").split()]
        assert all(len(names) == 1 and names[0].text.strip() for names in said)
        assert figure.xpath("./figcaption")[0].text_content().strip()
        (table,) = figure.xpath(".//table")
        assert table.xpath("./caption")[0].text_content().strip()
        assert all(cell.get("scope") for cell in table.xpath(".//th"))
        rows = table.xpath("./tbody/tr")
        assert rows
        assert {len(row) for row in rows} == {len(table.xpath("./thead/tr/th"))}


def test_headings_go_down_one_level_at_a_time(read: html.HtmlElement) -> None:
    levels = [int(heading.tag[1]) for heading in read.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_what_could_not_be_seen_comes_first(found: Detection, read: html.HtmlElement) -> None:
    first = read.xpath("//main/section")[0].text_content()
    language = read.get("lang")
    assert found.trust.remarks
    assert all(remark[language] in first for remark in found.trust.remarks)
    assert "3 lignes" in first or "3 lines" in first


def test_an_answer_that_cannot_be_trusted_says_so(found: Detection) -> None:
    blind = replace(found, trust=replace(found.trust, ok=False))
    with speaking("en"):
        assert "This answer cannot be trusted" in render(blind, Looked(1))


def test_the_links_of_the_page_lead_somewhere(read: html.HtmlElement) -> None:
    ids = [node.get("id") for node in read.xpath("//*[@id]")]
    assert len(ids) == len(set(ids))
    assert {link.get("href")[1:] for link in read.xpath("//a")} <= set(ids)


def test_nothing_is_fetched_and_nothing_runs(written: str, read: html.HtmlElement) -> None:
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<script|<link|<img|<iframe", written)
    assert not read.xpath("//@src | //@style | //@*[starts-with(name(), 'on')]")
    (policy,) = read.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    style = re.search(r"<style>(.*?)</style>", written, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_the_text_of_a_log_stays_text(written: str, read: html.HtmlElement) -> None:
    shown = {node.text_content() for node in read.xpath("//h3/bdi")}
    assert visible(HOSTILE) in shown
    assert FILE in {node.text_content() for node in read.xpath("//dl[@class='files']/dt")}
    assert "\x07" not in written
    assert "\u202e" not in written


def test_no_patient_is_in_the_page(events: pa.Table, written: str) -> None:
    for key in pc.unique(events.column("patient")).to_pylist():
        assert key.hex() not in written


def test_the_same_detection_gives_the_same_bytes(found: Detection, events: pa.Table) -> None:
    order = np.random.default_rng(1).permutation(events.num_rows)
    again = detect(events.take(pa.array(order)), quarantined=3, lines=21_783)
    for language in LANGUAGES:
        with speaking(language):
            assert render(found, Looked(5)) == render(again, Looked(5))


def test_each_language_writes_its_own_numbers_and_dates(found: Detection) -> None:
    with speaking("fr"):
        french = render(found, Looked(21_780, 3))
    with speaking("en"):
        english = render(found, Looked(21_780, 3))
    assert '<html lang="fr">' in french
    assert '<html lang="en">' in english
    assert "21\u202f780" in french
    assert "21,780" in english
    for alert in found.alerts:
        with speaking("fr"):
            assert dates.second(alert.opened_at) in french
        with speaking("en"):
            assert dates.second(alert.opened_at) in english


def test_the_first_of_a_month_is_1er_in_french_only() -> None:
    moment = datetime(2026, 8, 1, 7, 5, 9, tzinfo=UTC)
    with speaking("fr"):
        assert dates.day(moment) == "1er\u00a0août\u00a02026"
        assert dates.second(moment) == "1er\u00a0août\u00a02026 à\u00a007:05:09"
    with speaking("en"):
        assert dates.minute(moment) == "1\u00a0August\u00a02026, 07:05"


def test_accounts_that_moved_together_are_named(found: Detection) -> None:
    together = msgspec.structs.replace(found.alerts[0], accounts=["one", "<two>"])
    with speaking("en"):
        said = render(replace(found, alerts=(together,)), Looked(1))
    assert "Accounts that moved together" in said
    assert "&lt;two&gt;" in said


def test_figures_that_an_alert_does_not_have_are_not_drawn(found: Detection) -> None:
    bare = msgspec.structs.replace(found.alerts[0], usual={}, hypothesis="register_sweep")
    with speaking("en"):
        assert "habit-" not in render(replace(found, alerts=(bare,)), Looked(1))


def test_no_alert_is_said_in_a_sentence(found: Detection) -> None:
    with speaking("en"):
        said = render(replace(found, alerts=()), Looked(1))
    assert "No unusual access" in said
    assert "<figure" not in said


def test_a_log_without_events_has_its_page(events: pa.Table) -> None:
    with speaking("fr"):
        assert html.document_fromstring(render(detect(events.slice(0, 0)), Looked(0))) is not None


def test_only_the_gravest_are_told_whole(found: Detection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "TOLD", 1)
    with speaking("en"):
        read = html.document_fromstring(render(found, Looked(1)))
    assert len(read.xpath("//article")) == 1
    assert len(read.xpath("//section[2]//tbody/tr")) == len(found.alerts)
    assert len(read.xpath("//section[2]//a")) == 1


LEVELS = st.one_of(st.floats(-50, 500), st.just(float("-inf")), st.just(float("nan")))


def _steps(levels: list[float]) -> tuple[Step, ...]:
    return tuple(
        Step(START + timedelta(minutes=n), n + 1, 0.5, level) for n, level in enumerate(levels)
    )


@given(st.lists(LEVELS, min_size=1, max_size=700), st.data())
def test_thinning_keeps_the_highest_and_the_alarm(levels: list[float], data: st.DataObject) -> None:
    alarm = data.draw(st.integers(0, len(levels) - 1))
    steps = _steps(levels)
    kept = thin(steps, alarm)
    ends = [end for end, _step in kept]
    assert ends == sorted(set(ends))
    assert ends[-1] == len(steps)
    assert len(kept) <= POINTS + 3
    assert (alarm + 1, steps[alarm]) in kept
    highest = max(levels, key=lambda level: -np.inf if np.isnan(level) else level)
    assert np.isnan(highest) or highest in {step.level for _end, step in kept}


@given(st.lists(LEVELS, min_size=1, max_size=60), st.floats(0, 400))
def test_every_place_of_the_chart_is_a_number_inside_it(
    levels: list[float], threshold: float
) -> None:
    story = Story(_steps(levels), (threshold, threshold + 1, threshold + 2))
    drawn = str(evidence("x", story, START).drawing)
    assert "nan" not in drawn.lower()
    assert "inf" not in drawn.lower()
    for across in re.findall(r'"(-?[\d.]+)%"', drawn):
        assert 0 <= float(across) <= 100
    for down in re.findall(r"V(-?[\d.]+)", drawn):
        assert 0 <= float(down) <= 170


def test_close_thresholds_share_a_label_and_far_ones_are_named() -> None:
    with speaking("en"):
        near = str(evidence("x", Story(_steps([0, 200]), (4, 5, 6)), START).drawing)
        far = str(evidence("x", Story(_steps([0, 9]), (4, 6, 8)), START).drawing)
    assert "thresholds 4.0 · 5.0 · 6.0" in near
    assert all(name in far for name in ("(watch)", "(step up)", "(suspend)"))


@given(st.text(), st.text())
def test_markup_comes_only_from_elements(child: str, value: str) -> None:
    whole = element("p", child, title=value)
    assert isinstance(whole, Html)
    assert whole.count("<") == whole.count(">") == 2
    assert whole.encode()


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_enough_in_light_dark_and_print() -> None:
    style = Path(page.__file__).with_name("page.css").read_text("utf-8")
    blocks = re.findall(r":root {(.*?)}", style, re.DOTALL)
    themes = [
        dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block)) for block in blocks if "#" in block
    ]
    assert len(themes) == 3
    for theme in themes:
        for letters in ("ink", "quiet", "strong", "link"):
            assert _contrast(theme[letters], theme["paper"]) >= 4.5
        for ground in ("wash", "area"):
            assert _contrast(theme["ink"], theme[ground]) >= 4.5
        assert _contrast(theme["usual"], theme["paper"]) >= 3


def test_a_report_is_its_owners_and_replaces_an_earlier_one(
    found: Detection, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    write(path, found, Looked(1))
    write(path, found, Looked(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [child.name for child in tmp_path.iterdir()] == ["report.html"]


def test_what_is_no_report_is_not_replaced(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("a,b\n", "utf-8")
    for place in (log, tmp_path, tmp_path / "nowhere" / "report.html"):
        with pytest.raises(UsageError):
            check_place(place)
    assert log.read_text("utf-8") == "a,b\n"


def test_the_command_line_refuses_before_it_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("a,b\n", "utf-8")
    code = main(["scan", str(log), "--report", str(log), "--lang", "en"])
    assert code == 2
    assert "not a report of Vigie" in capsys.readouterr().err
    assert log.read_text("utf-8") == "a,b\n"
