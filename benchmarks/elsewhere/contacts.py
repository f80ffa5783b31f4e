"""Face-to-face contacts, as badges record them: one row per twenty seconds that two people face.

Laws, as published for a hospital ward (75 people, 5 days: Vanhems and others, PLOS ONE 8, e73970,
2013), a workplace (92 and 217, 10 days: Génois and others, Network Science 3, 2015; EPJ Data
Science 7, 2018), a high school (180 and 327, 5 to 8 days: Fournet and Barrat, PLOS ONE 9, 2014;
Mastrandrea and others, PLOS ONE 10, 2015) and a primary school (242, 2 days: Stehlé and others,
PLOS ONE 6, 2011): most contacts inside the group, heavy-tailed durations and repeats, half of a
day's pairs new beside the day before, breaks at which groups mix.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import BEGIN, DAY, HOUR, SECOND, Ints, Log

TICK: Final = 20 * SECOND


@dataclass(frozen=True, slots=True)
class Place:
    """Where badges were worn: people, groups, days, hours, and how they meet.

    `inside` is the share of meetings within the own group, `meetings` those of a person and day in
    the mean, `loyal` how unevenly a person's meetings are spread over others (sigma of a lognormal
    law), `tail` the exponent of the durations' power law, `told` the column that names groups.
    """

    people: int
    groups: int
    days: int
    hours: tuple[float, float]
    inside: float
    meetings: float
    loyal: float = 2.0
    tail: float = 2.4
    told: str = ""
    weekend: bool = False


PLACES: Final = {
    "ward": Place(75, 4, 5, (0, 24), 0.55, 45, told="role", weekend=True),
    "office": Place(217, 12, 10, (8.5, 18), 0.75, 12, told="unit"),
    "high_school": Place(327, 9, 9, (8, 17.5), 0.88, 30, told="organisation"),
    "primary_school": Place(242, 11, 2, (8.5, 16.5), 0.8, 90, told=""),
    "bare_school": Place(327, 9, 9, (8, 17.5), 0.88, 30),
    "school_week": Place(327, 9, 5, (8, 17.5), 0.88, 30),
    "conference": Place(403, 1, 4, (8, 18), 1.0, 40, loyal=1.0, told=""),
    "two_days": Place(403, 1, 2, (8, 18), 1.0, 40, loyal=1.0, told=""),
}
"""Sizes are those of the sets named above (conference: SFHH, Génois and Barrat 2018). The school
was watched for five days and the conference for two: `school_week` and `two_days`; the others of
them say what a longer watch would give."""


def draw(name: str, seed: int) -> Log:
    """Return the contacts at a place, each told by both badges."""
    place = PLACES[name]
    rng = np.random.default_rng([seed, len(name), place.people])
    group = np.sort(rng.integers(place.groups, size=place.people))
    liking = np.exp(place.loyal / 2 * rng.standard_normal((place.people,) * 2))
    liking = liking * liking.T
    np.fill_diagonal(liking, 0.0)
    lively = np.exp(0.7 * rng.standard_normal(place.people))
    lively *= place.meetings / 2 / lively.mean()
    rows = [_day(rng, place, day, liking, lively, group) for day in _open(place)]
    at, one, other = (np.concatenate(column) for column in zip(*rows, strict=True))
    words = [f"group {number}" for number in range(place.groups)]
    account = np.concatenate([one, other])
    told = {place.told: (group[account], words)} if place.told else {}
    log = Log(name, np.concatenate([at, at]), account, np.concatenate([other, one]), group, told)
    return log.in_order()


def _open(place: Place) -> list[int]:
    days = [day for day in range(2 * place.days) if place.weekend or day % 7 < 5]
    return days[: place.days]


def _day(
    rng: np.random.Generator,
    place: Place,
    day: int,
    liking: np.ndarray,
    lively: np.ndarray,
    group: Ints,
) -> tuple[Ints, Ints, Ints]:
    """Return the ticks of a day: some are absent, meetings cluster at breaks, pairs vary."""
    there = rng.random(len(lively)) < 0.9
    today = liking * np.exp(1.5 * rng.standard_normal(liking.shape)) * there * there[:, None]
    many = rng.poisson(lively * there)
    one = np.repeat(np.arange(len(lively)), many)
    inside = rng.random(len(one)) < place.inside
    other = np.empty(len(one), np.int64)
    for rows, mates in ((inside, group[:, None] == group), (~inside, group[:, None] != group)):
        chance = np.cumsum(today * mates, axis=1)[one[rows]]
        other[rows] = (chance <= (rng.random(len(chance)) * chance[:, -1])[:, None]).sum(1)
    met = other < len(lively)
    one, other = one[met], other[met]
    last = np.minimum((1 - rng.random(len(one))) ** (-1 / (place.tail - 1)), 200).astype(np.int64)
    low, high = place.hours
    hour = low + (high - low) * rng.beta(1.3, 1.3, len(one))
    breaks = rng.random(len(one)) < 0.35
    hour[breaks] = rng.choice([10.2, 12.5, 15.5], breaks.sum()) + 0.5 * rng.random(breaks.sum())
    start = BEGIN + day * DAY + (hour * HOUR).astype(np.int64) // TICK * TICK
    row = np.repeat(np.arange(len(one)), last)
    tick = np.arange(len(row)) - np.repeat(np.cumsum(last) - last, last)
    return start[row] + tick * TICK, one[row], other[row]
