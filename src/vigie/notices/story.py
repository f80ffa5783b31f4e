"""What every notice of a case says of it, from its records and facts: the same in all of them."""

import re
from datetime import datetime
from pathlib import Path

import msgspec

from vigie.cases.model import Case, Event, Kind, Matter
from vigie.cases.organisation import Organisation, load_organisation
from vigie.clocks.dates import day_of, moment_of
from vigie.errors import RefusedError
from vigie.facts import Facts
from vigie.language import N_, _, current_language, plural
from vigie.language import number as written
from vigie.notices.naming import first_in_sentence, of


class Head(msgspec.Struct, frozen=True):
    """What every document of a case bears."""

    case: str
    language: str
    organisation: Organisation
    zone: str
    date: str

    def day(self, moment: datetime) -> str:
        """Write a day out, in the time zone of the organisation."""
        return day_of(moment, self.zone)

    def moment(self, moment: datetime) -> str:
        """Write a day and its time out."""
        return moment_of(moment, self.zone)


class Story(Head, frozen=True):
    """A case as notices tell it, in one language.

    `accounts` are those that were used, `cause` (one of the CNIL's) what somebody decided of it.
    In the voice of a controller whose data were breached with its `processor`, `organisation` is
    the controller and the processor is named here.
    """

    began: datetime
    ended: datetime
    aware: datetime
    measures: tuple[str, ...]
    facts: Facts
    told: dict[str, datetime]
    accounts: tuple[str, ...]
    cause: str = "unknown"
    processor: str = ""
    next_update: str = ""

    @property
    def sha256(self) -> str:
        """The hash of the facts."""
        return self.facts.sha256

    def require_persons(self) -> None:
        """Raise `RefusedError` when the facts count nobody: there is nothing to tell anyone of."""
        persons = self.facts.get("persons")
        if persons and persons.exact and not persons.numerator:
            raise RefusedError(
                N_("the facts count nobody: no notice can say that patients’ data were read"),
                where=self.case,
                remedy=N_("widen what is asked (vigie exposure --case), or close the case"),
            )

    def measures_without(self, *but: str) -> tuple[str, ...]:
        """Return the measures without the logins of others: a login names its holder."""
        others = [re.escape(name) for name in self.facts.accounts if name not in but]
        if not others:
            return self.measures
        named = re.compile(rf"(?<!\w)(?:{'|'.join(others)})(?!\w)", re.IGNORECASE)
        return tuple(named.sub("[…]", text) for text in self.measures)

    def period(self, began: datetime, ended: datetime) -> str:
        """Write out from which day to which, or on which day."""
        first, last = self.day(began), self.day(ended)
        if first == last:
            return _("on {day}").format(day=first)
        return _("from {began} to {ended}").format(began=first, ended=last)

    def what_happened(self) -> str:
        """Say in a few sentences who came in how, from when to when, and who was told."""
        accounts, owner = len(self.accounts), self.processor or self.organisation.name
        said = [self._who(accounts).format(
            count=written(accounts), of_organisation=of(owner),
            period=self.period(self.began, self.ended),
        )]  # fmt: skip
        when = self.moment(self.aware)
        if self.processor:
            text = _("{processor}, our processor, became aware of it on {when}.")
            name = first_in_sentence(self.processor)
            return " ".join([*said, text.format(processor=name, when=when)])
        said.append(_("We became aware of it on {when}.").format(when=when))
        for kind, phrase in (
            (Kind.CNIL_NOTIFIED, _("The CNIL was notified on {when}.")),
            (Kind.COMPLAINT_FILED, _("A complaint was filed on {when}.")),
        ):
            if kind in self.told:
                said.append(phrase.format(when=self.day(self.told[kind])))
        return " ".join(said)

    def _who(self, accounts: int) -> str:
        """Say who used the accounts, as far as somebody decided it."""
        if self.cause.startswith("external"):
            return plural(
                "An unauthorised person used one professional account {of_organisation} to "
                "read patients’ data, {period}.",
                "An unauthorised person used {count} professional accounts {of_organisation} to "
                "read patients’ data, {period}.",
                accounts,
            )
        if self.cause.startswith("internal"):
            return plural(
                "One professional account {of_organisation} was used by its own holder, who "
                "was not entitled to it, to read patients’ data, {period}.",
                "{count} professional accounts {of_organisation} were used by their own holders, "
                "who were not entitled to it, to read patients’ data, {period}.",
                accounts,
            )
        return plural(
            "One professional account {of_organisation} was used without authorisation to read "
            "patients’ data, {period}.",
            "{count} professional accounts {of_organisation} were used without authorisation to "
            "read patients’ data, {period}.",
            accounts,
        )

    def fields(self) -> dict[str, str]:
        """Return the fields that all texts may use."""
        return {
            "organisation": self.organisation.name,
            "of_organisation": of(self.organisation.name),
            "The_organisation": first_in_sentence(self.organisation.name),
            "contact": self.organisation.contact,
            "reference": self.case,
            "began": self.day(self.began),
            "ended": self.day(self.ended),
            "period": self.period(self.began, self.ended),
            "aware": self.moment(self.aware),
            "what_happened": self.what_happened(),
            "next_update": self.next_update or _("We shall write to you again if we learn more."),
        }


