"""Indicators of a theft that operators may give each other: keyed hashes, nothing else.

What is told of an alert: the networks, devices, user agents and kinds of query that were new to
the accounts concerned and rare on the platform, each as HMAC-SHA-256 (RFC 2104, cut to 128 bits)
under a key that the operators agreed on. No patient, no account, no organisation, no time finer
than a day. A place that is usual for an account stays at home: it would accuse the victim's own
workplace. Whoever holds the key can try guesses (an address is one of four thousand million), so
the key is a secret among those who may know the addresses; STIX 2.1 has patterns for addresses in
the clear, none for keyed hashes, hence a plain document.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.alerts.watch import Alert
from vigie.errors import ReadingError, SecretError, reason_of
from vigie.events import TEXT
from vigie.language import N_

KEY_FILE: Final = "indicators.key"
FOLDER: Final = "indicators"
COLUMNS: Final = (
    "at", "account", "network", "device", "user_agent", "action", "query_shape", "source_file",
    "source_line",
)  # fmt: skip
"""The waist columns that indicators are made of and matched with."""
_FORMAT: Final = "vigie-indicators"
_RARE: Final = 0.01
_FEW: Final = 3
"""A value is rare while at most so many accounts, or this share of all, have it."""
_SHORTEST: Final = 32
_BITS: Final = 128

Kind = Literal["network", "device", "user_agent", "query"]
KINDS: Final[tuple[Kind, ...]] = ("network", "device", "user_agent", "query")


class Indicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One keyed hash, in hexadecimal."""

    kind: Kind
    hash: str


class Sighting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told of one alert: what it was, on which days (UTC), through how many accounts."""

    hypothesis: str
    level: str
    since: date
    until: date
    accounts: int
    indicators: list[Indicator]


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document; `key` is a mark that tells one agreed key from another, not the key."""

    made_on: date
    key: str
    sightings: list[Sighting]
    format: Literal["vigie-indicators"] = _FORMAT
    version: Literal[1] = 1
    hash: Literal["HMAC-SHA-256-128"] = "HMAC-SHA-256-128"


@dataclass(frozen=True, slots=True)
class Match:
    """An account that came with an indicator of somebody else's alert."""

    kind: Kind
    account: str
    first_at: datetime
    last_at: datetime
    accesses: int
    sighting: Sighting


def load_key(path: Path) -> bytes:
    """Read the agreed key: at least 32 bytes, in hexadecimal, in a file only its owner reads.

    Raises `SecretError`; the message never repeats what the file holds.
    """
    remedy = N_("agree on one with the other operators (openssl rand -hex 32), with mode 0600")
    try:
        if path.stat().st_mode & 0o077:
            raise SecretError(
                N_("the key file can be read by others than its owner"),
                where=str(path),
                remedy=N_("run chmod 600 on it, and agree on another if others read it"),
            )
        key = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise SecretError(
            N_("the key file cannot be read ({reason})"), where=str(path), remedy=remedy,
            reason=reason_of(error),
        ) from None  # fmt: skip
    except ValueError:
        key = b""
    if len(key) < _SHORTEST:
        raise SecretError(N_("this is not a key of indicators"), where=str(path), remedy=remedy)
    return key


def key_mark(key: bytes) -> str:
    """Return what tells this key from another and gives nothing of it."""
    return _hash(key, "mark", "")[:16]


def _hash(key: bytes, kind: str, value: str) -> str:
    text = f"{kind}\x1f{value}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()[: _BITS // 4]


def normal(kind: str, value: str) -> str:
    """Return a value as every operator writes it.

    >>> normal("network", "2001:DB8:0::1"), normal("device", " PC-00AF ")
    ('2001:db8::1', 'pc-00af')
    """
    if kind == "network":
        try:
            return str(ipaddress.ip_address(value.strip()))
        except ValueError:
            pass
    return value.strip().casefold() if kind != "user_agent" else value.strip()


def bundle(events: pa.Table, alerts: Iterable[Alert], key: bytes) -> Bundle:
    """Return what may be told of these alerts; `events` hold `COLUMNS` of the whole log."""
    seen = _Log(events)
    sightings = [_sighting(seen, alert, key) for alert in alerts]
    return Bundle(datetime.now(UTC).date(), key_mark(key), sightings)


def _sighting(seen: "_Log", alert: Alert, key: bytes) -> Sighting:
    told = sorted(seen.telling(alert, key), key=lambda one: (one.kind, one.hash))
    since, until = alert.opened_at.date(), alert.last_at.date()
    return Sighting(alert.hypothesis, alert.level, since, until, len(alert.accounts), told)


