"""What facts, data classes and ways of access are called in what a person reads."""

from collections.abc import Iterator
from typing import Final

from vigie.facts.model import GAPS
from vigie.language import N_, _, labelled

CLASS_NAMES: Final = {
    "identity": N_("identity"),
    "nir": N_("social-security number"),
    "contact": N_("contact details"),
    "coverage": N_("health cover"),
    "bank": N_("bank details"),
    "appointments": N_("appointments"),
    "medical": N_("medical data"),
    "prescription": N_("prescriptions"),
    "notes": N_("free-text notes"),
    "unknown": N_("data not determined"),
}
"""Each of `records.DATA_CLASSES`; the longer words of letters are dated data (legal/advice)."""
HOW_NAMES: Final = {
    "listed": N_("listed"),
    "opened": N_("opened"),
    "exported": N_("exported"),
    "reachable": N_("reachable"),
}
"""Each of `exposure.HOWS`."""
CERTAINTY_NAMES: Final = {
    "certain": N_("certain"),
    "probable": N_("probable"),
    "not_separable": N_("not separable from the owner's"),
    "possible": N_("possible"),
    "owner": N_("the owner's own"),
}
"""Each of `exposure.CERTAINTIES`."""
_WHOLE: Final = {
    "persons": N_("persons"),
    "accounts": N_("accounts"),
    "controllers": N_("controllers"),
    "accesses": N_("accesses"),
    "lines": N_("lines of the log"),
    "duplicates": N_("lines that name a person again"),
    "exports": N_("exports"),
    "exports.records": N_("records exported"),
    "records": N_("records"),
    "exposure": N_("table of the persons"),
    "first_access": N_("first access"),
    "last_access": N_("last access"),
    "period_from": N_("beginning of the period asked about"),
    "period_until": N_("end of the period asked about"),
    "awareness": N_("awareness"),
    "logins": N_("logins used"),
    "told_apart": N_("told apart from the owner’s"),
}
_PARTS: Final = {"class": CLASS_NAMES, "how": HOW_NAMES, "certainty": CERTAINTY_NAMES}


def name_of(fact: str) -> str:
    """Say what a fact counts, or a gap is about, in the current language; raw what has no words.

    >>> name_of("persons.class:nir.how:opened")
    'persons: social-security number, opened'
    """
    if fact in _WHOLE:
        return _(_WHOLE[fact])
    kind, _blank, rest = fact.partition(" ")
    if kind in GAPS:
        return labelled(rest, _(GAPS[kind])) if rest else _(GAPS[kind])
    whole, _dot, parts = fact.partition(".")
    if whole in _WHOLE and parts:
        return labelled(_(_WHOLE[whole]), ", ".join(_parts(parts)))
    return fact


def _parts(said: str) -> Iterator[str]:
    """Yield what a fact is narrowed to; names and logins may hold a dot."""
    kind, _colon, value = said.partition(":")
    if kind in ("controller", "account"):
        yield value
        return
    value, _dot, rest = value.partition(".")
    if kind == "told_apart":
        whose = _WHOLE[kind]
        yield _(CLASS_NAMES.get(value, value))
        yield _(whose)
        return
    yield _(_PARTS.get(kind, {}).get(value, value))
    if rest:
        yield from _parts(rest)
