"""Settings: where the store and the keys live, and the few numbers that an operator chooses.

`VIGIE_HOME` (default `$XDG_DATA_HOME/vigie`, else `~/.local/share/vigie`) holds everything that
Vigie writes. `vigie.toml` in it is optional; an unknown setting is refused by name.
"""

import os
import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec

from vigie.errors import SettingsError, reason_of
from vigie.language import N_

SETTINGS_FILE: Final = "vigie.toml"
T = TypeVar("T")


class Trust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Beyond these limits an answer cannot be trusted (exit code 4).

    `quarantined` and `null_*` are shares of lines or rows, 0 to 1; `silent_hours` is how long a
    source may say nothing, within the period the other sources cover.
    """

    quarantined: float = 0.01
    null_account: float = 0.05
    null_patient_on_open: float = 0.05
    silent_hours: float = 26.0


Budget = Annotated[float, msgspec.Meta(gt=0)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator chooses. Budgets are in false alerts per 10,000 account-days.

    `alarm_budget` is for alerts of any level; `step_up_budget` for those of level "step up" or
    graver, by default a tenth of it; `suspend_budget` for those of level "suspend", by default a
    hundredth. `state` is where cases are kept: empty for a SQLite file in `VIGIE_HOME`, or
    `postgresql://user@host/database`. `memory_gb` is what a question to the log may take of memory
    (in 1e9 bytes, half the machine's at most) before it waits on the disk. `ranges` is a table of
    address ranges with their countries, `185.12.0.0/14,FR` or `first,last,country` a line, empty
    for none.
    """

    alarm_budget: Budget = 1.0
    step_up_budget: Budget | None = None
    suspend_budget: Budget | None = None
    pseudonyms_per_hour: int = 100
    link_within_seconds: float = 2.0
    lateness_seconds: float = 600.0
    state: str = ""
    ranges: str = ""
    memory_gb: Annotated[float, msgspec.Meta(ge=0.1)] = 3.0
    trust: Trust = msgspec.field(default_factory=Trust)

    @property
    def budgets(self) -> tuple[float, float, float]:
        """Return the budgets of the levels, watch first; a graver level never has a larger one.

        >>> Settings(alarm_budget=10.0, suspend_budget=0.5).budgets
        (10.0, 1.0, 0.5)
        """
        watch = self.alarm_budget
        step_up = min(watch, self.step_up_budget or watch / 10)
        return watch, step_up, min(step_up, self.suspend_budget or watch / 100)


def home_directory() -> Path:
    """Return VIGIE_HOME without making it."""
    said = os.environ.get("VIGIE_HOME")
    if said:
        return Path(said).expanduser()
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "vigie"


def load_settings(home: Path) -> Settings:
    """Read `vigie.toml` of `home`, or return the defaults when there is none."""
    path = home / SETTINGS_FILE
    if not path.exists():
        return Settings()
    return read_toml(
        path, Settings, N_("the settings cannot be read ({reason})"),
        N_("mend that line, or delete the file to return to the defaults"),
    )  # fmt: skip


def read_toml(
    file: Path | Traversable, kind: type[T], what: str, remedy: str, where: str = ""
) -> T:
    """Read a file that the operator writes by hand, or one that came with Vigie, as a `kind`.

    Editors of Windows put a mark before the first letter: it is passed over. Raises `SettingsError`
    with `what`, whose `{reason}` says why, and `remedy`.
    """
    try:
        return msgspec.convert(tomllib.loads(file.read_bytes().decode("utf-8-sig")), kind)
    except (
        OSError, RecursionError, tomllib.TOMLDecodeError, msgspec.ValidationError,
        UnicodeDecodeError,
    ) as error:  # fmt: skip
        reason = reason_of(error)
    raise SettingsError(what, where=where or str(file), remedy=remedy, reason=reason)
