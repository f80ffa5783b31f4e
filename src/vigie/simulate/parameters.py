"""The parameters of simulated platforms, read from the data files beside this module."""

import tomllib
from importlib import resources
from typing import Any, Final, Literal

import msgspec

SOURCES: Final = ("own", "team", "organisation", "new", "local", "region", "anywhere")
"""Where the next patient comes from: columns of a profession's `mix`."""


class Profession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one profession usually works; units are in the head of `professions.toml`."""

    mode: Literal["panel", "window", "desk"]
    tempo: float
    spread: float
    day_spread: float
    days: tuple[float, float, float, float, float, float, float]
    start: float
    length: float
    rota: Literal["day", "shifts", "always"]
    panel: int
    growth: float
    window: int
    mix: tuple[float, float, float, float, float, float, float]
    style: str
    mobility: float
    home: float
    on_call: float
    recall: float
    cleanup: float
    evening: float
    exports: float
    identifier: Literal["rpps", "adeli", "none"]
    assumption: bool
    nights: float = 0.0
    sources: dict[str, str] = {}


class Oddities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often life departs from the usual; units are in `oddities.toml`."""

    replacement: float
    transfer: float
    change_of_unit: float
    hire: float
    leaver: float
    pool: float
    leave: float
    campaign: float
    outbreak: float
    new_device: float
    failed_login: float
    mistyped: float
    assumption: bool
    sources: dict[str, str] = {}


class Staff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many people of a profession an organisation of this kind has."""

    organisation: str
    profession: str
    mean: float
    minimum: int = 0
    unit: str = ""
    units: int = 1
    role: str = ""
    specialty: str = ""
    tempo: float = 1.0
    kind: Literal["person", "service", "shared"] = "person"


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request of a workflow; `page` is the mean number of lines of its result page."""

    action: str
    object: str
    shape: str = "none"
    delay: float = 8.0
    page: float = 1.0
    chance: float = 1.0


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of platform: its places, staff, screens, and the attacks that make sense there."""

    start: str
    days: int
    patients: int
    regions: tuple[str, ...]
    organisations: dict[str, int]
    staff: tuple[Staff, ...]
    workflows: dict[str, tuple[Step, ...]]
    habits: dict[str, dict[str, float]]
    families: dict[str, float]
    logins: bool = True
    counts_records: bool = True
    counts_bytes: bool = False
    purposes: bool = False
    own_register: bool = False  # searches show the practice's own patients only
    internal: bool = False  # staff on site come in from private addresses
    service_victims: bool = False  # a machine's certificate can be stolen too


class Stays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How admissions are entered; units are in `care.toml`."""

    professions: tuple[str, ...]
    planned: float
    delay: float
    late: float
    missing: float
    wrong_unit: float


class Booked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many encounters of a profession a relation stands behind, by reason."""

    kind: str
    own: float
    new: float
    stranger: float
    far: float
    ahead: float
    walk_in: float
    late: float
    on_call: float = 0.0
    desk: bool = False


class Care(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How well a platform's table of care relations is kept."""

    organisations: float
    history: float
    wrong: float
    no_show: float
    visits: dict[str, Booked]
    stays: Stays | None = None


class Kin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How owners of accounts meet their own; units are in `kinship.toml`."""

    registered: float
    known: float
    moved: float
    own_record: float
    relatives: float
    relatives_more: float
    at_home: float
    booked: float
    favours: float
    asked: float
    treated: float
    readers: float
    announced: float


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("vigie.simulate") / "data" / name).read_text("utf-8"))


def professions() -> dict[str, Profession]:
    """Return the parameters of every profession, by its code.

    >>> professions()["general_practitioner"].mode
    'panel'
    """
    return msgspec.convert(_read("professions.toml"), dict[str, Profession])


def preset(name: str) -> Preset:
    """Return the parameters of the preset `name`.

    >>> preset("hospital").days
    60
    """
    return msgspec.convert(_read(f"preset-{name}.toml"), Preset)


def oddities() -> Oddities:
    """Return how often honest staff do something unusual.

    >>> oddities().replacement
    0.01
    """
    return msgspec.convert(_read("oddities.toml"), Oddities)


def care(name: str) -> Care | None:
    """Return how care relations are kept beside the log of the preset `name`, if they are.

    >>> care("hospital").stays.planned, care("third-party-payment")
    (0.55, None)
    """
    said = _read("care.toml").get(name)
    return msgspec.convert(said, Care) if said else None


def kinship(name: str) -> Kin | None:
    """Return who the owners of the accounts of the preset `name` are, if its operator can know.

    >>> kinship("hospital").registered, kinship("regional-portal")
    (0.6, None)
    """
    said = _read("kinship.toml").get(name)
    return msgspec.convert(said, Kin) if said else None
