"""Facts: the numbers of a case, each with what it counts, out of how many, and where it is from.

Every document that leaves the house takes its numbers from one such set, so that no two contradict
each other. A fact carries the query that gave it and the SHA-256 of that query's result; one that
the log does not tell exactly carries its bounds. The same facts are the same bytes.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from vigie.errors import ReadingError, UsageError, reason_of
from vigie.language import N_, Text

VERSION: Final = 1
UNITS: Final = ("persons", "accesses", "lines", "records", "accounts", "controllers", "exports")
GAPS: Final = {
    "blind_period": N_(
        "a source says nothing, or not whose account it was, during part of the time"
    ),
    "unreadable_lines": N_("lines of the log could not be read"),
    "unlogged_results": N_("the results of a search were counted but not named"),
    "unknown_export": N_("the content of an export is not known"),
    "unknown_screen": N_("nobody declared what a screen shows"),
    "unattested_screen": N_("what a screen shows is declared, but nobody vouches for it"),
    "unscanned_text": N_("free text was shown, and was not searched for sensitive data"),
    "sensitive_text": N_("free text was searched, and words of sensitive data stand in it"),
    "shared_number": N_("a social-security number may be that of several persons"),
    "no_controller": N_("no contract in force says whose data they are"),
}
"""Kinds of what the log cannot say."""


class Fact(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One number: `numerator` of `unit`, out of `denominator` when it is a part of something.

    `low` and `high` are given when the log does not tell the number exactly: it is at least `low`
    (then `numerator` equals it) and, unless `high` is null, at most `high`. `sha256` is the
    hexadecimal hash of the result of `query`.

    >>> fact = Fact(name="persons", numerator=3, unit="persons", query="…", sha256="…", low=3)
    >>> fact.exact, fact.holds(2), fact.holds(4)
    (False, False, True)
    """

    name: str
    numerator: int
    unit: str
    query: str
    sha256: str
    denominator: int | None = None
    low: int | None = None
    high: int | None = None

    @property
    def exact(self) -> bool:
        """Whether the log tells this number without doubt."""
        return self.low is None or self.low == self.high

    def holds(self, value: int) -> bool:
        """Whether the true number may be `value`, by all one knows."""
        if self.low is None:
            return value == self.numerator
        return self.low <= value and (self.high is None or value <= self.high)


class Gap(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One thing that the log cannot say: its kind (of GAPS), where, when, how much of it.

    `name` is the screen, file or export concerned; times are ISO 8601, UTC.
    """

    kind: str
    source: str = ""
    name: str = ""
    since: str = ""
    until: str = ""
    count: int = 0


class Attestation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who vouched, and when, for what a screen that was used shows."""

    source: str
    screen: str
    classes: tuple[str, ...]
    attested_by: str
    attested_on: str


class Use(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account: its first and last access that count (ISO 8601, UTC), and whether they were told
    apart from its owner's."""

    account: str
    first_at: str
    last_at: str
    told_apart: bool


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The facts of one case or exposure; `facts` are sorted by name, names are unique.

    `moments` are ISO 8601 UTC (`first_access`, `last_access`, `period_from`, `period_until`; a case
    adds its own, such as `awareness`). `exposure_sha256` is the hash of the table of persons that
    the numbers count. `uses` is of each account; facts of before it have none.
    """

    version: int = VERSION
    case: str = ""
    exposure_sha256: str = ""
    facts: tuple[Fact, ...] = ()
    moments: dict[str, str] = {}
    gaps: tuple[Gap, ...] = ()
    attested: tuple[Attestation, ...] = ()
    accounts: tuple[str, ...] = ()
    controllers: tuple[str, ...] = ()
    uses: tuple[Use, ...] | msgspec.UnsetType = msgspec.UNSET

    def use_of(self, account: str) -> Use | None:
        """Return what is known of one account, if anything."""
        uses = () if self.uses is msgspec.UNSET else self.uses
        return next((use for use in uses if use.account == account), None)

    def get(self, name: str) -> Fact | None:
        """Return the fact of that name, if there is one."""
        return next((fact for fact in self.facts if fact.name == name), None)

    def __getitem__(self, name: str) -> Fact:
        """Return the fact of that name; raises `UsageError` when there is none."""
        found = self.get(name)
        if found is None:
            raise UsageError(N_("there is no fact {name!r} in this set"), name=name)
        return found

    def with_facts(
        self, more: Iterable[Fact] = (), moments: dict[str, str] | None = None, case: str = ""
    ) -> "Facts":
        """Return the set with more facts and moments; one of the same name replaces the old one."""
        every = {fact.name: fact for fact in (*self.facts, *more)}
        return msgspec.structs.replace(
            self,
            facts=tuple(every[name] for name in sorted(every)),
            moments=self.moments | (moments or {}),
            case=case or self.case,
        )

    def to_json(self) -> bytes:
        """Return the canonical bytes: keys in a fixed order, the same facts the same bytes."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=1) + b"\n"

    @property
    def sha256(self) -> str:
        """The hash of the canonical bytes: a document cites it, and is stale when it changes."""
        return hashlib.sha256(self.to_json()).hexdigest()


def from_json(data: bytes, where: str = "") -> Facts:
    """Read a set of facts; raises `ReadingError` when it is none.

    >>> from_json(Facts(case="2026-1").to_json()).case
    '2026-1'
    """
    try:
        found = msgspec.json.decode(data, type=Facts)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason: Text = reason_of(error)
    else:
        if found.version != VERSION:
            reason = N_("it is of another version")
        elif all(map(_is_moment, _moments(found))):
            return found
        else:
            reason = N_("one of its moments is no time with its zone")
    raise ReadingError(
        N_("this is not a set of facts ({reason})"),
        where=where,
        remedy=N_("make it anew with vigie exposure --facts"),
        reason=reason,
    )


def _moments(facts: Facts) -> list[str]:
    uses = () if facts.uses is msgspec.UNSET else facts.uses
    return [*facts.moments.values(), *(at for use in uses for at in (use.first_at, use.last_at))]


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def load_facts(path: Path) -> Facts:
    """Read a set of facts from a file."""
    try:
        return from_json(path.read_bytes(), str(path))
    except OSError as error:
        raise ReadingError(
            N_("the facts cannot be read ({reason})"), where=str(path),
            remedy=N_("make them with vigie exposure --facts"), reason=reason_of(error),
        ) from None  # fmt: skip


def stamp(moment: datetime) -> str:
    """Write a time as facts hold it: ISO 8601, UTC.

    >>> stamp(datetime(2025, 9, 1, 8, 30, tzinfo=UTC))
    '2025-09-01T08:30:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
