"""What changed between two versions of the facts: why an approval no longer holds."""

from collections.abc import Iterator
from typing import Any

import msgspec

from vigie.cases.model import Case, Decision, FactsVersion
from vigie.facts import Fact, Facts, from_json


class FactChange(msgspec.Struct, frozen=True):
    """One fact, moment or gap that is not what it was; None where it was not, or is no more."""

    name: str
    before: str | None
    after: str | None


def since_decision(case: Case, decision: Decision) -> list[FactChange]:
    """Return what changed in the facts since `decision`, nothing when it still holds."""
    before = next((v for v in case.of(FactsVersion) if v.sha256 == decision.facts), None)
    return compare(_read(before), _read(case.facts))


def compare(before: Facts, after: Facts) -> list[FactChange]:
    """Return every difference between two sets of facts, by name.

    >>> old, new = (
    ...     Facts(facts=(Fact(name="persons", numerator=n, unit="persons", query="q", sha256="h"),))
    ...     for n in (400, 412)
    ... )
    >>> compare(old, new)
    [FactChange(name='persons', before='400 persons', after='412 persons')]
    """
    old, new = dict(_said(before)), dict(_said(after))
    return [
        FactChange(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _read(version: FactsVersion | None) -> Facts:
    return from_json(version.content.encode()) if version else Facts()


def _said(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield everything that a document may say of the facts, each as one text."""
    for fact in facts.facts:
        yield fact.name, _number(fact)
    yield from facts.moments.items()
    for gap in facts.gaps:
        name = " ".join(filter(None, ("gap", gap.kind, gap.source, gap.name, gap.since)))
        yield name, _plain(gap)
    yield "accounts", ", ".join(facts.accounts)
    yield "controllers", ", ".join(facts.controllers)


def _number(fact: Fact) -> str:
    if fact.exact:
        return f"{fact.numerator} {fact.unit}"
    return f"{fact.low}–{'∞' if fact.high is None else fact.high} {fact.unit}"


def _plain(value: Any) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
