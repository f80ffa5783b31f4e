"""What goes to each addressee, as structured data: the documents are rendered from it.

All filings of a case take their values from the same `figures`, so none contradicts another.
What is unknown is marked so; what an addressee requires and is unknown is listed as missing. A
complementary notification says field by field what changed since the last one that was filed,
which is computed anew from the records of the case at that time.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from vigie import journal, legal
from vigie.cases.figures import Material, figures, stamp
from vigie.cases.model import Case, Event, Kind
from vigie.cases.organisation import load_organisation
from vigie.cases.vocabulary import load_vocabulary
from vigie.cases.words import KINDS as EVENTS
from vigie.clocks.dates import moment_of
from vigie.clocks.rules import load_rules
from vigie.errors import UsageError
from vigie.facts.words import name_of
from vigie.language import N_, _, current_language

KINDS: Final = ("cnil", "cert_sante", "ars", "anssi", "complaint", "register")
_FILED: Final = (Kind.CNIL_NOTIFIED, Kind.CNIL_COMPLETED)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d")
"""A moment as `figures.stamp` writes it."""
_COUNTED: Final = ("first_access", "last_access")


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What an addressee asks for: the names of its fields in their order."""

    title: dict[str, str]
    recipient: str
    address: str
    source: str
    mark: str
    fields: tuple[str, ...]
    required: tuple[str, ...]


class _Offence(msgspec.Struct, frozen=True):
    text: dict[str, str]
    source: str
    mark: str


class Forms(msgspec.Struct, frozen=True):
    """The file `legal/filings.toml`."""

    unknown: dict[str, str]
    filing: dict[str, Form]
    label: dict[str, dict[str, str]]
    offence: tuple[_Offence, ...]


class Field(msgspec.Struct, frozen=True):
    """One field: `value` is None when it is not known for the moment, empty when there is none."""

    name: str
    label: str
    value: Any

    @property
    def known(self) -> bool:
        """Whether there is an answer; an empty text is one."""
        return self.value is not None


class Change(msgspec.Struct, frozen=True):
    """One field that a complementary notification changes."""

    name: str
    label: str
    before: Any
    after: Any


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """One filing of a case. `facts` is the hash of the facts behind it, `missing` what is required
    and unknown, `changes` the delta since what was filed last (complementary notifications)."""

    kind: str
    case: str
    title: str
    recipient: str
    address: str
    source: str
    mark: str
    unknown: str
    facts: str
    record: int
    fields: tuple[Field, ...]
    missing: tuple[str, ...]
    changes: tuple[Change, ...] = ()

    def __getitem__(self, name: str) -> Any:
        """Return the value of a field."""
        return next(field.value for field in self.fields if field.name == name)


def file(case: Case, kind: str, home: Path, now: datetime) -> Filing:
    """Return the filing of `kind` (of KINDS) as the case stands.

    Raises `UsageError` for another kind, `SettingsError` for spoilt legal data.
    """
    if kind not in KINDS:
        raise UsageError(
            N_("{value!r} is not one of: {allowed}"), value=kind, allowed=", ".join(KINDS)
        )
    filing = _fill(case, kind, home, now)
    filed = _last_filed(case) if kind == "cnil" else None
    if filed is None:
        return filing
    # The law of what was filed is that of today: only the case is taken back.
    before = _fill(Case(case.id, case.records[: filed.number - 1]), kind, home, filed.at)
    return msgspec.structs.replace(filing, changes=delta(_with_reasons(before, filed), filing))


def delta(before: Filing, after: Filing) -> tuple[Change, ...]:
    """Return the fields whose value differs, in the order of the form."""
    old = {field.name: field.value for field in before.fields}
    return tuple(
        Change(field.name, field.label, old.get(field.name), field.value)
        for field in after.fields
        if field.value != old.get(field.name)
    )


def written_out(value: Any, zone: str) -> Any:
    """Return a value with the moments in it written out, as a person reads them."""
    if isinstance(value, list):
        return [written_out(part, zone) for part in value]
    if isinstance(value, dict):
        return {name: written_out(part, zone) for name, part in value.items()}
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return moment_of(datetime.fromisoformat(value), zone)
    return value


def _last_filed(case: Case) -> Event | None:
    """Return the record of what the authority was last written, None if it never was."""
    filed = [event for event in case.of(Event) if event.kind in _FILED]
    return max(filed, key=lambda event: event.number, default=None)


def _with_reasons(before: Filing, filed: Event) -> Filing:
    """Return what was filed with the reasons for the delay that were written down with it."""
    if not filed.late_because:
        return before
    fields = (
        msgspec.structs.replace(f, value=filed.late_because) if f.name == "late_because" else f
        for f in before.fields
    )
    return msgspec.structs.replace(before, fields=tuple(fields))


def _fill(case: Case, kind: str, home: Path, now: datetime) -> Filing:
    forms = legal.load("filings", Forms, home)
    form, language, values = forms.filing[kind], current_language(), _values(case, home, now, forms)
    others = values["other_notifications"]
    values["other_notifications"] = [name for name in others if name != form.recipient]
    fields = tuple(Field(name, forms.label[name][language], values[name]) for name in form.fields)
    missing = [field.name for field in fields if field.name in form.required and not field.known]
    if values["late"] == _("yes") and "late_because" in form.fields and not values["late_because"]:
        missing.append("late_because")
    return Filing(
        kind=kind, case=case.id, title=form.title[language], recipient=form.recipient,
        address=form.address, source=form.source, mark=form.mark, unknown=forms.unknown[language],
        facts=case.facts.sha256 if case.facts else "", record=case.records[-1].number,
        fields=fields, missing=tuple(missing),
    )  # fmt: skip


def _values(case: Case, home: Path, now: datetime, forms: Forms) -> dict[str, Any]:
    material = Material(case, load_organisation(home), load_vocabulary(home), load_rules(home), now)
    return figures(material) | {
        "stage": _("complementary") if case.first(Kind.CNIL_NOTIFIED) else _("initial"),
        "offences": [offence.text[current_language()] for offence in forms.offence],
        "chronology": _chronology(case),
        "evidence": _evidence(case, home),
    }


def _chronology(case: Case) -> list[dict[str, Any]]:
    """Return what happened in its order: the accesses that count, the time line, awareness."""
    happened = [(at, name_of(name), "") for name in _COUNTED if (at := case.counted(name))]
    happened += [
        (e.at, _(EVENTS[e.kind]), " · ".join(filter(None, (e.text, e.reference))))
        for e in case.timeline
    ]
    if case.awareness:
        happened.append((case.awareness.at, name_of("awareness"), ""))
    return [
        {"at": stamp(at, case.zone), "event": event, "text": text}
        for at, event, text in sorted(happened, key=lambda one: one[0])
    ]


def _evidence(case: Case, home: Path) -> list[dict[str, str]] | None:
    """Return what proves the facts, each with its SHA-256; the journal vouches for the records."""
    found = [
        {"name": f"{_('alert')} {joined.id}", "sha256": joined.sha256} for joined in case.alerts
    ]
    if case.facts:
        found.append({"name": _("facts"), "sha256": case.facts.sha256})
    entries = {entry.number: entry.hash for entry in journal.entries(home)}
    last = case.records[-1].entry
    if found and last in entries:
        name = _("journal, entry {number}").format(number=last)
        found.append({"name": name, "sha256": entries[last]})
    return found or None
