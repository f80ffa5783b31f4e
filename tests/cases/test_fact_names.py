"""Facts, moments and gaps are called by words that people know, in both languages."""

import pytest
from tests.statements.facts import SETS

from vigie.cases.differences import Change
from vigie.cases.model import Kind
from vigie.facts import GAPS
from vigie.facts.words import name_of
from vigie.language import speaking

NAMES = sorted(
    {fact.name for facts in SETS.values() for fact in facts.facts}
    | {name for facts in SETS.values() for name in facts.moments}
    | set(Kind) | set(GAPS) | {"exposure", "awareness"}
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_change_is_shown_under_a_raw_name(name: str) -> None:
    told = {}
    for language in ("fr", "en"):
        with speaking(language):
            told[language] = Change(name, "1", "2").label
    assert not any(mark in said for said in told.values() for mark in ("_", "class:", "how:"))
    assert told["fr"] != name or name in ("exports", "note")


def test_a_gap_is_named_with_its_place() -> None:
    with speaking("en"):
        said = name_of("blind_period portal 2025")
    assert said.startswith("portal 2025: ")
    assert "blind_period" not in said


def test_the_name_of_a_controller_may_hold_a_dot() -> None:
    with speaking("en"):
        assert name_of("persons.controller:St. Anne.how") == "persons: St. Anne.how"
