"""`vigie simulate`: a platform's logs, the mapping that reads them, and the truth, in one folder.

OUT/logs is what `vigie scan` reads, OUT/care the table of care relations beside it, if there is
one; OUT/mapping*.toml say how. OUT/staff says whose the accounts are, where the operator can know
it, OUT/ranges.csv in which country each address is; OUT/truth is for judges only.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.compute as pc

from vigie.errors import UsageError
from vigie.language import N_
from vigie.simulate.borders import country_ranges
from vigie.simulate.presets import simulate
from vigie.simulate.reference import DATA
from vigie.simulate.truth import write_truth
from vigie.simulate.world import World
from vigie.simulate.writers import WRITERS, care, staff
from vigie.simulate.writers.logfiles import LogFolder
from vigie.simulate.writers.practice import practice_codes

_FOLDERS: Final = ("logs", "care", "staff", "truth")


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written: counts, and the log files in order."""

    preset: str
    files: tuple[Path, ...]
    lines: int
    accesses: int
    accounts: int
    patients: int
    days: int
    attacks: int


def simulate_to(
    preset: str,
    scale: float,
    seed: int,
    out: Path,
    days: int | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Summary:
    """Simulate a platform and write its folder; `progress` is told how many accesses are written.

    Raises `UsageError` for an unknown preset and for a folder that already holds logs. One that
    could not be written whole is taken away again.
    """
    _check_free(out)
    try:
        return write_world(simulate(preset, scale, seed, days), out, progress)
    except BaseException:
        for name in _FOLDERS:
            shutil.rmtree(out / name, ignore_errors=True)
        raise


def _check_free(out: Path) -> None:
    taken = [name for name in _FOLDERS if (out / name).exists()]
    if taken:
        raise UsageError(
            N_("the folder already holds a simulation ({taken})"),
            where=str(out),
            remedy=N_("choose another one, or remove it"),
            taken=", ".join(taken),
        )


def write_world(
    world: World, out: Path, progress: Callable[[int], None] = lambda rows: None
) -> Summary:
    """Write the folder of a world that is already there."""
    log = LogFolder(out / "logs", progress)
    WRITERS[world.preset](world, log)
    files = log.close()
    relations = LogFolder(out / "care")
    care.write(world, relations)
    relations.close()
    _write_staff(world, out / "staff")
    write_truth(world, log.places(), out / "truth")
    for mapping in sorted(DATA.glob(f"mapping-{world.preset}*.toml")):
        name = mapping.name.replace(f"-{world.preset}", "")
        (out / name).write_text(_completed(mapping.read_text("utf-8"), world), "utf-8")
    lines = [f"{network},{country}\n" for network, country in country_ranges(world)]
    (out / "ranges.csv").write_text("".join(lines), "utf-8")
    shutil.copyfile(DATA / "LISEZMOI.txt", out / "LISEZMOI.txt")
    return Summary(
        preset=world.preset,
        files=tuple(files),
        lines=log.line_count,
        accesses=len(np.unique(world.accesses["access"].to_numpy())),
        accounts=world.accounts.num_rows,
        patients=world.patients.num_rows,
        days=world.days,
        attacks=len(world.attacks),
    )


def _write_staff(world: World, out: Path) -> None:
    """Write the table of staff, and the mapping that reads it, beside each other."""
    register = LogFolder(out)
    staff.write(world, register)
    register.close()
    if world.staff.num_rows:
        shutil.copyfile(DATA / f"staff-{world.preset}.toml", out / "staff.toml")


def _completed(mapping: str, world: World) -> str:
    """Fill in what the operator of this very platform knows: its services, and whose records.

    Insurers answer for their members, not for an organisation's records: that is in the truth.
    """
    services = pc.equal(world.accounts["kind"], "service")
    logins = world.accounts["login"].filter(services).to_pylist()
    text = mapping.replace("service_accounts = []", f"service_accounts = {_toml(logins)}")
    if world.preset == "third-party-payment":
        return text
    if "[care]" in mapping:
        return text
    lines = [f"{_toml(code)} = {_toml(name)}" for code, name in _controllers(world)]
    return "\n".join([text, "[controllers]", *lines, ""])


def _controllers(world: World) -> list[tuple[str, str]]:
    """Return each organisation as the log writes it, and the name it answers under."""
    names = world.organisations["name"].to_pylist()
    codes = world.organisations["finess"].to_pylist()
    if world.preset == "practice-software":
        codes = practice_codes(np.arange(len(names))).to_pylist()
    return [(code, f"{name} ({code})") for code, name in zip(codes, names, strict=True)]


def _toml(value: object) -> str:
    """Write texts as TOML does: in these cases as JSON does."""
    return json.dumps(value, ensure_ascii=False)
