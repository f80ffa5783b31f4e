"""Every value that a filing may hold, computed once per case: no two filings can differ.

A value that nobody knows yet is None, and is filed as unknown; it is never guessed. One that there
is not, such as the reason for a delay when there is none, is empty.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from vigie.cases.model import (
    NOT_INFORMED,
    NOT_NOTIFIED,
    Case,
    Decision,
    Event,
    Kind,
    Matter,
    Status,
)
from vigie.cases.organisation import Organisation
from vigie.cases.vocabulary import Vocabulary
from vigie.cases.words import EXEMPTIONS
from vigie.clocks.dates import moment_of
from vigie.clocks.engine import read_clocks
from vigie.clocks.model import ClockState
from vigie.clocks.rules import Rule
from vigie.facts import GAPS, Fact, Facts
from vigie.facts.words import CLASS_NAMES
from vigie.language import N_, _, current_language, labelled, number
from vigie.records import DATA_CLASSES

_CERTAINTY: Final = "persons.certainty:"
_INCOMPLETE: Final = (
    "unknown_screen", "unattested_screen", "unknown_export", "unscanned_text", "sensitive_text"
)  # fmt: skip
"""Gaps by which the list of classes may not be whole."""
_FEW: Final = 5
"""Files of log that are named one by one."""
REPORTS: Final = {
    Kind.CNIL_NOTIFIED: "CNIL",
    Kind.CERT_SANTE_REPORTED: "CERT Santé",
    Kind.ARS_REPORTED: "ARS",
    Kind.ANSSI_REPORTED: "ANSSI",
    Kind.COMPLAINT_FILED: N_("complaint"),
}


class Material(msgspec.Struct, frozen=True):
    """What the values are computed from."""

    case: Case
    organisation: Organisation
    vocabulary: Vocabulary
    rules: tuple[Rule, ...]
    now: datetime

    @property
    def facts(self) -> Facts | None:
        """The facts in force, when there are any."""
        return self.case.read_facts() if self.case.facts else None


def figures(material: Material) -> dict[str, Any]:
    """Return every value by the name of its field; see `legal/filings.toml` for the fields."""
    return {
        **_organisation(material.organisation),
        **_times(material),
        **_breach(material),
        **_persons(material),
        **_consequences(material),
        **_communication(material),
        **_keeping(material),
        **dict.fromkeys(_NEVER_KNOWN),
    }


_NEVER_KNOWN: Final = (
    "cross_border", "handling", "patients_endangered", "degraded_operation", "spread", "help_wanted"
)  # fmt: skip
"""What only a person on the spot can say; the form asks, and we say that we do not know."""


_OVER: Final = (Status.CONTAINED, Status.CLOSED)


def _organisation(said: Organisation) -> dict[str, Any]:
    return {
        "organisation_name": said.name or None,
        "organisation_siren": said.siren or None,
        "organisation_finess": said.finess or None,
        "organisation_sector": said.sector or None,
        "organisation_region": said.region or None,
        "contact": said.contact or None,
        "representative": said.representative or None,
        "processor": said.processor,
        "processing": said.processing or None,
        "security_before": said.security or None,
        "anssi_regime": said.anssi_regime or None,
    }


def _times(material: Material) -> dict[str, Any]:
    case, facts = material.case, material.facts
    aware = case.awareness.at if case.awareness else None
    moments = facts.moments if facts else {}
    began = case.first(Kind.BREACH_BEGAN) or _moment(moments.get("first_access"))
    over = case.status in _OVER
    ended = case.first(Kind.BREACH_ENDED) or (_moment(moments.get("last_access")) if over else None)
    # Article 33(1) is no processor's: it has no term, and no delay to explain.
    late = "" if case.role == "processor" else _late(_term(material), material.now)
    return {
        "aware_at": stamp(aware, case.zone),
        "first_signal_at": stamp(case.first(Kind.FIRST_SIGNAL), case.zone),
        "first_viewing_at": stamp(case.first(Kind.FIRST_VIEWING), case.zone),
        "processor_informed_at": stamp(case.first(Kind.PROCESSOR_INFORMED), case.zone),
        "attack_known_at": stamp(case.first(Kind.ATTACK_KNOWN), case.zone),
        "began_at": stamp(began, case.zone),
        "ended_at": stamp(ended, case.zone),
        "ongoing": _("no") if ended or over else None,
        "late": late,
        "late_because": reason_for_delay(case) or ("" if late in ("", _("no")) else None),
    }


def stamp(moment: datetime | None, zone: str) -> str | None:
    """Return a moment as a filing says it, to the minute and with its offset."""
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _term(material: Material) -> ClockState | None:
    states = read_clocks(material.case.moments, material.rules, material.now)
    return next((s for s in states if s.binding and s.done == Kind.CNIL_NOTIFIED), None)


def _late(term: ClockState | None, now: datetime) -> str | None:
    if term is None or term.due is None or term.provisional:
        return None
    return _("yes") if (term.done_at or now) > term.due else _("no")


def reason_for_delay(case: Case) -> str:
    """Return the reasons for the delay (art. 33(1)) that were given last."""
    said = [event.late_because for event in case.of(Event) if event.late_because]
    return said[-1] if said else ""


def _breach(material: Material) -> dict[str, Any]:
    case, words, facts = material.case, material.vocabulary, material.facts
    cause = case.last(Matter.CAUSE)
    stolen = cause is not None and cause.value == "external_malicious"
    accounts = facts.accounts if facts else case.accounts
    return {
        "certainty": _("an established breach") if case.awareness else _("a supposed breach"),
        "natures": [words.natures["confidentiality"]],
        "causes": [words.causes[cause.value if cause else "unknown"]],
        "origins": [words.origins["hack"]] if stolen else None,
        "description": _description(case),
        "systems": _systems(case, material.organisation.processing) or None,
        "accounts_number": len(accounts) or None,
        "accounts": list(accounts) or None,
        "measures": _told(case, Kind.MEASURE) or None,
    }


def _description(case: Case) -> str | None:
    """Return why the alerts were raised, each with its moment, and what people noted.

    The moment says whose figures these are: an alert counts what it cites, the facts what was
    exposed.
    """
    alert = _("Alert of {when}: {why}")
    why = [
        alert.format(
            when=moment_of(datetime.fromisoformat(joined.alert["opened_at"]), case.zone),
            why=joined.alert["why"][current_language()],
        )
        for joined in sorted(case.alerts, key=lambda one: str(one.alert["opened_at"]))
    ]
    said = [*why, *_told(case, Kind.ATTACK_KNOWN)]
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in said) or None


def _systems(case: Case, processing: str) -> list[str]:
    """Return what was breached, as the organisation calls it, and the logs that the alerts cite."""
    cited = (line.rpartition(":")[0] for joined in case.alerts for line in joined.alert["lines"])
    files = sorted(set(filter(None, cited)))
    named = [_("log {file}").format(file=name) for name in files]
    if len(files) > _FEW:
        text = _("{count} log files, from {first} to {last}")
        named = [text.format(count=number(len(files)), first=files[0], last=files[-1])]
    return [*filter(None, [processing]), *named]


def _told(case: Case, kind: Kind) -> list[str]:
    return [event.text for event in case.timeline if event.kind == kind and event.text]


def _persons(material: Material) -> dict[str, Any]:
    words, facts = material.vocabulary, material.facts
    persons = facts.get("persons") if facts else None
    if facts is None or persons is None:
        return dict.fromkeys((
            "persons_band", "persons_number", "persons_at_least", "persons_at_most",
            "records_number", "sensitive", "data_note",
        )) | {
            "people": [words.people["undetermined"]],
            "data": [words.data["unknown"]],
        }  # fmt: skip
    classes, possible = classes_of(facts), possible_classes(facts)
    lines = facts.get("lines")
    return {
        "people": [words.people["patient"]],
        "persons_band": words.band_of_fact(persons),
        "persons_number": persons.numerator if persons.exact else None,
        "persons_at_least": persons.numerator if persons.low is None else persons.low,
        "persons_at_most": persons.numerator if persons.low is None else persons.high,
        "records_number": lines.numerator if lines and lines.exact and persons.exact else None,
        "data": words.data_of(classes or ["unknown"]),
        "data_note": missing_of(facts, possible),
        "sensitive": sensitive_of(words, classes, possible),
    }


def classes_of(facts: Facts) -> list[str]:
    """Return the classes of data that persons are known to be exposed with.

    What nobody declared, or vouches for, is one of them only where there is no other: it may be of
    the same kinds.
    """
    found = [name for name in DATA_CLASSES if (fact := _about(facts, name)) and fact.numerator]
    return [name for name in found if name != "unknown"] or found


def _any(facts: Facts) -> bool:
    """Return whether any access that counts is surely another person's than the owner's."""
    parts = {fact.name: fact.numerator for fact in facts.facts if fact.name.startswith(_CERTAINTY)}
    return not parts or any(parts.get(f"{_CERTAINTY}{name}") for name in ("certain", "probable"))


def surely_seen(facts: Facts) -> list[str]:
    """Return the classes that somebody who is surely not the owner was shown of some person.

    Facts of before this was counted by class tell it of all alike.
    """
    return [
        name
        for name in classes_of(facts)
        if (apart.numerator if (apart := facts.get(f"persons.told_apart:{name}")) else _any(facts))
    ]


def possible_classes(facts: Facts) -> list[str]:
    """Return the classes beyond those that the log does not rule out."""
    known = classes_of(facts)
    return [
        name
        for name in DATA_CLASSES
        if name not in known
        and (fact := _about(facts, name))
        and (fact.numerator or (not fact.exact and fact.high != 0))
    ]


def missing_of(facts: Facts, possible: Iterable[str]) -> list[str]:
    """Say what keeps the list of classes from being known to be whole; one line if nothing does.

    `possible` are the classes beyond those listed.
    """
    names: dict[str, list[str]] = {}
    for gap in facts.gaps:
        if gap.kind in _INCOMPLETE:
            names.setdefault(gap.kind, []).append(gap.name)
    said = [
        labelled(_(GAPS[kind]), ", ".join(dict.fromkeys(filter(None, names[kind]))))
        for kind in _INCOMPLETE
        if kind in names
    ]
    if may := [_(CLASS_NAMES[name]) for name in possible if name != "unknown"]:
        said.append(labelled(_("neither proved nor ruled out by the log"), ", ".join(may)))
    return said or [_("nothing is known to be missing")]


def _about(facts: Facts, data_class: str) -> Fact | None:
    return facts.get(f"persons.class:{data_class}")


def sensitive_of(words: Vocabulary, classes: list[str], possible: list[str]) -> str | None:
    """Return the form's "Oui" or empty answer, or None while it may still be either."""
    if words.is_sensitive(classes):
        return "Oui"
    return None if "unknown" in (*classes, *possible) or words.is_sensitive(possible) else ""


