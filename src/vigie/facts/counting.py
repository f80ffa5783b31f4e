"""The facts of an exposure, each with its query over the table that `vigie exposure` writes.

Names: `persons`, `persons.how:HOW`, `persons.class:CLASS` (of every class, zero included),
`persons.class:CLASS.how:HOW`, `persons.certainty:CERTAINTY`, `persons.told_apart:CLASS` (by an
access that is surely not the owner's), `persons.controller:NAME`, `accesses`,
`accounts`, `controllers`, `lines`, `duplicates`, `refused`, `exports`, `exports.records`,
`identifiers.test`. A number of persons has the bounds of the whole set: whoever is hidden may be in
any part of it. Who is only `reachable` counts under that name alone: nobody knows whether he was
shown.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from vigie.exposure import CERTAINTIES, HOWS, SURE, Exposure
from vigie.exposure.output import hash_rows
from vigie.facts.model import Attestation, Fact, Facts, Gap, Use, stamp
from vigie.records import DATA_CLASSES
from vigie.stores.quoting import quoted

_PERSONS: Final = "SELECT count(DISTINCT patient) FROM exposure"
_TEXT_CLASSES: Final = ("notes",)
_UTC: Final = "+00:00"


def _place(column: str, words: Sequence[str]) -> str:
    """Return SQL for the place of a word in a list, from 0."""
    cases = " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(words))
    return f"CASE {column} {cases} END"


def facts_of(found: Exposure, case: str = "", exposure_sha256: str = "") -> Facts:
    """Return the facts of an exposure; `exposure_sha256` is that of the file written, if any."""
    facts = [*_persons(found), *_others(found)]
    return Facts(
        case=case,
        exposure_sha256=exposure_sha256,
        facts=tuple(sorted(facts, key=lambda fact: fact.name)),
        moments=_moments(found),
        gaps=tuple(_gaps(found)),
        attested=tuple(_attested(found)),
        accounts=found.scope.accounts,
        controllers=tuple(_names(found, "controller")),
        uses=tuple(_uses(found)),
    )


def _persons(found: Exposure) -> Iterator[Fact]:
    """Count persons, whole and by part; a part is as exact as what is hidden lets it be."""
    low, high = found.bounds
    open_classes = found.hidden_classes
    for name, where, value in _parts(found):
        about = name.partition("class:")[2].partition(".")[0]
        exact = low == high or (bool(about) and about not in open_classes)
        most = None if high is None else value + high - low
        yield Fact(
            name=name, numerator=value, unit="persons", query=f"{_PERSONS} WHERE {where}",
            sha256=hash_rows([(value,)]),
            denominator=low if low == high and name != "persons" else None,
            low=None if exact else value, high=None if exact else most,
        )  # fmt: skip


_CELLS: Final = f"""
SELECT cells, certainties, sure, count(*) FROM (
    SELECT bit_or(1::BIGINT << {_place("data_class", DATA_CLASSES)} * {len(HOWS)}
            + {_place("how", HOWS)}) AS cells,
        bit_or(1 << {_place("certainty", CERTAINTIES)}) FILTER (how <> 'reachable') AS certainties,
        bit_or(1 << {_place("data_class", DATA_CLASSES)})
            FILTER (how <> 'reachable' AND certainty IN {SURE}) AS sure
    FROM exposure GROUP BY patient::UUID
) GROUP BY ALL
"""
"""How many persons were shown the same: one reading of the set gives the number of every part."""
_BY_CONTROLLER: Final = """
SELECT controller, count(DISTINCT patient::UUID) FROM exposure
WHERE controller IS NOT NULL AND how <> 'reachable' GROUP BY controller ORDER BY controller
"""


def _parts(found: Exposure) -> Iterator[tuple[str, str, int]]:
    """Yield each part by name, how it is asked for, and how many persons are in it."""
    cells = found.groups(_CELLS)
    everything = _bits(DATA_CLASSES, HOWS[:-1])
    shown = "how <> 'reachable'"

    def count(mask: int) -> int:
        return sum(persons for held, *_others, persons in cells if held & mask)

    yield "persons", shown, count(everything)
    for how in HOWS:
        yield f"persons.how:{how}", f"how = '{how}'", count(_bits(DATA_CLASSES, [how]))
    for name in DATA_CLASSES:
        where = f"data_class = '{name}'"
        yield f"persons.class:{name}", f"{where} AND {shown}", count(_bits([name], HOWS[:-1]))
        for how in HOWS:
            if persons := count(_bits([name], [how])):
                yield f"persons.class:{name}.how:{how}", f"{where} AND how = '{how}'", persons
    for name in _names(found, "certainty"):
        bit = 1 << CERTAINTIES.index(name)
        persons = sum(persons for _held, said, _sure, persons in cells if (said or 0) & bit)
        yield f"persons.certainty:{name}", f"certainty = '{name}' AND {shown}", persons
    for place, name in enumerate(DATA_CLASSES):
        if count(_bits([name], HOWS[:-1])):
            where = f"data_class = '{name}' AND {shown} AND certainty IN {SURE}"
            persons = sum(persons for *_held, sure, persons in cells if (sure or 0) & 1 << place)
            yield f"persons.told_apart:{name}", where, persons
    by_controller = dict(found.groups(_BY_CONTROLLER))
    for name in _names(found, "controller"):
        where = f"controller = {quoted(name)} AND {shown}"
        yield f"persons.controller:{name}", where, by_controller.get(name, 0)


def _bits(classes: Iterable[str], hows: Iterable[str]) -> int:
    """Return the bits of some kinds of data shown in some ways, as _CELLS sets them."""
    places = [(DATA_CLASSES.index(name), HOWS.index(how)) for name in classes for how in hows]
    return sum(1 << place * len(HOWS) + way for place, way in places)


def _names(found: Exposure, column: str) -> list[str]:
    query = f"SELECT DISTINCT {column} FROM exposure WHERE {column} IS NOT NULL ORDER BY 1"
    return [row[0] for row in found.groups(query)]


def _others(found: Exposure) -> Iterator[Fact]:
    for name in ("account", "controller"):
        count = found.count(f"SELECT count(DISTINCT {name}) FROM exposure")
        yield Fact(name=f"{name}s", numerator=count.value, unit=f"{name}s", query=count.query,
                   sha256=count.sha256)  # fmt: skip
    totals = found.totals
    units = {"lines": "lines", "duplicates": "lines", "accesses": "accesses",
             "refused": "accesses"}  # fmt: skip
    scope = found.scope
    query = f"log rows of {', '.join(scope.accounts)} from {scope.since} to {scope.until}"
    query += f", {scope.boundary}"
    for name, unit in units.items():
        whole = totals["lines"] if name == "duplicates" else None
        yield _total(name, totals[name], unit, f"{query}: {name}", whole)
    yield _total("identifiers.test", totals["tests"], "persons", f"{query}: identifiers of test")
    hidden = found.hidden.accesses.to_pylist()
    exports = [row for row in hidden if row["action"] in ("export", "print")]
    records = sum(row["counted"] or 0 for row in exports)
    unsaid = any(row["counted"] is None for row in exports)
    yield _total(
        "exports", len(exports), "exports", f"{query}: exports whose persons are not named"
    )
    yield Fact(
        name="exports.records", numerator=records, unit="records",
        query=f"{query}: records that these exports counted", sha256=hash_rows([(records,)]),
        low=records if unsaid else None,
    )  # fmt: skip


def _total(name: str, value: int, unit: str, query: str, whole: int | None = None) -> Fact:
    return Fact(name=name, numerator=value, unit=unit, query=query, sha256=hash_rows([(value,)]),
                denominator=whole)  # fmt: skip


def _moments(found: Exposure) -> dict[str, str]:
    first, last = found.groups("SELECT min(first_at), max(last_at) FROM exposure")[0]
    moments = {"period_from": stamp(found.scope.since), "period_until": stamp(found.scope.until)}
    if first is not None:
        moments |= {"first_access": _utc(first), "last_access": _utc(last)}
    return moments


def _uses(found: Exposure) -> Iterator[Use]:
    rows = found.groups(
        "SELECT account, min(first_at), max(last_at) FROM exposure GROUP BY ALL ORDER BY account"
    )
    for account, first, last in rows:
        apart = found.separation.ways.get(account, "none") not in ("none", "part")
        yield Use(account=account, first_at=_utc(first), last_at=_utc(last), told_apart=apart)


def _utc(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat().removesuffix(_UTC) + "Z"


def _gaps(found: Exposure) -> Iterator[Gap]:
    for reason in found.blind.reasons:
        yield Gap(
            kind=reason.kind, source=reason.source, name=reason.name, since=_utc(reason.since),
            until=_utc(reason.until), count=reason.count,
        )  # fmt: skip
    for row in found.hidden.accesses.to_pylist():
        export = row["action"] in ("export", "print")
        if not export and row["candidates"] is not None and row["candidates"] == row["counted"]:
            continue
        yield Gap(
            kind="unknown_export" if export else "unlogged_results", source=row["source"],
            name=row["object"] or "", since=_utc(row["at"]), count=row["counted"] or 0,
        )  # fmt: skip
    for source, screen, kind, rows in found.groups(_SCREENS_USED):
        if kind != "attested":
            yield Gap(kind=kind, source=source, name=screen or "", count=rows)
        if kind != "unknown_screen" and _shows_text(found, source, screen):
            yield Gap(kind="unscanned_text", source=source, name=screen or "", count=rows)
    unowned = found.count(_UNOWNED).value
    if unowned:
        yield Gap(kind="no_controller", count=unowned)
    if found.shared.numbers:
        yield Gap(kind="shared_number", count=found.shared.numbers)


_UNOWNED: Final = f"{_PERSONS} WHERE controller IS NULL AND how <> 'reachable'"
"""Who was only reachable is not known to be concerned: nobody waits for a controller to tell."""
_SCREENS_USED: Final = """
SELECT s.source, s.object, CASE WHEN count(c.object) = 0 THEN 'unknown_screen'
    WHEN bool_or(c.data_class = 'unknown') THEN 'unattested_screen' ELSE 'attested' END AS kind,
    count(DISTINCT s.event_id::UUID) AS rows
FROM looked s LEFT JOIN class_of c ON s.source = c.source AND s.object = c.object
  AND epoch_us(s."at") >= c.since AND epoch_us(s."at") < c.until
WHERE NOT s.failed AND NOT s.test AND s.action <> 'login'
GROUP BY ALL ORDER BY ALL
"""


def _shows_text(found: Exposure, source: str, screen: str) -> bool:
    rows = found.connection.execute(
        "SELECT 1 FROM class_of WHERE source = ? AND object = ? AND data_class = ? LIMIT 1",
        [source, screen, _TEXT_CLASSES[0]],
    ).fetchall()
    return bool(rows)


def _attested(found: Exposure) -> Iterator[Attestation]:
    rows: list[tuple[Any, ...]] = found.groups(
        "SELECT source, object, list(DISTINCT data_class ORDER BY data_class), attested_by,"
        " attested_on FROM screens JOIN (SELECT DISTINCT source, object FROM looked)"
        " USING (source, object)"
        " WHERE attested_by IS NOT NULL AND attested_on IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    for source, screen, classes, author, day in rows:
        yield Attestation(source=source, screen=screen, classes=tuple(classes),
                          attested_by=author, attested_on=str(day))  # fmt: skip
