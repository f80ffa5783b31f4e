"""What came since the facts of a case were computed: lines of the log, and alerts.

Each computation is an entry of the journal, with how much the log held then. What came later may
change the facts: lines of the case's accounts in its periods do, and files that cover them may say
what the log could not say before. Alerts do nothing until somebody joins them; of those that a case
rests on, one may be withdrawn by a later answer. Facts that somebody gave as a file are held to
what the log had when they were set, and are his to make anew.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from vigie import journal
from vigie.alerts.watch import QUIET, Alert
from vigie.cases.model import OVER, Case, Event, Matter
from vigie.cases.scope import has_scope, scope_of, scope_of_facts
from vigie.exposure import Scope
from vigie.exposure.selection import count_own
from vigie.stores import Store
from vigie.stores.catalogue import Catalogue

ENTRY: Final = "computed"
GIVEN: Final = "given"
_AROUND: Final = timedelta(microseconds=QUIET)


class Held(msgspec.Struct, frozen=True):
    """What the log held: its last file, its rows, and those of the case's accounts and periods.

    `given` when the facts came from a file.
    """

    file: int
    rows: int
    own: int
    given: bool = False


class Arrived(msgspec.Struct, frozen=True):
    """What came: `lines` of the accounts, `files` that cover the periods, alerts by identifier.

    `alerts` are about the accounts and not in the case; `grown` went on since they joined it;
    `withdrawn` are in it, told no more since `withdrawn_at`, and nobody has noted or decided
    anything since. `given`: the facts are a file's, which nothing computes anew but who wrote it.
    """

    lines: int = 0
    files: int = 0
    alerts: tuple[str, ...] = ()
    grown: tuple[str, ...] = ()
    given: bool = False
    withdrawn: tuple[str, ...] = ()
    withdrawn_at: datetime | None = None

    def __bool__(self) -> bool:
        """Whether anything came."""
        return bool(self.lines or self.files or self.alerts or self.grown or self.withdrawn)


def note_computed(store: Store, case: Case, scope: Scope) -> None:
    """Write into the journal what the log held when the facts of a case were computed."""
    _note(store, case, scope)


def note_given(store: Store, case: Case) -> bool:
    """Write down the same of facts that were given; False when they do not say whom they count."""
    scope = scope_of_facts(case)
    if scope:
        _note(store, case, scope, GIVEN)
    return scope is not None


def _note(store: Store, case: Case, scope: Scope, *how: str) -> None:
    if case.facts is None:
        return
    held = (*_log(store.catalogue), count_own(store.connect(), scope))
    journal.record(store.home, ENTRY, " ".join(map(str, (case.id, case.facts.sha256, *held, *how))))


def find_arrivals(
    store: Store, cases: Iterable[Case], told: Iterable[Alert], gone: Mapping[str, datetime],
    silent_hours: float,
) -> dict[str, Arrived]:  # fmt: skip
    """Return what came since the facts of each open case were computed, by case.

    `gone`: the alerts that were withdrawn, and when.
    """
    alerts, noted = [alert for alert in told if alert.id not in gone], _noted(store.home)
    open_cases = [case for case in cases if case.status not in OVER]
    found = {case.id: _arrived(store, case, alerts, noted, silent_hours) for case in open_cases}
    return {case.id: _without(case, gone, found[case.id]) for case in open_cases}


def _without(case: Case, gone: Mapping[str, datetime], arrived: Arrived) -> Arrived:
    """Add the alerts that the case rests on and that were withdrawn."""
    since = _last_word(case)
    mine = {one.id: gone[one.id] for one in case.alerts if one.id in gone}
    unread = {name: at for name, at in mine.items() if since is None or at > since}
    if not unread:
        return arrived
    when = max(unread.values())
    return msgspec.structs.replace(arrived, withdrawn=tuple(unread), withdrawn_at=when)


def _last_word(case: Case) -> datetime | None:
    """Return when somebody last noted or decided something about the case itself."""
    notices = (Matter.NOTICE_ASKED, Matter.NOTICE_APPROVED, Matter.NOTICE_REFUSED)
    written = [*case.of(Event), *(d for d in case.decisions if d.matter not in notices)]
    return max((record.recorded_at for record in written), default=None)


def _arrived(
    store: Store, case: Case, told: list[Alert], noted: dict[str, Held], silent_hours: float
) -> Arrived:
    joined = {one.id: one.alert["last_at"] for one in case.alerts}
    held = noted.get(f"{case.id} {case.facts.sha256}") if case.facts else None
    scope = _scope(case, held)
    accounts = {*scope.accounts} if scope else set()
    mine = [alert for alert in told if {*alert.accounts} & accounts]
    known = {*joined} | _renamed(case, mine)
    fresh = tuple(alert.id for alert in mine if alert.id not in known)
    grown = tuple(a.id for a in mine if a.id in joined and a.last_at > _moment(joined[a.id]))
    lines, files = _of_log(store, scope, held, silent_hours)
    return Arrived(lines, files, fresh, grown, given=held is not None and held.given)


def _renamed(case: Case, told: list[Alert]) -> set[str]:
    """Return the alerts that are those of the case under another identifier."""
    ids = {alert.id for alert in told}
    gone = [msgspec.convert(one.alert, Alert) for one in case.alerts if one.id not in ids]
    return {now.id for one in gone if (now := told_now(one, told))}


def told_now(gone: Alert, alerts: Iterable[Alert]) -> Alert | None:
    """Return the alert that is told of one of its accounts about that time, the nearest, if any.

    Lines that come move the moment at which an alert opens, and so its identifier.
    """
    near = [
        one for one in alerts
        if {*one.accounts} & {*gone.accounts}
        and max(one.opened_at, gone.opened_at) <= min(one.last_at, gone.last_at) + _AROUND
    ]  # fmt: skip
    return min(
        near,
        key=lambda one: (one.accounts != gone.accounts, abs(one.opened_at - gone.opened_at)),
        default=None,
    )


def _scope(case: Case, held: Held | None) -> Scope | None:
    """Return what is asked of the log: by the case, or by the facts that somebody gave it."""
    if held and held.given:
        return scope_of_facts(case)
    return scope_of(case) if has_scope(case) else None


def _of_log(
    store: Store, scope: Scope | None, held: Held | None, silent_hours: float
) -> tuple[int, int]:
    """Return how many lines and files came."""
    if scope is None or held is None or (held.file, held.rows) == _log(store.catalogue):
        return 0, 0
    lines = count_own(store.connect(), scope) - held.own
    return max(lines, 0), _covering(store.catalogue, scope, held.file, silent_hours)


def _log(catalogue: Catalogue) -> tuple[int, int]:
    files = catalogue.rows("SELECT max(id) AS last FROM files WHERE state = 'received'")
    rows = catalogue.rows(
        "SELECT sum(rows) AS held FROM segments WHERE state = 'live' AND kind = 'events'"
    )
    return files[0]["last"] or 0, rows[0]["held"] or 0


def _covering(catalogue: Catalogue, scope: Scope, after: int, silent_hours: float) -> int:
    around = timedelta(hours=silent_hours)
    since, until = (_microseconds(at) for at in (scope.since - around, scope.until + around))
    rows = catalogue.rows(
        "SELECT count(*) AS files FROM files WHERE state = 'received' AND id > ?"
        " AND last_at >= ? AND first_at < ?", after, since, until,
    )  # fmt: skip
    return int(rows[0]["files"])


def _noted(home: Path) -> dict[str, Held]:
    """Return what the log held at the last computation of each case and facts."""
    said = [entry.subject.split() for entry in journal.entries(home) if entry.what == ENTRY]
    return {
        f"{case} {facts}": Held(int(file), int(rows), int(own), how == [GIVEN])
        for case, facts, file, rows, own, *how in said
    }


def _moment(said: str | datetime) -> datetime:
    return said if isinstance(said, datetime) else datetime.fromisoformat(said)


def _microseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