def _consequences(material: Material) -> dict[str, Any]:
    words, facts = material.vocabulary, material.facts
    level = material.case.last(Matter.SEVERITY)
    exposed = [*classes_of(facts), *possible_classes(facts)] if facts else []
    return {
        "harms": words.harms_of(exposed) or None,
        "severity": words.levels[level.value] if level else None,
    }


def _communication(material: Material) -> dict[str, Any]:
    case, words = material.case, material.vocabulary.information
    decided, informed = case.last(Matter.PERSONS), case.first(Kind.PERSONS_INFORMED)
    said = "undetermined"
    if informed:
        said = "informed"
    elif decided:
        said = {"inform": "to_be_informed", NOT_INFORMED: "not_informed"}.get(decided.value, said)
    refused = decided if decided and decided.value == NOT_INFORMED and not informed else None
    return {
        "information": words[said],
        "informed_at": stamp(informed, case.zone) or _informed_when(decided),
        "information_because": _exemption(refused),
        "other_notifications": [_(name) for kind, name in REPORTS.items() if case.first(kind)],
    }


def _informed_when(decided: Decision | None) -> str | None:
    """Say when persons who are not informed yet will be: not at all where that was decided."""
    if decided is None:
        return None
    return _("not yet") if decided.value == "inform" else ""


def _exemption(decision: Decision | None) -> str:
    if decision is None:
        return ""
    exemption = decision.details["exemption"]
    return f"{_(EXEMPTIONS[exemption])}: {decision.reason}"


def _keeping(material: Material) -> dict[str, Any]:
    case, words = material.case, material.vocabulary.notification
    last, notified = case.records[-1], case.first(Kind.CNIL_NOTIFIED)
    refused = case.last(Matter.AUTHORITY, NOT_NOTIFIED)
    aside = refused if refused and not notified else None
    references = [e.reference for e in case.timeline if e.kind == Kind.CNIL_NOTIFIED]
    return {
        "case": case.id,
        "initial_reference": " ".join(filter(None, references)) or (None if notified else ""),
        "notification": words["none" if aside else "cnil"] if aside or notified else None,
        "notification_because": aside.reason if aside else " ".join(filter(None, references)),
        "created_at": stamp(case.opening.recorded_at, case.zone),
        "updated_at": stamp(last.recorded_at, case.zone),
        "updated_by": last.author,
    }
