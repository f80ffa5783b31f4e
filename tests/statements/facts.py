"""Three sets of facts that the sentences speak of: all known, a blind log, bounds."""

from vigie.facts import Attestation, Fact, Facts, Gap
from vigie.records import DATA_CLASSES


def fact(name: str, value: int, unit: str = "persons", **more: int | None) -> Fact:
    return Fact(
        name=name, numerator=value, unit=unit, query=f"SELECT … {name}", sha256="0" * 64, **more
    )


def _classes(
    shown: dict[str, int], whole: int | None, low: bool, high: int | None = None
) -> list[Fact]:
    return [
        fact(
            f"persons.class:{name}", shown.get(name, 0), denominator=whole,
            low=shown.get(name, 0) if low else None, high=high if low else None,
        )
        for name in DATA_CLASSES
    ]  # fmt: skip


def _sorted(facts: list[Fact]) -> tuple[Fact, ...]:
    return tuple(sorted(facts, key=lambda one: one.name))


KNOWN = Facts(
    case="2025-1",
    facts=_sorted([
        fact("persons", 1198),
        *_classes({"identity": 1198, "contact": 1034, "nir": 412, "medical": 37}, 1198, False),
        fact("persons.how:listed", 1198, denominator=1198),
        fact("persons.how:opened", 326, denominator=1198),
        fact("persons.how:exported", 0, denominator=1198),
        fact("persons.how:reachable", 0, denominator=1198),
        fact("persons.class:medical.how:opened", 37, denominator=1198),
        fact("persons.class:nir.how:opened", 300, denominator=1198),
        fact("persons.class:nir.how:listed", 412, denominator=1198),
        fact("persons.class:identity.how:listed", 1198, denominator=1198),
        fact("persons.class:contact.how:listed", 1034, denominator=1198),
        fact("persons.certainty:certain", 1198, denominator=1198),
        fact("accounts", 1, "accounts"), fact("controllers", 3, "controllers"),
        fact("accesses", 1524, "accesses"), fact("lines", 2310, "lines"),
        fact("duplicates", 786, "lines", denominator=2310), fact("exports", 0, "exports"),
        fact("exports.records", 0, "records"),
    ]),
    moments={
        "first_access": "2025-09-04T05:12:00Z", "last_access": "2025-09-07T20:48:00Z",
        "period_from": "2025-09-04T00:00:00Z", "period_until": "2025-09-08T00:00:00Z",
        "awareness": "2025-09-08T07:30:00Z",
    },
    attested=tuple(
        Attestation(
            source="his", screen=screen, classes=classes, attested_by="DSI",
            attested_on="2025-01-02",
        )
        for screen, classes in (
            ("patient_search", ("contact", "identity")),
            ("dossier", ("identity", "medical", "nir")),
        )
    ),
    accounts=("jdupont",), controllers=("A", "B", "C"),
)  # fmt: skip

BLIND = Facts(
    case="2025-2",
    facts=_sorted([
        fact("persons", 15240, low=15240),
        *_classes({"identity": 15240}, None, True),
        fact("persons.how:listed", 15240, low=15240), fact("persons.how:opened", 2117, low=2117),
        fact("persons.how:exported", 0, low=0), fact("persons.how:reachable", 3000, low=3000),
        fact("persons.class:identity.how:listed", 15240, low=15240),
        fact("persons.certainty:not_separable", 15240, low=15240),
        fact("accounts", 10, "accounts"), fact("controllers", 4, "controllers"),
        fact("accesses", 20111, "accesses"), fact("lines", 24000, "lines"),
        fact("exports", 2, "exports"), fact("exports.records", 0, "records", low=0),
    ]),
    moments={"first_access": "2025-09-04T05:12:00Z", "last_access": "2025-10-16T20:48:00Z"},
    gaps=(
        Gap(
            kind="blind_period", source="portal", since="2025-09-10T00:00:00Z",
            until="2025-09-12T00:00:00Z",
        ),
        Gap(kind="unknown_export", source="portal", name="Bundle", since="2025-09-14T10:00:00Z"),
        Gap(kind="unattested_screen", source="portal", name="Patient", count=20000),
    ),
    accounts=tuple(f"compte{n}" for n in range(10)),
)  # fmt: skip

BOUNDED = Facts(
    case="2025-3",
    facts=_sorted([
        fact("persons", 480, low=480, high=560),
        *_classes({"identity": 480}, None, True, 560),
        fact("persons.how:listed", 480, low=480, high=560),
        fact("persons.how:opened", 0, low=0, high=80),
        fact("persons.how:exported", 0, low=0, high=80),
        fact("persons.certainty:certain", 480, low=480, high=560),
        fact("accounts", 2, "accounts"),
    ]),
    moments={"first_access": "2025-09-04T05:12:00Z", "last_access": "2025-09-05T20:48:00Z"},
    gaps=(Gap(kind="unlogged_results", source="portal", name="Patient", count=80),),
    accounts=("a", "b"),
)  # fmt: skip

SETS = {"known": KNOWN, "blind": BLIND, "bounded": BOUNDED}
