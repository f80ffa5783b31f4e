"""What may be written instead: a sentence made of the facts alone, in the draft's language."""

from vigie.facts import Fact, Facts
from vigie.language import number, speaking
from vigie.records import DATA_CLASSES
from vigie.statements.dates import say_day
from vigie.statements.negatives import missing
from vigie.statements.reading import Reading
from vigie.statements.rules import rules
from vigie.statements.times import moments_of

_WAYS = {
    "listed": "apparues dans une liste", "opened": "ouvertes", "exported": "exportées",
}  # fmt: skip


def suggest(said: Reading, facts: Facts) -> str:
    """Return a French text that says what the facts carry about what the sentence speaks of."""
    with speaking("fr"):
        parts = [_filed(said, facts)] if said.filed else [_persons(facts), _period(said, facts)]
        parts += [_class(facts, name) for name in said.classes]
        if said.way in _WAYS and not said.classes:
            parts.append(_way(facts, said.way))
        if said.says("open_lists") or said.says("exclusive") or said.says("soft_labels"):
            parts.append(_whole_list(facts))
        if any(name == "accounts" for name in _units(said)):
            parts.append(_accounts(facts))
    return " ".join(part for part in parts if part)


def _filed(said: Reading, facts: Facts) -> str:
    known = moments_of(facts)
    return " ".join(
        said.rules.stated[name].format(day=say_day(known[name])) for name in sorted(said.filed)
    )


def _period(said: Reading, facts: Facts) -> str:
    known = moments_of(facts)
    ends = [say_day(known[name]) for name in ("first_access", "last_access") if name in known]
    asked = said.moments or said.durations or said.says("at_once")
    return f"Les accès ont eu lieu du {ends[0]} au {ends[1]}." if asked and len(ends) == 2 else ""


def _units(said: Reading) -> list[str]:
    return [name for name, pattern in said.rules.units.items() if pattern.search(said.text)]


def _persons(facts: Facts) -> str:
    fact = facts.get("persons")
    return f"{_amount(fact).capitalize()} sont concernées." if fact else ""


def _class(facts: Facts, name: str) -> str:
    fact = facts.get(f"persons.class:{name}")
    shown = rules().shown[name]
    if fact is None:
        return ""
    if fact.numerator == 0 and fact.exact and not missing(facts):
        return f"Pour {shown} : personne, d'après le journal complet."
    if fact.numerator == 0:
        return f"Le journal ne permet ni d'affirmer ni d'exclure que {shown} soient concernés."
    return f"Pour {shown} : {_amount(fact)}."


def _way(facts: Facts, way: str) -> str:
    fact = facts.get(f"persons.how:{way}")
    if fact is None:
        return ""
    if fact.numerator == 0:
        return (
            "Aucune donnée n'a été exportée."
            if fact.exact and way == "exported" and not missing(facts, exports=True)
            else "Le journal ne permet pas d'exclure un export." if way == "exported" else ""
        )  # fmt: skip
    return f"Les données de {_amount(fact)} ont été {_WAYS[way]}."


def _whole_list(facts: Facts) -> str:
    named = [
        rules().shown[name]
        for name in DATA_CLASSES
        if (fact := facts.get(f"persons.class:{name}")) and fact.numerator > 0
    ]
    return f"Les données concernées sont {_joined(named)}." if named else ""


def _accounts(facts: Facts) -> str:
    fact = facts.get("accounts")
    if fact is None:
        return ""
    return "Un seul compte a été utilisé." if fact.numerator == 1 else (
        f"{number(fact.numerator)} comptes ont été utilisés."
    )  # fmt: skip


def _amount(fact: Fact) -> str:
    if fact.exact:
        return f"{number(fact.numerator)} personnes"
    if fact.high is None:
        return f"au moins {number(fact.low or 0)} personnes"
    return f"entre {number(fact.low or 0)} et {number(fact.high)} personnes"


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} et {words[-1]}"
