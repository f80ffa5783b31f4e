"""What differs between two versions of the facts of a case, in all or as far as a notice tells it.

A notice depends on what it prints: facts that are asked for in another way, or hold what it does
not tell, leave it as it is.
"""

from typing import Final

import msgspec

from vigie.cases.model import FactsVersion, Kind, Matter
from vigie.cases.words import KINDS, MATTERS
from vigie.facts import Fact, Facts, from_json
from vigie.facts.words import name_of
from vigie.language import _, labelled, number, plural

_FEW: Final = 3
"""Changes that one sentence names."""
_EVERY: Final = (
    "persons", "persons.class:", "persons.certainty:", "first_access", "last_access", "logins",
)  # fmt: skip
_SHEET: Final = (
    *_EVERY, "lines", "unknown_screen", "unattested_screen", "unknown_export", "unscanned_text",
    "sensitive_text",
)  # fmt: skip
PRINTED: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("cnil", "cert_sante", "ars", "anssi", "complaint", "register"), _SHEET),
    "press": (*_EVERY, "persons.told_apart:", "accesses", "accounts", "controllers"),
    "advice": ("persons.class:",),
    "professionals": (
        "first_access", "last_access", "logins", "first_access.account:", "last_access.account:",
        "told_apart.account:",
    ),
    "letters": (*_EVERY, "exposure"),
    "controllers": (*_SHEET, "persons.how:", "persons.controller:", "exposure"),
}  # fmt: skip
"""What each notice tells of the facts: names, and beginnings of names where they end in a colon."""


class Change(msgspec.Struct, frozen=True):
    """A fact, moment or gap that is no longer what it was; empty where there was or is none."""

    name: str
    before: str
    after: str

    @property
    def label(self) -> str:
        """What it is called in the current language."""
        if self.name in set(Kind):
            return _(KINDS[Kind(self.name)])
        if self.name.partition(" ")[0].endswith((".toml", ".docx")):
            return self.name
        return _(MATTERS[Matter.CAUSE]) if self.name == Matter.CAUSE else name_of(self.name)


def differences(
    before: FactsVersion | None, after: FactsVersion | None, notice: str = ""
) -> tuple[Change, ...]:
    """Return what differs, by name; None stands for no facts at all.

    Of a `notice` only what it tells: see PRINTED.
    """
    return compared(_said(before, notice), _said(after, notice))


def compared(old: dict[str, str], new: dict[str, str]) -> tuple[Change, ...]:
    """Return what differs between two sets of what was said, by name."""
    return tuple(
        Change(name, old.get(name, "–"), new.get(name, "–"))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def in_short(found: tuple[Change, ...]) -> str:
    """Name the first changes in one line."""
    named = [f"{labelled(c.label, c.before)} → {c.after}" for c in found[:_FEW]]
    if len(found) > _FEW:
        text = plural("and {count} more", "and {count} more", len(found) - _FEW)
        named.append(text.format(count=number(len(found) - _FEW)))
    return ", ".join(named)


def _said(version: FactsVersion | None, notice: str = "") -> dict[str, str]:
    said = _whole(from_json(version.content.encode()) if version else Facts())
    told = PRINTED.get(notice)
    return said if told is None else {k: v for k, v in said.items() if _is_told(k, told)}


def _is_told(name: str, told: tuple[str, ...]) -> bool:
    """Whether a name is among those told; ways of access by class are printed nowhere."""
    head = name.partition(" ")[0]
    begins = any(name.startswith(one) for one in told if one.endswith(":"))
    return head in told or (begins and ".how:" not in name.removeprefix("persons"))


def _whole(facts: Facts) -> dict[str, str]:
    said = {fact.name: _value(fact) for fact in facts.facts} | dict(facts.moments)
    for gap in facts.gaps:
        said[f"{gap.kind} {gap.source} {gap.name}".strip()] = str(gap.count)
    for use in () if facts.uses is msgspec.UNSET else facts.uses:
        said[f"first_access.account:{use.account}"] = use.first_at
        said[f"last_access.account:{use.account}"] = use.last_at
        said[f"told_apart.account:{use.account}"] = _("yes") if use.told_apart else _("no")
    if facts.accounts:
        said["logins"] = ", ".join(facts.accounts)
    if facts.exposure_sha256:
        said["exposure"] = facts.exposure_sha256[:12]
    return said


def _value(fact: Fact) -> str:
    if fact.exact:
        return number(fact.numerator)
    return f"{number(fact.low or 0)}–{number(fact.high) if fact.high is not None else '?'}"
