"""A case: alerts, a time line, people's decisions, and the facts they decided on.

A case is the fold of its records, which only grow: nothing is edited, a later record supersedes an
earlier one and both stay to be read. Times are UTC; `zone` is the time zone in which a person said
them. Nothing here names a patient: alerts cite lines, facts count persons.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from vigie.clocks.model import Moments
from vigie.errors import UsageError
from vigie.facts import Facts, from_json
from vigie.language import N_


class Status(StrEnum):
    """Where a case stands, from the first suspicion to the end."""

    SUSPECTED = "suspected"
    INVESTIGATING = "investigating"
    ESTABLISHED = "established"
    CONTAINED = "contained"
    CLOSED = "closed"
    DISMISSED = "dismissed"


TRANSITIONS: Final = {
    Status.SUSPECTED: (Status.INVESTIGATING, Status.ESTABLISHED, Status.DISMISSED),
    Status.INVESTIGATING: (Status.ESTABLISHED, Status.DISMISSED),
    Status.ESTABLISHED: (Status.CONTAINED,),
    Status.CONTAINED: (Status.ESTABLISHED, Status.CLOSED),
    Status.CLOSED: (Status.INVESTIGATING,),
    Status.DISMISSED: (Status.INVESTIGATING,),
}
"""From each state to those that may follow. What is closed or dismissed may be opened again."""
UNCERTAIN: Final = (Status.SUSPECTED, Status.INVESTIGATING)
OVER: Final = (Status.CLOSED, Status.DISMISSED)
"""A case in one of these asks nothing of the log."""


class Kind(StrEnum):
    """What an event of the time line is; clocks start and stop at some of them."""

    FIRST_SIGNAL = "first_signal"
    FIRST_VIEWING = "first_viewing"
    INVESTIGATION_OPENED = "investigation_opened"
    PROCESSOR_INFORMED = "processor_informed"
    ATTACK_KNOWN = "attack_known"
    BREACH_BEGAN = "breach_began"
    BREACH_ENDED = "breach_ended"
    CNIL_NOTIFIED = "cnil_notified"
    CNIL_COMPLETED = "cnil_completed"
    CONTROLLERS_INFORMED = "controllers_informed"
    CERT_SANTE_REPORTED = "cert_sante_reported"
    ARS_REPORTED = "ars_reported"
    ANSSI_REPORTED = "anssi_reported"
    NIS2_WARNED = "nis2_warned"
    NIS2_NOTIFIED = "nis2_notified"
    NIS2_REPORTED = "nis2_reported"
    COMPLAINT_FILED = "complaint_filed"
    PERSONS_INFORMED = "persons_informed"
    MEASURE = "measure"
    NOTE = "note"


class Matter(StrEnum):
    """What a decision is about, with what its `value` may be.

    `state`: a `Status`. `awareness`: the moment, in `at`. `authority`: `notify` or `not_notified`.
    `persons`: `inform`, `not_informed` or `undecided`. `severity`: one of the CNIL's levels.
    `cause`: one of the CNIL's causes.
    `scope`: an account, whose period is in `details`. `boundary`: between the thief's accesses and
    the owner's, one of the levels of `vigie.exposure`, more in `details`. `notice_asked`,
    `notice_approved`, `notice_refused`: the name of a notice, with the facts it was made from.
    """

    STATE = "state"
    AWARENESS = "awareness"
    AUTHORITY = "authority"
    PERSONS = "persons"
    SEVERITY = "severity"
    CAUSE = "cause"
    SCOPE = "scope"
    BOUNDARY = "boundary"
    NOTICE_ASKED = "notice_asked"
    NOTICE_APPROVED = "notice_approved"
    NOTICE_REFUSED = "notice_refused"


NOT_NOTIFIED: Final = "not_notified"
NOT_INFORMED: Final = "not_informed"


class Record(msgspec.Struct, frozen=True, tag_field="record", kw_only=True):
    """What every record of a case carries.

    `author` is who speaks, `recorded_by` the user under whom it was typed in. `number` counts the
    records of the case from 1. `entry` is the number of the journal's entry which holds the
    digest of this record.
    """

    author: str
    recorded_by: str = ""
    recorded_at: datetime
    reason: str = ""
    number: int = 0
    entry: int = 0


R = TypeVar("R", bound=Record)


class Opening(Record, frozen=True, tag="opening", kw_only=True):
    """The first record of a case."""

    title: str
    role: str = "controller"
    zone: str = "Europe/Paris"


class Alerted(Record, frozen=True, tag="alert", kw_only=True):
    """An alert as it was when it joined the case, with the SHA-256 of its canonical JSON."""

    alert: dict[str, Any]
    sha256: str

    @property
    def id(self) -> str:
        """The identifier of the alert."""
        return str(self.alert["id"])


class Event(Record, frozen=True, tag="event", kw_only=True):
    """Something that happened: `at` when, `recorded_at` when it was written down.

    `reference` is what a recipient answered (the number of a notification, of a complaint);
    `late_because` the reason that article 33(1) wants past its term.
    """

    kind: Kind
    at: datetime
    zone: str = "Europe/Paris"
    text: str = ""
    reference: str = ""
    late_because: str = ""
    facts: str = ""


class Decision(Record, frozen=True, tag="decision", kw_only=True):
    """What somebody decided, with the reason in `reason`.

    `at` is the moment that the decision speaks of (of awareness), else when it was taken;
    `facts` the hash of the facts of the case at that time, empty when there were none;
    `written_in` what a notice that was asked for or approved was written in (cases.writings).
    """

    matter: Matter
    value: str
    at: datetime
    zone: str = "Europe/Paris"
    facts: str = ""
    details: dict[str, str] = {}
    written_in: dict[str, str] = {}


class FactsVersion(Record, frozen=True, tag="facts", kw_only=True):
    """The facts as they were computed: `content` is their canonical JSON, `sha256` its hash.

    `given`: somebody set them as a file. What Vigie computes by itself does not replace them.
    """

    sha256: str
    content: str
    given: bool = False


class TextScanned(Record, frozen=True, tag="text", kw_only=True):
    """Who searched the free text that a screen shows, in which file, and what was found there.

    `found` counts texts by category of words, `hits` those with any; `terms` is the version of the
    lists. The author vouches that the file holds what the screen showed.
    """

    source: str
    screen: str
    file: str
    sha256: str
    columns: tuple[str, ...]
    terms: str
    values: int
    empty: int
    hits: int
    found: dict[str, int]


class Awareness(msgspec.Struct, frozen=True):
    """When the organisation holds itself to have become aware, beside what else is known.

    Becoming aware is a reasonable degree of certainty that personal data were compromised
    (EDPB, guidelines 9/2022); somebody decides it, and these moments show how it was decided.
    """

    at: datetime
    zone: str
    author: str
    reason: str
    decided_at: datetime
    first_signal: datetime | None = None
    first_viewing: datetime | None = None
    processor_informed: datetime | None = None
    earlier: tuple[Decision, ...] = ()

    @property
    def backdated_by(self) -> timedelta:
        """By how long the moment precedes the time at which it was written down."""
        return max(self.decided_at - self.at, timedelta())

    @property
    def known(self) -> dict[str, datetime]:
        """What else is known of when somebody could have known, by its kind."""
        said = {
            "first_signal": self.first_signal,
            "first_viewing": self.first_viewing,
            "processor_informed": self.processor_informed,
        }
        return {kind: at for kind, at in said.items() if at}

    @property
    def after(self) -> dict[str, timedelta]:
        """By how long awareness is later than each of those moments, where it is later."""
        return {kind: self.at - at for kind, at in self.known.items() if at < self.at}


class Case(msgspec.Struct, frozen=True):
    """One case as it stands: the fold of `records`, in the order of their numbers.

    `written_in` is what its notices would be written in now (cases.writings); empty: not looked at.
    """

    id: str
    records: tuple[Record, ...]
    written_in: dict[str, str] = {}

    @property
    def opening(self) -> Opening:
        """The first record."""
        return self.of(Opening)[0]

    @property
    def title(self) -> str:
        """What the case is called."""
        return self.opening.title

    @property
    def role(self) -> str:
        """`controller`, `joint_controller` or `processor`."""
        return self.opening.role

    @property
    def zone(self) -> str:
        """The time zone of the organisation."""
        return self.opening.zone

    @property
    def alerts(self) -> list[Alerted]:
        """The alerts, each as it was when it last joined."""
        return list({joined.id: joined for joined in self.of(Alerted)}.values())

    @property
    def accounts(self) -> list[str]:
        """The accounts of the alerts, sorted."""
        return sorted({name for joined in self.alerts for name in joined.alert["accounts"]})

    @property
    def timeline(self) -> list[Event]:
        """The events in the order in which they happened."""
        return sorted(self.of(Event), key=lambda event: (event.at, event.number))

    @property
    def decisions(self) -> list[Decision]:
        """The decisions in the order in which they were taken."""
        return self.of(Decision)

    @property
    def facts(self) -> FactsVersion | None:
        """The facts in force, the last that were set."""
        versions = self.of(FactsVersion)
        return versions[-1] if versions else None

    def read_facts(self) -> Facts:
        """Return the facts in force, read; raises `UsageError` when there are none."""
        if self.facts is None:
            raise UsageError(
                N_("the case has no facts yet: nothing says which data of how many persons"),
                where=self.id,
                remedy=N_("compute them: vigie exposure --case {case}"),
                case=self.id,
            )
        return from_json(self.facts.content.encode(), self.id)

    def counted(self, name: str) -> datetime | None:
        """Return a moment of the facts in force (`first_access`, …), None where they say none."""
        text = self.read_facts().moments.get(name) if self.facts else None
        return datetime.fromisoformat(text) if text else None

    @property
    def status(self) -> Status:
        """Where the case stands: becoming aware establishes what was only suspected."""
        status = Status.SUSPECTED
        for decision in self.decisions:
            if decision.matter == Matter.STATE:
                status = Status(decision.value)
            elif decision.matter == Matter.AWARENESS and status in UNCERTAIN:
                status = Status.ESTABLISHED
        return status

    @property
    def awareness(self) -> Awareness | None:
        """The awareness in force, with what stands beside it and what was decided before."""
        decided = [d for d in self.decisions if d.matter == Matter.AWARENESS]
        if not decided:
            return None
        last = decided[-1]
        return Awareness(
            last.at, last.zone, last.author, last.reason, last.recorded_at,
            self.first(Kind.FIRST_SIGNAL), self.first(Kind.FIRST_VIEWING),
            self.first(Kind.PROCESSOR_INFORMED), tuple(decided[:-1]),
        )  # fmt: skip

    @property
    def moments(self) -> Moments:
        """What the clocks start from and stop at."""
        at = {kind.value: found for kind in Kind if (found := self.first(kind))}
        if self.awareness:
            at["awareness"] = self.awareness.at
        for matter, value in ((Matter.AUTHORITY, NOT_NOTIFIED), (Matter.PERSONS, NOT_INFORMED)):
            last = self.last(matter)
            if last and last.value == value:
                at[value] = last.at
        return Moments(self.role, at | {"opened": self.opening.recorded_at}, self.zone)

    def of(self, kind: type[R]) -> list[R]:
        """Return the records of one kind, by number."""
        return [record for record in self.records if isinstance(record, kind)]

    def first(self, kind: Kind) -> datetime | None:
        """Return when the first event of `kind` happened."""
        return min((event.at for event in self.of(Event) if event.kind == kind), default=None)

    def last(self, matter: Matter, value: str | None = None) -> Decision | None:
        """Return the last decision about `matter` (with that `value`, when one is given)."""
        found = [d for d in self.decisions if d.matter == matter and value in (None, d.value)]
        return found[-1] if found else None
