"""What differs between two versions of the facts of a case."""

import msgspec

from vigie.cases.model import FactsVersion, Kind
from vigie.cases.words import KINDS
from vigie.facts import Fact, Facts, from_json
from vigie.facts.words import name_of
from vigie.language import _, number


class Change(msgspec.Struct, frozen=True):
    """A fact, moment or gap that is no longer what it was; empty where there was or is none."""

    name: str
    before: str
    after: str

    @property
    def label(self) -> str:
        """What it is called in the current language."""
        return _(KINDS[Kind(self.name)]) if self.name in set(Kind) else name_of(self.name)


def differences(before: FactsVersion | None, after: FactsVersion | None) -> tuple[Change, ...]:
    """Return what differs, by name; None stands for no facts at all."""
    old, new = _said(before), _said(after)
    return tuple(
        Change(name, old.get(name, "–"), new.get(name, "–"))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _said(version: FactsVersion | None) -> dict[str, str]:
    facts = from_json(version.content.encode()) if version else Facts()
    said = {fact.name: _value(fact) for fact in facts.facts} | dict(facts.moments)
    for gap in facts.gaps:
        said[f"{gap.kind} {gap.source} {gap.name}".strip()] = str(gap.count)
    if facts.exposure_sha256:
        said["exposure"] = facts.exposure_sha256[:12]
    return said


def _value(fact: Fact) -> str:
    if fact.exact:
        return number(fact.numerator)
    return f"{number(fact.low or 0)}–{number(fact.high) if fact.high is not None else '?'}"
