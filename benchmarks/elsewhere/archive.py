"""An imaging archive of two sites that merge, open day and night: exams make the accesses.

Not the simulator's laws: nobody has a panel of patients. An exam is done by a technician on a
twelve-hour shift, read by a radiologist (at night from afar), written up by a secretary and looked
at again by whoever asked for it; three exams in four are of somebody never seen before, the rest of
patients followed every few weeks. Honest and odd: quality checks of exams drawn at random, a
research list read in one go, a console login used by whoever is on shift, a router that reads all.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import BEGIN, DAY, HOUR, SECOND, Ints, Log

DAYS: Final = 60
MERGED: Final = 36
"""The day from which radiologists read the other site's exams too."""
_KINDS: Final = {
    "technician": 8, "radiologist": 5, "tele": 1, "secretary": 4, "asker": 40, "checker": 1,
    "researcher": 1, "router": 1,
}  # fmt: skip
"""Accounts of each kind for one site and ten exams an hour."""
_MODALITIES: Final = 4


@dataclass
class _Staff:
    kind: Ints
    site: Ints
    modality: Ints
    names: tuple[str, ...] = tuple(_KINDS)

    def of(self, kind: str, site: int | None = None, modality: int | None = None) -> Ints:
        """Return the accounts of a kind."""
        found = self.kind == self.names.index(kind)
        found &= True if site is None else self.site == site
        found &= True if modality is None else self.modality == modality
        return np.flatnonzero(found)


