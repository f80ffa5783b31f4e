"""What a notice was asked for on, and whether it would still say the same.

A notice tells facts and records of the time line: those of the moment at which somebody asked for
it are computed anew from the records of the case, which only grow, and held against those in force.
The texts and the dated law it is written in are files: the decision kept what they were.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from vigie.cases.differences import Change, compared, differences
from vigie.cases.figures import classes_of, possible_classes
from vigie.cases.model import Case, Decision, FactsVersion, Kind, Matter
from vigie.cases.words import VALUES
from vigie.cases.writings import words_of
from vigie.facts import Facts
from vigie.language import _

_TOLD: Final = (Kind.CNIL_NOTIFIED, Kind.COMPLAINT_FILED)
_SILENT: Final = ("advice",)
"""Notices that tell nothing of the time line."""


def changes(case: Case, decision: Decision) -> tuple[Change, ...]:
    """Return what the notice that `decision` is about says otherwise now than it did then."""
    then = Case(case.id, case.records[: decision.number])
    notice = decision.value
    told = () if notice in _SILENT else compared(_time_line(then), _time_line(case))
    return (*told, *differences(then.facts, case.facts, notice), *_rewritten(case, decision))


def _rewritten(case: Case, decision: Decision) -> tuple[Change, ...]:
    """Return what the notice is written in otherwise; nothing of decisions that did not keep it."""
    if not (decision.written_in and case.written_in):
        return ()
    before, now = (_words(case, decision.value, one.written_in) for one in (decision, case))
    return compared(before, now)


def _words(case: Case, notice: str, written_in: Mapping[str, str]) -> dict[str, str]:
    facts = case.read_facts() if case.facts else Facts()
    return words_of(notice, written_in, (*classes_of(facts), *possible_classes(facts)))


def is_stale(case: Case, decision: Decision) -> bool:
    """Whether what `decision` asked for or approved is no longer what the notice says."""
    return bool(changes(case, decision))


def same_grounds(case: Case, notice: str) -> list[str]:
    """Return the hashes of the facts on which the notice says what it says now, the first first.

    Who was written to on one of them was told what the others say.
    """
    versions = case.of(FactsVersion)
    same = [one.sha256 for one in versions if not differences(one, case.facts, notice)]
    return list(dict.fromkeys(same))


def told(case: Case, notice: str) -> str:
    """Return the hash of what a notice tells of the time line and in which words, in whatever
    language it is made."""
    said = _time_line(case) | _words(case, notice, case.written_in)
    if cause := case.last(Matter.CAUSE):
        said[Matter.CAUSE.value] = cause.value
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def _time_line(case: Case) -> dict[str, str]:
    """Return what notices tell of what happened and was decided."""
    said = {kind.value: at.isoformat() for kind in _TOLD if (at := case.first(kind))}
    if case.awareness:
        said[Matter.AWARENESS.value] = case.awareness.at.isoformat()
    if cause := case.last(Matter.CAUSE):
        said[Matter.CAUSE.value] = _(VALUES.get(cause.value, cause.value))
    measures = [e.text for e in case.timeline if e.kind == Kind.MEASURE and e.text]
    if measures:
        said[Kind.MEASURE.value] = "; ".join(measures)
    return said
