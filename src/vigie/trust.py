"""What makes an answer untrustworthy: blindness never looks green.

The limits are the operator's (`config.Trust`). A remark is a sentence in both languages; the
answer is trusted when no remark is about something beyond its limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.config import Trust
from vigie.front import WITHIN, key_numbers
from vigie.holes import Hole, find_holes
from vigie.language import LANGUAGES, N_, _, number, speaking
from vigie.numbering import Words
from vigie.sharing import find_shared
from vigie.skew import find_skews
from vigie.units import DAY

_HOUR: Final = DAY // 24

ABSTENTIONS: Final = {
    "strangers": N_("no access names a patient: sweeps cannot be seen"),
    "enumeration": N_(
        "the log tells neither the order of patients nor rights checks: enumerations cannot be seen"
    ),
    "bulk": N_(
        "no source says how many records a request returned: exports and dumps cannot be seen"
    ),
    "emergency": N_("the log holds no emergency override: its abuse cannot be seen"),
    "panel": N_(
        "the platform gives no care relations: a dump of an account's own patients cannot be seen"
    ),
    "authentication": N_(
        "the log tells no failed logins: passwords tried on many accounts cannot be seen"
    ),
    "changes": N_(
        "the log tells no deletions, no rights given, no changes of stock, billing or the log: "
        "their abuse cannot be seen"
    ),
}  # fmt: skip
TOO_SHORT: Final = N_(
    "the learning part is too short to measure false alerts: at least a week of 60 accounts is "
    "needed"
)
LATE: Final = N_(
    "{count} accesses came later than the watch waits: they were looked at when they came"
)
_NAMED: Final = 5
"""Shared accounts named at most: after them, how many there are."""
_SPOKEN: Final = 3
"""Hours in which other sources speak during a silence, for it to be one: clocks may differ."""
_BLINDING: Final = ("strangers",)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether the answer can be trusted, and what there is to say, in both languages."""

    ok: bool
    remarks: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say; `beyond` when it takes the trust away."""

    text: str
    fields: dict[str, Any]
    beyond: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the events themselves show, whatever was detected in them."""

    holes: tuple[Finding, ...]
    shared: tuple[Finding, ...]
    empty: bool = False


def inspect(events: pa.Table, limits: Trust, within: int = WITHIN) -> Inspection:
    """Look at the events for what `assess` says; may run beside the detection.

    Clocks of two sources that differ by more than `within` (µs) are named.
    """
    holes = (
        *_nulls(events, limits), *_silences(events, limits), *_skews(events, within),
        *_columns(events),
    )  # fmt: skip
    return Inspection(holes, tuple(_shared(events)), not events.num_rows)


def assess(
    shown: pa.Table | Inspection,
    limits: Trust,
    *,
    abstaining: tuple[str, ...] = (),
    calibrated: bool = True,
    quarantined: int = 0,
    lines: int = 0,
    late: int = 0,
) -> Assessment:
    """Say what the answer is blind to, given events or what their inspection showed.

    `quarantined` of `lines` come from the readers; `late` accesses came after the window of a live
    watch.
    """
    if isinstance(shown, pa.Table):
        shown = inspect(shown, limits)
    findings = [*_quarantine(quarantined, lines, limits), *shown.holes]
    if shown.empty:  # of a log that holds nothing there is no more to say
        return Assessment(False, tuple(map(_both, findings)))
    findings += [*_abstentions(abstaining), *shown.shared]
    if late:
        findings.append(Finding(LATE, {"count": late}, False))
    if not calibrated:
        findings.append(Finding(TOO_SHORT, {}, True))
    findings.sort(key=lambda finding: not finding.beyond)
    return Assessment(not any(f.beyond for f in findings), tuple(map(_both, findings)))


def _both(finding: Finding) -> dict[str, str]:
    said = {}
    for language in LANGUAGES:
        with speaking(language):
            fields = {
                name: value
                if isinstance(value, str)
                else number(value, int(isinstance(value, float)))
                for name, value in finding.fields.items()
            }
            said[language] = _(finding.text).format_map(fields)
    return said


def _quarantine(quarantined: int, lines: int, limits: Trust) -> Iterator[Finding]:
    if quarantined:
        share = quarantined / max(lines, 1)
        text = N_("{share} % of the lines are quarantined (limit {limit} %)")
        yield _share(text, share, limits.quarantined)


def _share(text: str, share: float, limit: float) -> Finding:
    return Finding(text, {"share": 100 * share, "limit": 100 * limit}, share > limit)


def _nulls(events: pa.Table, limits: Trust) -> Iterator[Finding]:
    if not events.num_rows:
        yield Finding(N_("there is no event to look at"), {}, True)
        return
    unnamed = events.column("account").null_count / events.num_rows
    if unnamed:
        text = N_("{share} % of the accesses name no account (limit {limit} %)")
        yield _share(text, unnamed, limits.null_account)
    opened = events.select(["patient"]).filter(pc.equal(events.column("action"), "open"))
    missing = opened.column("patient").null_count / max(opened.num_rows, 1)
    if missing:
        text = N_("{share} % of the openings name no patient (limit {limit} %)")
        yield _share(text, missing, limits.null_patient_on_open)


