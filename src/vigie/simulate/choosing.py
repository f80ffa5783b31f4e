"""Whom an account meets next: its own patients, its colleagues', new ones, strangers."""

import numpy as np

from vigie.simulate.parameters import SOURCES
from vigie.simulate.population import Floats, Ints, Population, near

OWN, TEAM, ORGANISATION, NEW, LOCAL, REGION, ANYWHERE = range(len(SOURCES))


class Groups:
    """Members of numbered groups, one of which can be drawn."""

    def __init__(self, group: Ints, members: Ints | None = None) -> None:
        chosen = np.arange(len(group)) if members is None else members
        self._order = chosen[np.argsort(group[chosen], kind="stable")]
        self._starts = np.searchsorted(group[self._order], np.arange(int(group.max()) + 2))

    def member(self, rng: np.random.Generator, group: Ints) -> Ints:
        """Draw a member of each `group`; -1 when it has none."""
        low, high = self._starts[group], self._starts[group + 1]
        picked = low + (rng.random(len(group)) * (high - low)).astype(np.int64)
        if not len(self._order):
            return np.full(len(group), -1)
        drawn = self._order[np.minimum(picked, len(self._order) - 1)]
        return np.where(high > low, drawn, -1)


class Chooser:
    """Draws patients for encounters, by source."""

    def __init__(self, rng: np.random.Generator, people: Population) -> None:
        self._rng = rng
        self._people = people
        self._by_team = Groups(people.team)
        self._by_organisation = Groups(people.organisation)

    def own(self, sequence: Ints, day: Floats) -> Ints:
        """Draw a known patient: of the latest `window`, or chronic and recent ones of a panel."""
        sequences, rng = self._people.sequences, self._rng
        frontier = sequences.frontier(sequence, day)
        window = np.minimum(sequences.window[sequence], frontier)
        share = rng.random(len(sequence))
        recent = frontier - 1 - (np.maximum(window, 1) * share).astype(np.int64)
        chronic = (sequences.known[sequence] * share**2.2).astype(np.int64)
        late = frontier - 1 - (frontier * share**2.5).astype(np.int64)
        panel = np.where(rng.random(len(sequence)) < 0.6, chronic, late)
        place = np.clip(np.where(window > 0, recent, panel), 0, frontier - 1)
        found: Ints = sequences.patients[sequences.starts[sequence] + place]
        return found

    def fresh(self, sequence: Ints, day: Floats) -> Ints:
        """Draw the next patients of a sequence: unknown until now, regular from now on."""
        sequences = self._people.sequences
        place = sequences.frontier(sequence, day) + self._rng.integers(0, 2, len(sequence))
        found: Ints = sequences.patients[sequences.starts[sequence] + place]
        return found

    def colleague(self, account: Ints, day: Floats) -> Ints:
        """Draw a patient of somebody in the same team."""
        member = self._by_team.member(self._rng, self._people.team[account])
        return self.own(self._people.sequence[member], day)

    def of_organisation(self, organisation: Ints, day: Floats) -> Ints:
        """Draw a patient of somebody in the same organisation."""
        member = self._by_organisation.member(self._rng, organisation)
        return self.own(self._people.sequence[member], day)

    def nearby(self, organisation: Ints) -> Ints:
        """Draw somebody who lives near."""
        people = self._people
        spans = people.commune_span, people.area_span
        return near(self._rng, organisation, *spans, people.register, (0.6, 1.0))

    def elsewhere(self, count: int) -> Ints:
        """Draw somebody who lives near another organisation of the platform."""
        sites = len(self._people.commune_span)
        return self.nearby(self._rng.integers(sites, size=count))

    def anyone(self, count: int) -> Ints:
        """Draw somebody."""
        return self._rng.integers(self._people.register.size, size=count)

    def by_source(
        self, source: Ints, account: Ints, organisation: Ints, sequence: Ints, day: Floats
    ) -> Ints:
        """Draw one patient per row from the row's source."""
        patient = np.empty(len(source), np.int64)
        for code in range(len(SOURCES)):
            rows = np.flatnonzero(source == code)
            who, where, whose, when = account[rows], organisation[rows], sequence[rows], day[rows]
            patient[rows] = (
                self.own(whose, when) if code == OWN
                else self.colleague(who, when) if code == TEAM
                else self.of_organisation(where, when) if code == ORGANISATION
                else self.fresh(whose, when) if code == NEW
                else self.nearby(where) if code == LOCAL
                else self.elsewhere(len(rows)) if code == REGION
                else self.anyone(len(rows))
            )  # fmt: skip
        return patient
