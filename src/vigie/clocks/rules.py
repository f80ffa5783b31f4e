"""The duties as the legal data state them, each with its period of validity."""

from collections.abc import Iterable
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Final

import msgspec

from vigie import legal
from vigie.errors import SettingsError
from vigie.language import LANGUAGES, N_

FILE: Final = "clocks"
STATUSES: Final = ("in_force", "not_in_force", "repealed")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One duty as it stands from `valid_from` (included) until `valid_until` (excluded).

    `hours` or `months` from `start`, or neither: without delay. While `start` is not known, the
    clock is provisional, from the earliest of `earliest`. See `legal/clocks.toml` for the rest.
    """

    id: str
    duty: str
    roles: tuple[str, ...]
    article: str
    recipient: str
    status: str
    start: str
    done: str
    source: str
    mark: str
    name: dict[str, str]
    note: dict[str, str]
    earliest: tuple[str, ...] = ()
    waived_by: str = ""
    hours: int | None = None
    months: int | None = None
    weekend: bool = False
    valid_from: date | None = None
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether `day` is within its period of validity."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day < self.valid_until
        )


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clock: tuple[Rule, ...]


def load_rules(home: Path | None = None) -> tuple[Rule, ...]:
    """Return the rules of `home` where it has its own, else those that came with Vigie.

    Raises `SettingsError` when one is not whole, or two of a duty hold on the same day.
    """
    rules = legal.load(FILE, _File, home).clock
    for rule in rules:
        _check(rule)
    _check_overlaps(rules)
    return rules


def _check(rule: Rule) -> None:
    said = {*rule.name} == {*rule.note} == {*LANGUAGES}
    if rule.status not in STATUSES or not said or (rule.hours and rule.months):
        raise SettingsError(
            N_("the rule {rule} is not whole: its status, its languages or its term"),
            where=f"{FILE}.toml",
            remedy=N_("mend that item"),
            rule=rule.id,
        )


def _check_overlaps(rules: Iterable[Rule]) -> None:
    lawful = [rule for rule in rules if rule.status != "not_in_force"]
    for one, other in combinations(lawful, 2):
        if one.duty == other.duty and {*one.roles} & {*other.roles} and _meet(one, other):
            raise SettingsError(
                N_("the rules {one} and {other} hold on the same days"),
                where=f"{FILE}.toml",
                remedy=N_("give the older one a valid_until"),
                one=one.id,
                other=other.id,
            )


def _meet(one: Rule, other: Rule) -> bool:
    begins = max(one.valid_from or date.min, other.valid_from or date.min)
    return begins < min(one.valid_until or date.max, other.valid_until or date.max)
