"""What is to be said of the events themselves: nulls, silences, holes, clocks, empty columns.

A finding is beyond where it takes the trust away, by the operator's limits (`config.Trust`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from vigie.config import Trust
from vigie.language import N_
from vigie.timeline.front import DAY, WITHIN, Reader
from vigie.trust.holes import Hole
from vigie.trust.inspector import FEW_HOURS, Inspector

_HOUR: Final = DAY // 24
_DAY_HOURS: Final = 24

NOBODY: Final = N_(
    "no access names an account: nobody can be watched; say in the mapping which column does"
)
NO_HOURS: Final = N_(
    "the log tells days but no hours: how fast and in what order records were opened cannot be seen"
)
_NAMED: Final = 5
"""Shared accounts named at most: after them, how many there are."""
_SPOKEN: Final = 3
"""Hours in which other sources speak during a silence, for it to be one: clocks may differ."""
_MANY: Final = 100

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


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say; `beyond` when it takes the trust away."""

    text: str
    fields: dict[str, Any]
    beyond: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the events themselves show, whatever was detected in them.

    It is `empty` where no event names an account: then nothing else is to be said.
    """

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
        *_nulls(seen, limits), *_misdated(seen, limits), *_silences(seen, limits),
        *_skews(seen, within), *_columns(seen),
    )  # fmt: skip
    return Inspection(holes, tuple(_shared(seen)), seen.unnamed == seen.rows)


def _nulls(seen: Inspector, limits: Trust) -> Iterator[Finding]:
    if not seen.rows:
        yield Finding(N_("there is no event to look at"), {}, True)
        return
    if seen.unnamed == seen.rows:
        yield Finding(NOBODY, {}, True)
        return
    if seen.unnamed:
        text = N_("{share} % of the accesses name no account (limit {limit} %)")
        yield share_of(text, seen.unnamed / seen.rows, limits.null_account)
    if seen.opened_nobody:
        text = N_("{share} % of the openings name no patient (limit {limit} %)")
        yield share_of(text, seen.opened_nobody / seen.opened, limits.null_patient_on_open)


def _misdated(seen: Inspector, limits: Trust) -> Iterator[Finding]:
    """Name the sources that tell of days that cannot be: like lines that cannot be read."""
    for name, (count, one) in sorted(seen.misdated.items()):
        text = N_(
            "source {source} dates {count} accesses after today or before 2000 (one of them "
            "{day}): their clock is wrong, or the unit of their times in the mapping; mend it and "
            "read that log again into a new store"
        )
        fields = {"source": name, "count": count, "day": _date(one)}
        yield Finding(text, fields, count > limits.quarantined * seen.rows)


def _silences(seen: Inspector, limits: Trust) -> Iterator[Finding]:
    """Tell the longest silence of each source while others speak, and what its days lack."""
    silences = dict(seen.silences())
    for name, holes in seen.holes():
        silence = silences.get(name)
        hours = (silence.end - silence.start) / _HOUR if silence else 0.0
        if silence and hours > limits.silent_hours and silence.spoken >= _SPOKEN:
            yield _silence(name, hours, _date(silence.start))
        yield from _holes(name, holes)


def _silence(name: str, hours: float, since: str) -> Finding:
    """Say how long a source was silent, in days where hours would say nothing."""
    if hours < 2 * _DAY_HOURS:
        text = N_("source {source} says nothing for {hours} hours from {since} while others do")
        return Finding(text, {"source": name, "hours": hours, "since": since}, True)
    text = N_("source {source} says nothing for {days} days from {since} while others do")
    days = int(hours // _DAY_HOURS)
    return Finding(text, {"source": name, "days": days, "since": since}, True)


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


def _columns(seen: Inspector) -> Iterator[Finding]:
    """Say what is blind because the log never fills a column."""
    if seen.rows > _MANY and len(seen.hours) <= FEW_HOURS:
        yield Finding(NO_HOURS, {}, False)
    for names, text in COLUMNS_MISSED:
        if seen.rows and seen.filled.isdisjoint(names):
            yield Finding(text, {}, False)


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


def share_of(text: str, share: float, limit: float) -> Finding:
    """Return a finding on a share of the log, beyond where it exceeds its limit."""
    return Finding(text, {"share": 100 * share, "limit": 100 * limit}, share > limit)


def _date(at: int) -> str:
    return str(np.datetime64(int(at), "us").astype("datetime64[D]"))


def _time(at: int) -> str:
    return str(np.datetime64(int(at), "us").astype("datetime64[m]")).replace("T", " ")
