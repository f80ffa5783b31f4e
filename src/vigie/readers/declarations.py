"""What a mapping declares beside the columns: what a screen shows, and for whom records are kept.

A name has one declaration (the value alone, or a table with its dates) or a list of dated ones.
"""

from collections.abc import Mapping as Table
from datetime import UTC, date, datetime, time
from typing import Any, Final

import pyarrow as pa

from vigie.language import N_
from vigie.readers.refusals import (
    are_texts,
    one_of,
    refuse_unknown,
    refuse_value,
    text_of,
    unusable,
)
from vigie.records import AUTHORITIES, CONTRACTS, DATA_CLASSES, SCREENS

_ROLES = ("controller", "joint_controller", "processor")
_DATED = ("valid_from", "valid_until")
_DECLARED: Final = {
    "data_classes": ("classes", "attested_by", "attested_on", *_DATED),
    "controllers": ("controller", "role", *_DATED),
}


def _declarations(said: Any, key: str) -> list[Table[str, Any]]:
    """Return the dated declarations about one name, whichever of the three forms they have."""
    several = isinstance(said, list) and bool(said) and all(isinstance(x, dict) for x in said)
    return [one if isinstance(one, dict) else {key: one} for one in (said if several else [said])]


def check(raw: Table[str, Any], where: str) -> None:
    """Check `[data_classes]` and `[controllers]` of a mapping."""
    for section, keys in _DECLARED.items():
        for name, said in raw.get(section, {}).items():
            place = f"{section}.{name}"
            for one in _declarations(said, keys[0]):
                refuse_unknown(one, keys, where, place)
                _check_dates(one, where, place)
                _check_declared(section, one, where, place)


def _check_declared(section: str, one: Table[str, Any], where: str, place: str) -> None:
    if section == "controllers":
        text_of(one, "controller", where, place)
        if not one.get("controller"):
            raise unusable(where, place, N_("name the controller"))
        one_of(text_of(one, "role", where, place), _ROLES, where, place)
        return
    classes = one.get("classes")
    if not are_texts(classes) or not classes:
        raise unusable(where, place, N_("write the list of data classes"))
    for data_class in classes:
        if data_class not in DATA_CLASSES:
            refuse_value(data_class, DATA_CLASSES, where, place)


def _check_dates(one: Table[str, Any], where: str, place: str) -> None:
    for key in ("attested_on", *_DATED):
        if key in one and not isinstance(one[key], date):
            raise unusable(where, f"{place}.{key}", N_("write a date, as 2025-01-31"))


def _moment(said: date | None) -> datetime | None:
    """Return the UTC moment of a TOML date or time; a date alone begins at midnight UTC."""
    if said is None:
        return None
    moment = said if isinstance(said, datetime) else datetime.combine(said, time())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def screens(said: Table[str, Any], source: str) -> pa.Table:
    """Return `[data_classes]` as records.SCREENS."""
    rows = [
        {
            "source": source,
            "object": name,
            "data_class": data_class,
            "valid_from": _moment(one.get("valid_from")),
            "valid_until": _moment(one.get("valid_until")),
            "attested_by": one.get("attested_by"),
            "attested_on": one.get("attested_on"),
        }
        for name, declared in said.items()
        for one in _declarations(declared, "classes")
        for data_class in one["classes"]
    ]
    return pa.Table.from_pylist(rows, schema=SCREENS)


def contracts(said: Table[str, Any]) -> pa.Table:
    """Return `[controllers]` as records.CONTRACTS."""
    rows = [
        {
            "organisation": name,
            "controller": one["controller"],
            "role": one.get("role", "controller"),
            "valid_from": _moment(one.get("valid_from")),
            "valid_until": _moment(one.get("valid_until")),
        }
        for name, declared in said.items()
        for one in _declarations(declared, "controller")
    ]
    return pa.Table.from_pylist(rows, schema=CONTRACTS)


def authorities(kinds: list[str], source: str) -> pa.Table:
    """Return the kinds of a source's patient identifiers as records.AUTHORITIES."""
    rows = [{"source": source, "kind": kind} for kind in sorted({*kinds} - {""})]
    return pa.Table.from_pylist(rows, schema=AUTHORITIES)
