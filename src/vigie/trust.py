"""What makes an answer untrustworthy: blindness never looks green.

The limits are the operator's (`config.Trust`). A remark is a sentence in both languages; the
answer is trusted when no remark is about something beyond its limit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.config import Trust
from vigie.events import ACTIONS
from vigie.front import DAY, TEXTS, WITHIN, Reader
from vigie.holes import Hole, Silence, Spoken, holes_of
from vigie.language import LANGUAGES, N_, _, number, speaking
from vigie.numbering import Words, stand_for
from vigie.rows import Columns
from vigie.sharing import Shared, Sharing
from vigie.skew import Clocks, Skew

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
UNJUDGED: Final = N_(
    "no access was judged: the whole log lies within the days on which habits are learnt; at least "
    "two days are needed"
)
NO_HOURS: Final = N_(
    "the log tells days but no hours: how fast and in what order records were opened cannot be seen"
)
LATE: Final = N_(
    "{count} accesses came later than the watch waits: they were looked at when they came"
)
_NAMED: Final = 5
"""Shared accounts named at most: after them, how many there are."""
_SPOKEN: Final = 3
"""Hours in which other sources speak during a silence, for it to be one: clocks may differ."""
_FEW_HOURS: Final = 2
"""Times of day in a log that knows none: midnight, in summer and in winter."""
_MANY: Final = 100
_BLINDING: Final = ("strangers",)
_OPEN: Final = ACTIONS.index("open")


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether the answer can be trusted, and what there is to say, in both languages."""

    ok: bool
    remarks: tuple[dict[str, str], ...]


class Inspector:
    """Counts what `trust` says of a log; `words` are those that the codes of the rows point to."""

    def __init__(self, words: dict[str, Words]) -> None:
        self.words = words
        self.rows = self.unnamed = self.opened = self.opened_nobody = 0
        self.filled: set[str] = set()
        self.hours: set[int] = set()
        """Times of day that were seen, the first few."""
        self.names = Words()
        self.sources: list[Spoken] = []
        self._sharing, self._clocks = Sharing(), Clocks()

    def see(self, events: pa.Table, rows: Columns) -> None:
        """Look at a table, and at all its rows as `front.Reader` decodes them."""
        if not events.num_rows:
            return
        account, opened = rows["account"], rows["action"] == _OPEN
        self.rows += events.num_rows
        self.unnamed += int((account < 0).sum())
        self.opened += int(opened.sum())
        self.opened_nobody += int((opened & (rows["person"] == 0)).sum())
        if len(self.hours) <= _FEW_HOURS:
            self.hours.update(np.unique(rows["at"] % DAY)[: _FEW_HOURS + 1].tolist())
        for name in set(TEXTS).intersection(events.column_names) - self.filled:
            if events.column(name).null_count < events.num_rows:
                self.filled.add(name)
        service = stand_for("service", rows["actor_kind"], self.words["actor_kind"].words)
        places = {name: rows[name] for name in ("device", "network")}
        self._sharing.see(rows["at"], account, service, places)
        if "source" in events.column_names:
            self._see_sources(self.names.codes(events.column("source")), rows)

    def _see_sources(self, source: NDArray[np.int32], rows: Columns) -> None:
        self.sources += [Spoken() for _ in range(len(self.names) - len(self.sources))]
        at, spoken = rows["at"], np.bincount(source + 1, minlength=len(self.names) + 1)[1:]
        for code in np.flatnonzero(spoken).tolist():
            mine = at if spoken[code] == len(at) else at[source == code]
            self.sources[code].see(np.sort(mine))
        self._clocks.see(source, at, rows["account"], rows["person"])

    def silences(self) -> Iterator[tuple[str, Silence]]:
        """Yield the longest silence of each source beside others, by name."""
        for code, name in self._by_name():
            mine, others = self.sources[code], [s for s in self.sources if s.last]
            others = [one for one in others if one is not mine]
            if not others:
                continue
            first, last = min(one.first for one in others), max(one.last for one in others)
            gaps = (first, mine.first), mine.gap, (mine.last, last)
            start, end = max(gaps, key=lambda gap: gap[1] - gap[0])
            spoken = set[int]().union(*(one.spoken(start, end) for one in others))
            yield name, Silence(start, end, len(spoken))

    def holes(self) -> Iterator[tuple[str, list[Hole]]]:
        """Yield the holes of each source, by name: its first day and the log's last are cut."""
        until = max((one.last for one in self.sources), default=0) // DAY - 1
        for code, name in self._by_name():
            since = self.sources[code].first // DAY + 1
            yield name, list(holes_of(self.sources[code].counts(since, until), since))

    def _by_name(self) -> list[tuple[int, str]]:
        return sorted(enumerate(self.names.words), key=lambda pair: pair[1])

    def skews(self, within: int) -> Iterator[tuple[str, str, Skew]]:
        """Yield the sources whose clocks differ by more than `within` (µs)."""
        if len(self.names) > 1:
            for skew in self._clocks.skews(within):
                yield self.names.words[skew.first], self.names.words[skew.second], skew

    def shared(self, names: Sequence[str]) -> Iterator[Shared]:
        """Yield the accounts that several people use at once."""
        return self._sharing.found(names)


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
    """Look at the events for what `assess` says.

    Clocks of two sources that differ by more than `within` (µs) are named.
    """
    reader = Reader()
    inspector = Inspector(reader.words)
    inspector.see(events, reader.decode(events))
    return conclude(inspector, limits, within)