@dataclass
class _Rows:
    parts: list[tuple[Ints, Ints, Ints]] = field(default_factory=list)

    def add(self, at: Ints, account: Ints, patient: Ints) -> None:
        """Add rows; moments are whole seconds."""
        self.parts.append((at.astype(np.int64) // SECOND * SECOND, account, patient))


def draw(name: str, seed: int) -> Log:
    """Return the log of the archive; `bare` leaves out sites and kinds."""
    rng = np.random.default_rng([seed, 3])
    staff = _hire(rng)
    at, patient, site, modality = _exams(rng)
    rows = _Rows()
    _care(rng, staff, rows, at, patient, site, modality)
    _oddities(rng, staff, rows, at, patient, site)
    when, who, whom = (np.concatenate(column) for column in zip(*rows.parts, strict=True))
    kept = when < BEGIN + DAYS * DAY
    when, who, whom = when[kept], who[kept], whom[kept]
    sites = ["site 1", "site 2"]
    told = {
        "organisation": (staff.site[who], sites),
        "profession": (staff.kind[who], list(staff.names)),
        "device": (_devices(rng, staff, who), [f"post {number}" for number in range(800)]),
        "actor_kind": (np.where(staff.kind[who] == staff.names.index("router"), 1, 0),
                       ["person", "service"]),
    }  # fmt: skip
    group = staff.site * len(_KINDS) + staff.kind
    return Log(name, when, who, whom, group, told if name == "archive" else {}).in_order()


def _hire(rng: np.random.Generator) -> _Staff:
    kinds, sites = [], []
    for site in range(2):
        for number, count in enumerate(_KINDS.values()):
            many = count * 3 if number < 5 else count
            kinds += [number] * many
            sites += [site] * many
    kind = np.array(kinds)
    return _Staff(kind, np.array(sites), rng.integers(_MODALITIES, size=len(kind)))


def _exams(rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Ints]:
    """Draw exams: weekly and daily rhythm, a night shift of emergencies, patients who come back."""
    hours = np.arange(DAYS * 24)
    rhythm = np.where((hours % 24 >= 8) & (hours % 24 < 19), 1.0, 0.22)
    rhythm *= np.where(hours // 24 % 7 > 4, 0.35, 1.0)
    columns = []
    for site, hourly in enumerate((24.0, 15.0)):
        many = rng.poisson(hourly * rhythm)
        at = np.sort(BEGIN + (np.repeat(hours, many) + rng.random(many.sum())) * HOUR)
        patient = _patients(rng, at, 1_000_000 * (site + 1))
        columns.append(
            (at, patient, np.full(len(at), site), rng.integers(_MODALITIES, size=len(at)))
        )
    return tuple(np.concatenate(column).astype(np.int64) for column in zip(*columns, strict=True))


def _patients(rng: np.random.Generator, at: np.ndarray, base: int) -> Ints:
    """Number patients as they come for the first time; a quarter are followed, some for years."""
    patient = np.empty(len(at), np.int64)
    before = rng.integers(20_000, size=len(at))
    back = rng.random(len(at))
    lag = rng.lognormal(np.log(14), 0.7, len(at)) * DAY
    earlier = np.searchsorted(at, at - lag)
    for place in range(len(at)):
        if back[place] < 0.17 and at[place] - lag[place] > at[0]:
            patient[place] = patient[earlier[place]]
        elif back[place] < 0.25:
            patient[place] = base + before[place]
        else:
            patient[place] = base + 20_000 + place
    return patient


def _on_shift(rng: np.random.Generator, at: Ints, some: Ints, blocks: int = 2) -> Ints:
    """Return which of some accounts is on duty: shifts of twelve hours, days on, days off."""
    shift = (at - BEGIN + 5 * HOUR) // (DAY // blocks)
    turn = (shift // 6 + 7 * (shift % blocks)) % max(len(some), 1)
    beside = rng.integers(0, max(len(some) // 4, 1), size=len(at))
    return some[(turn + beside) % len(some)]


def _care(rng, staff, rows, at, patient, site, modality) -> None:
    for one in range(2):
        for kind in range(_MODALITIES):
            mine = np.flatnonzero((site == one) & (modality == kind))
            when, who = at[mine], patient[mine]
            technicians = staff.of("technician", one, kind)
            if len(technicians) == 0:
                technicians = staff.of("technician", one)
            done = _on_shift(rng, when, technicians)
            done[rng.random(len(done)) < 0.3] = staff.of("technician", one)[kind % 3]  # the console
            rows.add(when, done, who)
            _read(rng, staff, rows, when, who, one, kind)
    _asked(rng, staff, rows, at, patient, site)


def _read(rng, staff, rows, at, patient, site: int, modality: int) -> None:
    """Read the exams: within hours, at night from afar, after the merger by both sites."""
    when = at + (rng.lognormal(0.3, 0.8, len(at)) * HOUR).astype(np.int64)
    own = staff.of("radiologist", site)
    reader = _on_shift(rng, when, own)
    both = (at > BEGIN + MERGED * DAY) & (rng.random(len(at)) < 0.3)
    reader[both] = _on_shift(rng, when[both], staff.of("radiologist", 1 - site))
    hour = (when - BEGIN) % DAY // HOUR
    night = (hour < 7) | (hour >= 21)
    reader[night] = rng.choice(staff.of("tele"), night.sum())
    rows.add(when, reader, patient)
    written = when + (rng.exponential(20, len(when)) * HOUR).astype(np.int64)
    hour = (written - BEGIN) % DAY // HOUR
    written += np.where((hour < 8) | (hour > 17), (8 + 24 - hour) % 24 * HOUR, 0)
    rows.add(written, rng.choice(staff.of("secretary", site), len(when)), patient)


def _asked(rng, staff, rows, at, patient, site) -> None:
    """Whoever asked looks at the exam, some several times in the days after."""
    for one in range(2):
        mine = np.flatnonzero(site == one)
        askers = staff.of("asker", one)
        weight = rng.pareto(1.2, len(askers)) + 0.2
        asker = rng.choice(askers, 3_000_000, p=weight / weight.sum())
        looks = rng.geometric(0.6, len(mine))
        who = np.repeat(patient[mine], looks)
        days = rng.exponential(2.5, len(who)) * DAY
        when = np.repeat(at[mine], looks) + days.astype(np.int64)
        when = when // DAY * DAY + (np.clip(rng.normal(13, 3, len(who)), 7, 22) * HOUR).astype(
            np.int64
        )
        rows.add(when, asker[who % 3_000_000], who)


def _oddities(rng, staff, rows, at, patient, site) -> None:
    for one in range(2):
        mine = np.flatnonzero(site == one)
        for checker in staff.of("checker", one):
            for week in range(1, DAYS // 7):
                past = mine[at[mine] < BEGIN + 7 * week * DAY]
                some = rng.choice(past, min(30, len(past)), replace=False)
                when = (
                    BEGIN
                    + 7 * week * DAY
                    + 10 * HOUR
                    + np.cumsum(rng.exponential(240, len(some))) * SECOND
                )
                rows.add(when, np.full(len(some), checker), patient[some])
        for reader in staff.of("researcher", one):
            for day in rng.choice(DAYS, 8, replace=False):
                past = mine[at[mine] < BEGIN + day * DAY]
                some = rng.choice(past, min(80, len(past)), replace=False)
                when = (
                    BEGIN
                    + day * DAY
                    + 14 * HOUR
                    + np.cumsum(rng.exponential(45, len(some))) * SECOND
                )
                rows.add(when, np.full(len(some), reader), patient[some])
        rows.add(
            at[mine] + 5 * SECOND, np.full(len(mine), staff.of("router", one)[0]), patient[mine]
        )


def _devices(rng, staff, who: Ints) -> Ints:
    own = 100 + who
    common = staff.site[who] * 20 + rng.integers(20, size=len(who))
    at_console = np.isin(staff.kind[who], [0, 3]) | (rng.random(len(who)) < 0.1)
    return np.where(at_console, common, own)
