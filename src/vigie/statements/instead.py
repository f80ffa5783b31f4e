"""What may be written instead: a sentence made of the facts alone, in the draft's language."""

from typing import Final

from vigie.facts import Fact, Facts
from vigie.language import number, speaking
from vigie.records import DATA_CLASSES
from vigie.statements.negatives import missing
from vigie.statements.reading import Reading
from vigie.statements.rules import Rules
from vigie.statements.times import moments_of

_WAYS: Final = ("listed", "opened", "exported")


def suggest(said: Reading, facts: Facts) -> str:
    """Return a text that says what the facts carry about what the sentence speaks of."""
    forms = said.rules.instead
    with speaking(said.rules.language):
        parts = (
            [_filed(said, facts)] if said.filed else [_persons(forms, facts), _period(said, facts)]
        )
        parts += [_class(said.rules, facts, name) for name in said.classes]
        if said.way in _WAYS and not said.classes:
            parts.append(_way(forms, facts, said.way))
        if said.says("open_lists") or said.says("exclusive") or said.says("soft_labels"):
            parts.append(_whole_list(said.rules, facts))
        if "accounts" in said.units:
            parts.append(_accounts(forms, facts))
    return " ".join(part for part in parts if part)


def _filed(said: Reading, facts: Facts) -> str:
    known, day = moments_of(facts), said.rules.calendar.say
    return " ".join(
        said.rules.stated[name].format(day=day(known[name])) for name in sorted(said.filed)
    )


def _period(said: Reading, facts: Facts) -> str:
    known, day = moments_of(facts), said.rules.calendar.say
    if not {"first_access", "last_access"} <= set(known):
        return ""
    if not (said.moments or said.durations or said.says("at_once")):
        return ""
    start, end = day(known["first_access"]), day(known["last_access"])
    return said.rules.instead["period"].format(start=start, end=end)


def _persons(forms: dict[str, str], facts: Facts) -> str:
    fact = facts.get("persons")
    if fact is None:
        return ""
    text = forms["persons"].format(amount=_amount(forms, fact))
    return text[:1].upper() + text[1:]


def _class(known: Rules, facts: Facts, name: str) -> str:
    fact = facts.get(f"persons.class:{name}")
    shown, forms = known.shown[name], known.instead
    if fact is None:
        return ""
    if fact.numerator > 0:
        return forms["class"].format(shown=shown, amount=_amount(forms, fact))
    proved = fact.exact and not missing(facts)
    return forms["nobody" if proved else "open"].format(shown=shown)


def _way(forms: dict[str, str], facts: Facts, way: str) -> str:
    fact = facts.get(f"persons.how:{way}")
    if fact is None:
        return ""
    if fact.numerator > 0:
        return forms[way].format(amount=_amount(forms, fact))
    if way != "exported":
        return ""
    proved = fact.exact and not missing(facts, exports=True)
    return forms["no_export" if proved else "open_export"]


def _whole_list(known: Rules, facts: Facts) -> str:
    named = [
        known.shown[name]
        for name in DATA_CLASSES
        if (fact := facts.get(f"persons.class:{name}")) and fact.numerator > 0
    ]
    return known.instead["whole_list"].format(list=_joined(named, known)) if named else ""


def _accounts(forms: dict[str, str], facts: Facts) -> str:
    fact = facts.get("accounts")
    if fact is None:
        return ""
    if fact.numerator == 1:
        return forms["one_account"]
    return forms["accounts"].format(count=number(fact.numerator))


def _amount(forms: dict[str, str], fact: Fact) -> str:
    if fact.exact:
        return forms["exact"].format(count=number(fact.numerator))
    low = number(fact.low or 0)
    if fact.high is None:
        return forms["at_least"].format(low=low)
    return forms["between"].format(low=low, high=number(fact.high))


def _joined(words: list[str], known: Rules) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])}{known.instead['and']}{words[-1]}"