class _Log:
    """The values of each kind, by account and time."""

    def __init__(self, events: pa.Table) -> None:
        self.events = events.filter(pc.is_valid(events.column("account")))
        self.at = self.events.column("at").cast(pa.int64()).to_numpy()
        self.account, self.accounts = _codes(self.events.column("account"))
        self.values = {kind: _codes(_column(self.events, kind)) for kind in KINDS}

    def telling(self, alert: Alert, key: bytes) -> Iterator[Indicator]:
        """Yield the hashes of what was new to the alert's accounts, and is rare."""
        cited = self._rows(alert)
        named = [self.accounts.index(name) for name in alert.accounts if name in self.accounts]
        theirs = np.isin(self.account, named)
        for kind, (codes, words) in self.values.items():
            fresh = np.unique(codes[cited])
            first = self.at[cited].min(initial=2**62)
            before = np.unique(codes[theirs & (self.at < first)])
            others = np.flatnonzero(~theirs)
            for code in np.setdiff1d(fresh[fresh >= 0], before).tolist():
                met = len(np.unique(self.account[others[codes[others] == code]]))
                if _rare(met, len(self.accounts)):
                    yield Indicator(kind, _hash(key, kind, normal(kind, words[code])))

    def _rows(self, alert: Alert) -> np.ndarray:
        files, names = _codes(self.events.column("source_file"))
        lines = self.events.column("source_line").to_numpy()
        asked = [line.rpartition(":") for line in alert.lines]
        wanted = {(names.index(f), int(n)) for f, _, n in asked if f in names and n.isdigit()}
        mine = np.flatnonzero(np.isin(lines, [number for _, number in wanted]))
        kept = [row for row in mine.tolist() if (files[row], lines[row]) in wanted]
        return np.array(kept, np.int64)


def _rare(accounts: int, everyone: int) -> bool:
    return accounts <= max(_FEW, _RARE * everyone)


def _column(events: pa.Table, kind: str) -> pa.ChunkedArray:
    if kind != "query":
        return events.column(kind)
    parts = [events.column(name).cast(pa.string()) for name in ("action", "query_shape")]
    return pc.binary_join_element_wise(*parts, "|")


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    encoded = column.cast(TEXT).unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], TEXT)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes, encoded.dictionary.to_pylist()


def write(path: Path, told: Bundle) -> None:
    """Write the document as JSON."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    except OSError as error:
        raise ReadingError(
            N_("the file cannot be written ({reason})"), where=str(path),
            remedy=N_("name another place"), reason=reason_of(error),
        ) from None  # fmt: skip


def read(path: Path, key: bytes) -> Bundle:
    """Read a document made under the same key. Raises `ReadingError` or `SecretError`."""
    try:
        told = msgspec.json.decode(path.read_bytes(), type=Bundle)
    except OSError as error:
        raise ReadingError(
            N_("the file cannot be read ({reason})"), where=str(path),
            remedy=N_("check its name and your rights on it"), reason=reason_of(error),
        ) from None  # fmt: skip
    except (msgspec.DecodeError, RecursionError) as error:
        raise ReadingError(
            N_("this is not a document of indicators of version 1 ({reason})"), where=str(path),
            remedy=N_("ask for the file that vigie indicators export wrote"),
            reason=reason_of(error),
        ) from None  # fmt: skip
    if not hmac.compare_digest(told.key, key_mark(key)):
        raise SecretError(
            N_("these indicators were made under another key"), where=str(path),
            remedy=N_("ask their sender which key was agreed on"),
        )  # fmt: skip
    return told


def keep(home: Path, told: Bundle) -> Path:
    """Keep a document with what was imported before; the same one twice is kept once."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = msgspec.json.encode(told)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:32]}.json"
    path.touch(0o600)
    path.write_bytes(content)
    return path


def kept(home: Path, key: bytes) -> list[Bundle]:
    """Return what was imported under this key."""
    return [read(path, key) for path in sorted((home / FOLDER).glob("*.json"))]


def match(events: pa.Table, bundles: Sequence[Bundle], key: bytes) -> list[Match]:
    """Return the accounts that came with an indicator, the latest first.

    What many accounts here have tells nothing and is passed over.
    """
    known = {
        (one.kind, one.hash): sighting
        for told in bundles for sighting in told.sightings for one in sighting.indicators
    }  # fmt: skip
    log = _Log(events)
    found: list[Match] = []
    for kind, (codes, words) in log.values.items():
        for code, word in enumerate(words):
            sighting = known.get((kind, _hash(key, kind, normal(kind, word))))
            if sighting is not None:
                found += _matches(log, kind, np.flatnonzero(codes == code), sighting)
    return sorted(found, key=lambda one: (one.last_at, one.account, one.kind), reverse=True)


def _matches(log: _Log, kind: Kind, rows: Any, sighting: Sighting) -> Iterator[Match]:
    accounts = np.unique(log.account[rows])
    if not _rare(len(accounts), len(log.accounts)):
        return
    for account in accounts.tolist():
        at = log.at[rows[log.account[rows] == account]]
        first, last = (datetime.fromtimestamp(int(t) / 1e6, UTC) for t in (at.min(), at.max()))
        yield Match(kind, log.accounts[account], first, last, len(at), sighting)