def conclude(seen: Inspector, limits: Trust, within: int = WITHIN) -> Inspection:
    """Return what is to be said of the events that an inspector has seen, as `inspect` does."""
    holes = (
        *_nulls(seen, limits), *_silences(seen, limits), *_skews(seen, within), *_columns(seen),
    )  # fmt: skip
    return Inspection(holes, tuple(_shared(seen)), not seen.rows)


def assess(
    shown: pa.Table | Inspection,
    limits: Trust,
    *,
    abstaining: tuple[str, ...] = (),
    calibrated: bool = True,
    judged: bool = True,
    quarantined: int = 0,
    lines: int = 0,
    late: int = 0,
) -> Assessment:
    """Say what the answer is blind to, given events or what their inspection showed.

    `judged` is false where no day lies after the warm-up. `quarantined` of `lines` come from the
    readers; `late` accesses came after the window of a live
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
    if not judged:
        findings.append(Finding(UNJUDGED, {}, True))
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


def _nulls(seen: Inspector, limits: Trust) -> Iterator[Finding]:
    if not seen.rows:
        yield Finding(N_("there is no event to look at"), {}, True)
        return
    if seen.unnamed:
        text = N_("{share} % of the accesses name no account (limit {limit} %)")
        yield _share(text, seen.unnamed / seen.rows, limits.null_account)
    if seen.opened_nobody:
        text = N_("{share} % of the openings name no patient (limit {limit} %)")
        yield _share(text, seen.opened_nobody / seen.opened, limits.null_patient_on_open)


def _silences(seen: Inspector, limits: Trust) -> Iterator[Finding]:
    """Tell the longest silence of each source while others speak, and what its days lack."""
    silences = dict(seen.silences())
    for name, holes in seen.holes():
        silence = silences.get(name)
        hours = (silence.end - silence.start) / _HOUR if silence else 0.0
        if silence and hours > limits.silent_hours and silence.spoken >= _SPOKEN:
            text = N_("source {source} says nothing for {hours} hours from {since} while others do")
            since = _date(silence.start)
            yield Finding(text, {"source": name, "hours": hours, "since": since}, True)
        yield from _holes(name, holes)


def _holes(name: str, found: Sequence[Hole]) -> Iterator[Finding]:
    """Say when this source should have spoken and did not, by what such days otherwise hold."""
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


def _skews(seen: Inspector, within: int) -> Iterator[Finding]:
    """Name the sources whose clocks differ, by the accesses that both saw."""
    for first, second, skew in seen.skews(within):
        text = N_(
            "the clocks of sources {first} and {second} differ by {seconds} seconds (on {share} % "
            "of the accesses that both tell): an access that both saw counts twice, and the order "
            "of events cannot be trusted; mend the time zone or the clock, and read that log again"
        )
        fields = {
            "first": first, "second": second,
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


def _columns(seen: Inspector) -> Iterator[Finding]:
    """Say what is blind because the log never fills a column."""
    if seen.rows > _MANY and len(seen.hours) <= _FEW_HOURS:
        yield Finding(NO_HOURS, {}, False)
    for names, text in COLUMNS_MISSED:
        if seen.rows and seen.filled.isdisjoint(names):
            yield Finding(text, {}, False)


def _date(at: int) -> str:
    return str(np.datetime64(int(at), "us").astype("datetime64[D]"))


def _time(at: int) -> str:
    return str(np.datetime64(int(at), "us").astype("datetime64[m]")).replace("T", " ")


def _shared(seen: Inspector) -> Iterator[Finding]:
    """Name the accounts that several people use at once: what is said of them is of a group."""
    shared = seen.shared(seen.words["account"].words)
    found = sorted(shared, key=lambda one: (-one.days, one.account))
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