def _silences(events: pa.Table, limits: Trust) -> Iterator[Finding]:
    """Find the longest silence of each source, and what is missing from its days."""
    if "source" not in events.column_names or not events.num_rows:
        return
    words = Words()
    codes = words.codes(events.column("source"))
    at = events.column("at").cast(pa.int64()).to_numpy()
    for code, name in sorted(enumerate(words.words), key=lambda pair: pair[1]):
        mine, others = np.sort(at[codes == code]), at[codes != code]
        if len(others):
            yield from _silence(name, mine, others, limits)
        yield from _holes(name, mine, int(mine.min()) // DAY + 1, int(at.max()) // DAY - 1)


def _silence(name: str, mine: Any, others: Any, limits: Trust) -> Iterator[Finding]:
    """Find where this source says nothing for long while others speak."""
    edges = np.concatenate([[others.min()], mine, [others.max()]])
    longest = int(np.argmax(np.diff(edges)))
    start, end = edges[longest], edges[longest + 1]
    hours = float(end - start) / _HOUR
    spoken = others[(others > start) & (others < end)] // _HOUR
    if hours > limits.silent_hours and len(np.unique(spoken)) >= _SPOKEN:
        text = N_("source {source} says nothing for {hours} hours from {since} while others do")
        yield Finding(text, {"source": name, "hours": hours, "since": _date(start)}, True)


def _holes(name: str, mine: Any, first: int, last: int) -> Iterator[Finding]:
    """Say when this source should have spoken and did not, by what such days otherwise hold.

    Its first day and the last of the log are cut somewhere, and say nothing.
    """
    found = list(find_holes(mine, first, last))
    for hole in found[:_NAMED]:
        yield _hole(name, hole)
    if len(found) > _NAMED:
        text = N_("source {source} has {count} more such holes, the last one on {day}")
        latest = max(hole.start for hole in found)
        fields = {"source": name, "count": len(found) - _NAMED, "day": _date(latest)}
        yield Finding(text, fields, False)


def _hole(name: str, hole: Hole) -> Finding:
    fields = {"source": name, "due": round(hole.due), "count": hole.count}
    if not hole.days:
        text = N_(
            "source {source} says nothing from {since} to {until} (UTC), when about {due} accesses "
            "are usual: what was done then cannot be seen"
        )
        return Finding(text, fields | {"since": _time(hole.start), "until": _time(hole.end)}, False)
    since, until = _date(hole.start), _date(hole.end - 1)
    fields |= {"since": since, "until": until}
    if hole.count:
        text = N_(
            "source {source} says little from {since} to {until}: {count} accesses, when such days "
            "of the week otherwise hold {due}"
        )
        return Finding(text, fields, False)
    if since == until:
        text = N_(
            "source {source} says nothing on {since}, when such days of the week otherwise hold "
            "{due} accesses: what was done then cannot be seen"
        )
        return Finding(text, fields, True)
    text = N_(
        "source {source} says nothing from {since} to {until}, when such days of the week "
        "otherwise hold {due} accesses: what was done then cannot be seen"
    )
    return Finding(text, fields, True)


def _skews(events: pa.Table, within: int) -> Iterator[Finding]:
    """Name the sources whose clocks differ, by the accesses that both saw."""
    if "source" not in events.column_names or not events.num_rows:
        return
    words, accounts = Words(), Words()
    source = words.codes(events.column("source"))
    if len(words.words) < 2:
        return
    person = key_numbers(events.column("patient"))
    account = accounts.codes(events.column("account")).astype(np.uint64)
    key = np.where(
        person == 0, 0, person ^ ((account + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
    )
    at = events.column("at").cast(pa.int64()).to_numpy()
    for skew in find_skews(source, at, key.astype(np.uint64), within):
        text = N_(
            "the clocks of sources {first} and {second} differ by {seconds} seconds (on {share} % "
            "of the accesses that both tell): an access that both saw counts twice, and the order "
            "of events cannot be trusted; mend the time zone or the clock, and read that log again"
        )
        fields = {
            "first": words.words[skew.first], "second": words.words[skew.second],
            "seconds": round(abs(skew.by) / 1e6), "share": 100 * skew.share,
        }  # fmt: skip
        yield Finding(text, fields, True)


COLUMNS_MISSED: Final = (
    (("network", "device"), N_(
        "no access tells its network or device: new places, accounts that move together on one, "
        "and accounts used by several people cannot be seen"
    )),
    (("organisation", "unit"), N_(
        "no access tells an organisation or team: a colleague's patient is taken for a stranger, "
        "and accounts of one site that move together cannot be seen"
    )),
    (("profession", "specialty", "role"), N_(
        "no access tells a profession or role: every account is compared with all others"
    )),
)  # fmt: skip
"""What is lost where none of some columns says anything."""


def _columns(events: pa.Table) -> Iterator[Finding]:
    """Say what is blind because the log never fills a column."""
    for names, text in COLUMNS_MISSED:
        present = [events.column(name) for name in names if name in events.column_names]
        if events.num_rows and all(column.null_count == len(column) for column in present):
            yield Finding(text, {}, False)


def _date(at: int) -> str:
    return str(np.datetime64(int(at), "us").astype("datetime64[D]"))


def _time(at: int) -> str:
    return str(np.datetime64(int(at), "us").astype("datetime64[m]")).replace("T", " ")


def _shared(events: pa.Table) -> Iterator[Finding]:
    """Name the accounts that several people use at once: what is said of them is of a group."""
    if not events.num_rows:
        return
    found = sorted(find_shared(events), key=lambda one: (-one.days, one.account))
    for one in found[:_NAMED]:
        text = N_(
            "account {account} is used by several people at once (on {days} of its {active} days): "
            "its habits are those of a group, and an alert on it names nobody"
        )
        fields = {"account": one.account, "days": one.days, "active": one.active}
        yield Finding(text, fields, False)
    if len(found) > _NAMED:
        text = N_("as many as {count} accounts are used by several people at once")
        yield Finding(text, {"count": len(found)}, False)


def _abstentions(abstaining: tuple[str, ...]) -> Iterator[Finding]:
    for name in abstaining:
        if name in ABSTENTIONS:
            yield Finding(ABSTENTIONS[name], {}, name in _BLINDING)