def head_of(case: Case, home: Path, date: datetime) -> Head:
    """Return what a sheet for an authority bears; `date` is that of the notices.

    Such a sheet waits for no facts: an incomplete notification in time is what article 33(4) asks.
    Raises `RefusedError` while nobody is aware, or without who files.
    """
    _aware(case)
    organisation = load_organisation(home)
    if not (organisation.name and organisation.contact):
        raise _lacking(
            case, N_("the organisation or its contact is not named"),
            N_("write name and contact into organisation.toml"),
        )  # fmt: skip
    return Head(case.id, current_language(), organisation, case.zone, date.date().isoformat())


def tell(case: Case, home: Path, date: datetime) -> Story:
    """Return the story of a case as it stands; `date` is that of the notices.

    Raises `RefusedError` naming the first thing that a notice cannot do without.
    """
    if case.facts is None:
        raise _lacking(
            case, N_("it has no facts"),
            N_("compute them: vigie exposure --case {case}, or set them: vigie case facts"),
        )  # fmt: skip
    head, facts = head_of(case, home, date), case.read_facts()
    measures = tuple(e.text for e in case.timeline if e.kind == Kind.MEASURE and e.text)
    if not measures:
        raise _lacking(
            case, N_("no measure is on its time line"),
            N_("note each that was taken: a letter names them"),
        )  # fmt: skip
    cause = case.last(Matter.CAUSE)
    return Story(
        **msgspec.structs.asdict(head),
        began=_moment(facts, "first_access", case, Kind.BREACH_BEGAN),
        ended=_moment(facts, "last_access", case, Kind.BREACH_ENDED),
        aware=_aware(case), measures=measures, facts=facts,
        told={event.kind: event.at for event in reversed(case.of(Event))},
        accounts=facts.accounts, cause=cause.value if cause else "unknown",
    )  # fmt: skip


def _aware(case: Case) -> datetime:
    if case.awareness is None:
        raise _lacking(
            case, N_("nobody decided when you became aware"), N_("vigie case decide … awareness")
        )
    return case.awareness.at


def _moment(facts: Facts, name: str, case: Case, kind: Kind) -> datetime:
    text = facts.moments.get(name)
    if text:
        return datetime.fromisoformat(text)
    found = case.first(kind)
    if found is None:
        raise _lacking(
            case, N_("its facts do not say when the accesses were"),
            N_("note when the breach began and ended"),
        )  # fmt: skip
    return found


def _lacking(case: Case, reason: str, remedy: str) -> RefusedError:
    return RefusedError(
        N_("no notice can be made of this case ({reason})"),
        where=case.id, remedy=remedy, reason=reason, case=case.id,
    )  # fmt: skip
