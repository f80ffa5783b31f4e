"""What detection last answered, kept: the alerts that were told, the evidence of their accounts.

An alert that somebody read is asked about later by its identifier: it must then be the same, and
be there though a later answer has it no more. So alerts stay once told, as they were last told;
the evidence is that of the last answer, good as long as the log is. The journal holds the hash of
both files: what it does not vouch for is not used.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from vigie import journal
from vigie.alerts.watch import Alert
from vigie.errors import StoreError, UsageError
from vigie.exposure.engine import EVIDENCE
from vigie.exposure.output import hash_file
from vigie.language import N_
from vigie.pseudonyms import Keyring
from vigie.stores.keys import advance
from vigie.stores.layout import telling

ENTRY: Final = "answer"
ALERTS_FILE: Final = "alerts.json"
EVIDENCE_FILE: Final = "evidence.parquet"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`alerts`: every alert told so far, `last` the identifiers of those of the last answer;
    `accounts`: whose evidence is kept; `events`: how many the log held when it was looked at;
    `key`: how often the key had been rotated then."""

    version: int
    events: int
    accounts: tuple[str, ...]
    evidence_sha256: str
    alerts: tuple[Alert, ...]
    key: int = 0
    last: tuple[str, ...] | None = None

    @property
    def current(self) -> tuple[Alert, ...]:
        """The alerts of the last answer; all, where an older Vigie kept it."""
        if self.last is None:
            return self.alerts
        return tuple(alert for alert in self.alerts if alert.id in self.last)


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that is kept in `home`."""

    home: Path
    answer: Answer

    def alert(self, beginning: str) -> Alert:
        """Return the alert whose identifier begins so; raises what `choose` does."""
        return choose(self.answer.alerts, beginning)

    def covers(self, accounts: Iterable[str], events: int) -> bool:
        """Whether the evidence tells of these accounts in a log of so many events."""
        return events == self.answer.events and set(accounts) <= set(self.answer.accounts)

    def evidence(self, keyring: Keyring) -> pa.Table:
        """Return the evidence (EVIDENCE) of all the accounts, as events are known by the key."""
        path = self.home / EVIDENCE_FILE
        with telling(path):
            if hash_file(path) != self.answer.evidence_sha256:
                raise _changed(path)
            table = pq.read_table(path, schema=EVIDENCE)
        return advance(table, keyring, self.answer.key)


def keep(
    home: Path, alerts: Iterable[Alert], tell: Callable[[tuple[str, ...]], pa.Table], events: int,
    key: int = 0,
) -> Kept:  # fmt: skip
    """Keep an answer beside the alerts of earlier ones; `tell` gives the evidence of accounts.

    The journal is told before either file takes its name: a process killed half-way, or a full
    disk, leaves the answer before, still vouched for.
    """
    now = {alert.id: alert for alert in alerts}
    every = {alert.id: alert for alert in load(home).answer.alerts} | now
    told = tuple(every[name] for name in sorted(every))
    accounts = accounts_of(told)
    evidence, answers = home / EVIDENCE_FILE, home / ALERTS_FILE
    with telling(evidence):
        _fresh(evidence).touch(0o600)
        pq.write_table(tell(accounts).cast(EVIDENCE), _fresh(evidence), compression="zstd")
        answer = Answer(
            1, events, accounts, hash_file(_fresh(evidence)), told, key, (*sorted(now),)
        )
    data = msgspec.json.encode(answer, order="sorted")
    with telling(answers):
        _fresh(answers).touch(0o600)
        _fresh(answers).write_bytes(data)
        journal.record(home, ENTRY, f"{len(told)} alerts {hashlib.sha256(data).hexdigest()}")
        for path in (evidence, answers):
            _fresh(path).replace(path)
    return Kept(home, answer)


def _fresh(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def choose(alerts: Iterable[Alert], beginning: str) -> Alert:
    """Return the alert whose identifier begins so; raises `UsageError` when not exactly one."""
    fitting = [alert for alert in alerts if alert.id.startswith(beginning)]
    if len(fitting) == 1:
        return fitting[0]
    what = N_("several alerts begin with {id!r}") if fitting else N_("no alert begins with {id!r}")
    remedy = N_("vigie alerts looks at the log, lists its alerts and keeps them")
    raise UsageError(what, remedy=remedy, id=beginning)


def accounts_of(alerts: Iterable[Alert]) -> tuple[str, ...]:
    """Return the accounts that alerts are about."""
    return tuple(sorted({account for alert in alerts for account in alert.accounts}))


def load(home: Path) -> Kept:
    """Return what is kept, nothing if nothing was ever told; raises `StoreError` if it changed."""
    path = home / ALERTS_FILE
    if not path.exists():
        return Kept(home, Answer(1, -1, (), "", ()))
    with telling(path):
        data = path.read_bytes()
    vouched = [e.subject.split()[-1] for e in journal.entries(home) if e.what == ENTRY]
    # The same answer given up half-way again and again is one: the file is of the one before it.
    if hashlib.sha256(data).hexdigest() not in [*dict.fromkeys(reversed(vouched))][:2]:
        raise _changed(path)
    return Kept(home, msgspec.json.decode(data, type=Answer))


def _changed(path: Path) -> StoreError:
    return StoreError(
        N_("the alerts that were told are no longer as the journal vouches for them"),
        where=str(path), remedy=N_("move the file away and run vigie alerts again"),
    )  # fmt: skip
