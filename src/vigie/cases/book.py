"""The book of cases: what is written in it stays, and the journal vouches for every record.

    with CaseBook.open(home, settings) as book:
        case = book.open_case("Portal, March", [alert], author="dpo", reason="alert of the night")
        case = book.decide(case.id, Matter.AWARENESS, "aware", "accounts confirmed", at=moment)

`vigie.cases.records` says how a record and its entry in the journal hold each other.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vigie import journal
from vigie.cases import looks, rules
from vigie.cases.model import (
    Alerted,
    Case,
    Decision,
    Event,
    FactsVersion,
    Kind,
    Matter,
    Opening,
    Record,
    TextScanned,
)
from vigie.cases.records import ENTRY, insert_record, kind_of, make_case, mark, read_cases, settle
from vigie.cases.writings import words_of, writings
from vigie.clocks.rules import load_rules
from vigie.config import Settings
from vigie.errors import UsageError
from vigie.facts import Facts
from vigie.language import N_
from vigie.state import State, open_state

if TYPE_CHECKING:
    from vigie.alerts.watch import Alert


class CaseBook:
    """All cases of one home. See the module's text for its use."""

    def __init__(self, home: Path, state: State) -> None:
        self.home, self.state = home, state

    @classmethod
    def open(cls, home: Path, settings: Settings) -> "CaseBook":
        """Open the book of `home`; raises what `vigie.state.open_state` does."""
        book = cls(home, open_state(home, settings))
        with book._writing():
            pass
        return book

    def __enter__(self) -> "CaseBook":
        return self

    def __exit__(self, *error: object) -> None:
        self.state.close()

    # Reading

    def cases(self) -> list[Case]:
        """Return every case, the oldest first."""
        with self.state.transaction() as connection:
            return [self._with_writings(case) for case in read_cases(connection)]

    def case(self, beginning: str) -> Case:
        """Return the case whose identifier begins so; raises `UsageError` when not exactly one."""
        with self.state.transaction() as connection:
            found = [c for c in read_cases(connection, beginning) if c.id.startswith(beginning)]
        exact = [case for case in found if case.id == beginning]
        if len(exact or found) == 1:
            return self._with_writings((exact or found)[0])
        what = N_("several cases begin with {id!r}") if found else N_("no case begins with {id!r}")
        raise UsageError(what, remedy=N_("vigie case list lists them"), id=beginning)

    def _with_writings(self, case: Case) -> Case:
        """Return the case with what its notices would be written in now, where any was asked."""
        if case.last(Matter.NOTICE_ASKED) is None:
            return case
        return msgspec.structs.replace(case, written_in=writings(self.home))

    def _written_in(self, matter: Matter, notice: str) -> dict[str, str]:
        asked = matter in (Matter.NOTICE_ASKED, Matter.NOTICE_APPROVED)
        return words_of(notice, writings(self.home)) if asked else {}

    # Writing

    def open_case(
        self,
        title: str,
        alerts: "Iterable[Alert]",
        author: str,
        reason: str,
        role: str = "controller",
        zone: str = "Europe/Paris",
        now: datetime | None = None,
    ) -> Case:
        """Open a case from alerts (none: from what a person heard) and return it.

        When the alerts were first told and first looked at comes from the journal.
        """
        at = now or datetime.now(UTC)
        opening = Opening(
            author=author, recorded_by=journal.current_user(), recorded_at=at, reason=reason,
            title=title, role=role, zone=zone,
        )  # fmt: skip
        case = self._append(None, opening)
        return self.add_alerts(case.id, alerts, author, reason, at)

    def add_alerts(
        self, case: str, alerts: "Iterable[Alert]", author: str, reason: str,
        now: datetime | None = None,
    ) -> Case:  # fmt: skip
        """Join alerts to a case, each as it is now; one that joined before and changed, again."""
        at, added = now or datetime.now(UTC), []
        known = {joined.id: joined.sha256 for joined in self.case(case).alerts}
        for alert in alerts:
            said = msgspec.to_builtins(alert)
            sha256 = hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()
            if known.get(alert.id) != sha256:
                self._append(case, Alerted(
                    author=author, recorded_by=journal.current_user(), recorded_at=at,
                    reason=reason, alert=said, sha256=sha256,
                ))  # fmt: skip
                added += [alert.id] * (alert.id not in known)
        self._note_looks(case, added, author, at)
        return self.case(case)

    def _note_looks(self, case: str, alerts: list[str], author: str, at: datetime) -> None:
        if alerts:
            looks.record_view(self.home, " ".join(alerts), f"case {case}")
            told = looks.first_signal(self.home, alerts)
            seen = looks.first_viewing(self.home, alerts)
            for kind, moment in ((Kind.FIRST_SIGNAL, told), (Kind.FIRST_VIEWING, seen)):
                if moment:
                    self.note(case, kind, at=min(moment, at), author=author, now=at)

    def note(
        self,
        case: str,
        kind: Kind = Kind.NOTE,
        text: str = "",
        at: datetime | None = None,
        author: str = "",
        now: datetime | None = None,
        zone: str = "",
        reference: str = "",
        late_because: str = "",
    ) -> Case:
        """Put an event on the time line; `late_because` is the reason of article 33(1)."""
        user, recorded_at = journal.current_user(), now or datetime.now(UTC)
        found = self.case(case)
        event = Event(
            author=author or user, recorded_by=user, recorded_at=recorded_at, kind=kind, text=text,
            at=(at or recorded_at).astimezone(UTC), zone=zone or found.zone, facts=_facts_of(found),
            reference=reference, late_because=late_because,
        )  # fmt: skip
        rules.check_delay(found, event, load_rules(self.home))
        return self._append(case, event)

    def decide(
        self,
        case: str,
        matter: Matter,
        value: str,
        reason: str,
        author: str = "",
        at: datetime | None = None,
        zone: str = "",
        details: dict[str, str] | None = None,
        now: datetime | None = None,
        recorded_by: str = "",
    ) -> Case:
        """Record a decision; raises `RefusedError` or `UsageError` when the rules forbid it.

        `recorded_by` is the user who is signed in where that is not the system's.
        """
        user, recorded_at = recorded_by or journal.current_user(), now or datetime.now(UTC)
        found = self.case(case)
        return self._append(case, Decision(
            author=author or user, recorded_by=user, recorded_at=recorded_at, reason=reason,
            matter=matter, value=value, at=(at or recorded_at).astimezone(UTC),
            zone=zone or found.zone, facts=_facts_of(found), details=details or {},
            written_in=self._written_in(matter, value),
        ))  # fmt: skip

    def set_facts(
        self, case: str, facts: Facts, reason: str, author: str = "", now: datetime | None = None,
        given: bool = False,
    ) -> Case:  # fmt: skip
        """Set the facts of a case; the same facts again change nothing.

        `given`: they are a file's, not computed from what the case asks. Raises `UsageError` for
        those of another case.
        """
        found = self.case(case)
        if facts.case not in ("", found.id):
            raise UsageError(
                N_("these are the facts of case {other}"), where=found.id, other=facts.case,
                remedy=N_("compute them for this case: vigie exposure --case"),
            )  # fmt: skip
        if found.facts and (found.facts.sha256, found.facts.given) == (facts.sha256, given):
            return found
        user = journal.current_user()
        return self._append(case, FactsVersion(
            author=author or user, recorded_by=user, recorded_at=now or datetime.now(UTC),
            reason=reason, sha256=facts.sha256, content=facts.to_json().decode(), given=given,
        ))  # fmt: skip

    def note_scan(self, case: str, scanned: TextScanned) -> Case:
        """Record that free text was searched; raises `RefusedError` without a reason."""
        return self._append(case, scanned)

    def _append(self, case: str | None, record: Record) -> Case:
        """Write one record: pending, then the journal, then for good."""
        with self._writing():
            found = self.case(case) if case else None
            rules.check(found, record, max(record.recorded_at, datetime.now(UTC)))
            with self.state.transaction() as connection:
                name = found.id if found else make_case(connection, record.recorded_at.year)
                number = len(found.records) + 1 if found else 1
                numbered = msgspec.structs.replace(record, number=number)
                digest = insert_record(connection, name, numbered)
            subject = f"{name} {number} {kind_of(record)} {digest}"
            entry = journal.record(self.home, ENTRY, subject, record.reason, record.recorded_by)
            with self.state.transaction() as connection:
                mark(connection, digest, entry.number)
        return self.case(name)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer at a time, who first settles what a killed one left pending."""
        with self.state.alone():
            with self.state.transaction() as connection:
                settle(connection, self.home)
            yield


def _facts_of(case: Case) -> str:
    return case.facts.sha256 if case.facts else ""
