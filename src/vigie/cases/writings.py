"""In what words a notice is made: its texts, the dated law, who signs; each under its own name.

A notice that was approved says what these files said then. They are the operator's to change
(`VIGIE_HOME/texts`, `VIGIE_HOME/legal`, `organisation.toml`) and ours with each release.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import msgspec

from vigie import legal
from vigie.cases.organisation import FILE as ORGANISATION
from vigie.records import DATA_CLASSES

TEXTS: Final = "texts"
TEMPLATE: Final = "notice.docx"
OUR_TEXTS: Final = resources.files("vigie") / "notices" / TEXTS
_SIGNED: Final = tuple(f"{ORGANISATION} {name}" for name in ("name", "contact", "representative"))
_TEMPLATE: Final = f"{TEXTS}/{TEMPLATE}"
_LATE: Final = f"{legal.FOLDER}/clocks.toml clock.gdpr_33"
_CLASS: Final = f"{legal.FOLDER}/advice.toml class."


def _law(name: str, *items: str) -> tuple[str, ...]:
    return tuple(f"{legal.FOLDER}/{name}.toml {item}" for item in items)


def _filed(kind: str, *more: str) -> tuple[str, ...]:
    items = _law("filings", "unknown", f"filing.{kind}", "label")
    return (*items, *_law("cnil", ""), *more, f"{ORGANISATION} ", _TEMPLATE)


WRITTEN_IN: Final[dict[str, tuple[str, ...]]] = {
    "cnil": _filed("cnil", _LATE),
    "cert_sante": _filed("cert_sante"),
    "ars": _filed("ars"),
    "anssi": _filed("anssi"),
    "complaint": _filed("complaint", *_law("filings", "offence")),
    "register": _filed("register", _LATE),
    "press": (f"{TEXTS}/press.", _CLASS, *_SIGNED, _TEMPLATE),
    "advice": (f"{TEXTS}/advice.", _CLASS, *_SIGNED, _TEMPLATE),
    "professionals": (
        f"{TEXTS}/professional.", *_law("advice", "professional"), *_SIGNED, _TEMPLATE,
    ),
    "controllers": (
        f"{TEXTS}/controller.", f"{TEXTS}/letter.", _CLASS, *_law("advice", "controller"),
        *_filed("cnil", _LATE),
    ),
    "letters": (f"{TEXTS}/letter.", _CLASS, *_SIGNED, _TEMPLATE),
}  # fmt: skip
"""What each notice is written in: beginnings of the names of what `writings` returns."""
_FILES: Final = ("advice", "cnil", "clocks", "filings")
_UNPRINTED: Final = frozenset({"source", "mark", "seen", "version"})


def writings(home: Path) -> dict[str, str]:
    """Return what notices are made of words of, by name: a short hash, or the words where few.

    A file that cannot be read has one name and the hash of its bytes.
    """
    said: dict[str, str] = {}
    for name in _FILES:
        file = f"{legal.FOLDER}/{name}.toml"
        said |= _read(file, _first(home / file, resources.files(legal) / f"{name}.toml"))
    for ours in sorted(OUR_TEXTS.iterdir(), key=lambda path: path.name):
        file = f"{TEXTS}/{ours.name}"
        said |= _read(file, _first(home / file, ours), whole=True)
    said |= _read(ORGANISATION, home / ORGANISATION)
    own = home / TEXTS / TEMPLATE
    return said | ({_TEMPLATE: _short(own.read_bytes())} if own.is_file() else {})


def words_of(
    notice: str, said: Mapping[str, str], classes: Iterable[str] = DATA_CLASSES
) -> dict[str, str]:
    """Return what of `said` a notice is written in, of classes of data those in `classes` alone.

    >>> words_of("letters", {"legal/advice.toml class.nir": "1", "legal/cnil.toml data": "2"}, ())
    {}
    """
    told = tuple(f"{_CLASS}{name}" for name in classes)
    named = ((k, v) for k, v in said.items() if k.startswith(WRITTEN_IN.get(notice, ())))
    return {k: v for k, v in named if not k.startswith(_CLASS) or k in told}


def _first(own: Path, ours: Traversable) -> Traversable:
    return own if own.is_file() else ours


def _read(name: str, file: Traversable, whole: bool = False) -> dict[str, str]:
    data = file.read_bytes() if file.is_file() else b""
    try:
        said = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {name: _short(data)}
    if whole:
        return {name: _short(_canonical(said))}
    return {f"{name} {item}": _value(value) for item, value in _items(said)}


def _items(said: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a file says, tables of tables and lists with identifiers one by one."""
    for name, value in said.items():
        parts = value
        if isinstance(value, list) and value and isinstance(value[0], dict) and "id" in value[0]:
            parts = {one["id"]: one for one in value}
        if name in ("class", "filing", "clock") and isinstance(parts, dict):
            yield from ((f"{name}.{part}", inner) for part, inner in parts.items())
        elif name not in _UNPRINTED:
            yield name, value


def _value(value: Any) -> str:
    return value if isinstance(value, str) else _short(_canonical(value))


def _canonical(value: Any) -> bytes:
    return msgspec.json.encode(_printed(value), order="sorted")


def _printed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _printed(part) for k, part in value.items() if k not in _UNPRINTED}
    return [_printed(part) for part in value] if isinstance(value, list) else value


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
