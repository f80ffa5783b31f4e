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
from vigie.language import LANGUAGES, N_, _, number, speaking
from vigie.numbering import Words
from vigie.sharing import find_shared
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


def assess(
    events: pa.Table,
    limits: Trust,
    *,
    abstaining: tuple[str, ...] = (),
    calibrated: bool = True,
    quarantined: int = 0,
    lines: int = 0,
    late: int = 0,
) -> Assessment:
    """Say what the answer is blind to; `quarantined` of `lines` come from the readers.

    `late` accesses came after the window of a live watch.
    """
    findings = [
        *_quarantine(quarantined, lines, limits),
        *_nulls(events, limits),
        *_silences(events, limits),
        *_abstentions(abstaining),
        *_shared(events),
    ]
    if late:
        findings.append(Finding(LATE, {"count": late}, False))
    if not calibrated:
        findings.append(Finding(TOO_SHORT, {}, True))
    return Assessment(not any(f.beyond for f in findings), tuple(map(_both, findings)))


def _both(finding: Finding) -> dict[str, str]:
    said = {}
    for language in LANGUAGES:
        with speaking(language):
            fields = {
                name: number(value, 1) if isinstance(value, float) else value
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
    """Find the longest silence of each source, and whole days missing from its week."""
    if "source" not in events.column_names or not events.num_rows:
        return
    words = Words()
    codes = words.codes(events.column("source"))
    at = events.column("at").cast(pa.int64()).to_numpy()
    for code, name in sorted(enumerate(words.words), key=lambda pair: pair[1]):
        mine, others = np.sort(at[codes == code]), at[codes != code]
        if len(others):
            yield from _silence(name, mine, others, limits)
        yield from _missing_days(name, mine)


def _silence(name: str, mine: Any, others: Any, limits: Trust) -> Iterator[Finding]:
    """Find where this source says nothing for long while others speak."""
    edges = np.concatenate([[others.min()], mine, [others.max()]])
    longest = int(np.argmax(np.diff(edges)))
    start, end = edges[longest], edges[longest + 1]
    hours = float(end - start) / _HOUR
    if hours > limits.silent_hours and ((others > start) & (others < end)).any():
        text = N_("source {source} says nothing for {hours} hours from {since} while others do")
        yield Finding(text, {"source": name, "hours": hours, "since": _date(start)}, True)


def _missing_days(name: str, mine: Any) -> Iterator[Finding]:
    """Find days without a word on a day of the week that otherwise always speaks."""
    days = np.unique(mine // DAY)
    every = np.arange(days[0], days[-1] + 1) if len(days) else days
    silent = np.setdiff1d(every, days)
    for day in silent:
        same = every[every % 7 == day % 7]
        if len(same) >= 4 and np.isin(same, silent).sum() == 1:
            text = N_("source {source} says nothing on {day}, unlike other such days of the week")
            yield Finding(text, {"source": name, "day": _date(day * DAY)}, True)


def _date(at: int) -> str:
    return str(np.datetime64(int(at), "us").astype("datetime64[D]"))


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
