"""Campaigns: accounts that move together become one alert that names them all.

Runs beside the watch over single accounts (see `watch`), on the same evidence and a share of the
same alarm budget. Alarms of groups that share an account, seven days apart at most, are one alert,
whether the accounts were joined by their organisation, their team, a device or a network.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vigie.alerts.trails import Look
from vigie.alerts.watch import LEVELS, QUIET, Alert, alert_identity, few, moment, span
from vigie.detectors.base import Partition, Ratios
from vigie.detectors.campaigns import (
    KINDS,
    POOLED,
    SHARES,
    Candidates,
    Gathered,
    Kind,
    limit,
)
from vigie.detectors.pooling import Passage
from vigie.language import LANGUAGES, N_, _, number, speaking
from vigie.timeline.memory import State, grown
from vigie.timeline.units import DAY, Units

REASONS: Final = {
    "joint_organisation": N_(
        "Accounts of one organisation move together: {accounts} accounts opened records of persons "
        "whom neither they, their teams nor their organisation knew, {patients} in {span}; on a "
        "usual day this organisation opens {own} such records, others {peers}."
    ),
    "joint_team": N_(
        "Accounts of one team move together: {accounts} accounts opened records of persons whom "
        "neither they, their team nor their organisation knew, {patients} in {span}; on a usual "
        "day this team opens {own} such records, others {peers}."
    ),
    "joint_device": N_(
        "Accounts move together on one device that is new to each of them: {accounts} accounts "
        "opened records of persons whom neither they, their teams nor their organisation knew, "
        "{patients} in {span}; on a usual day accounts on this device open {own} such records, "
        "on other new ones {peers}."
    ),
    "joint_network": N_(
        "Accounts move together on one network that is new to each of them: {accounts} accounts "
        "opened records of persons whom neither they, their teams nor their organisation knew, "
        "{patients} in {span}; on a usual day accounts on this network open {own} such records, "
        "on other new ones {peers}."
    ),
}
"""Why, one sentence per kind of group."""
_LONGEST: Final = 14 * DAY
"""A campaign cites what was opened at most so long before its alarm."""


class Seen(Protocol):
    """A batch that was looked at, with the evidence of its units."""

    @property
    def partition(self) -> Partition:
        """Return the units."""

    @property
    def ratios(self) -> Ratios:
        """Return log ratios, shape (units, hypotheses)."""


@dataclass(frozen=True, slots=True)
class Citation:
    """When (µs), whom (a number, -1 for nobody) and where."""

    at: int
    patient: int
    line: str


@dataclass(slots=True)
class Move:
    """The alarms of groups that share accounts, with what they cite by unit number."""

    kind: str
    opened: int
    last: int
    accounts: list[int]
    usual: dict[str, float]
    strength: float = 0.0
    gravity: int = 0
    cited: dict[int, Citation] = field(default_factory=dict)

    @property
    def begun(self) -> int:
        """Return when the first access was made that is cited."""
        return min((one.at for one in self.cited.values()), default=self.opened)

    def takes(self, accounts: Sequence[int], at: int) -> bool:
        """Whether an alarm of these accounts at this time belongs here."""
        return at - self.last <= QUIET and not set(self.accounts).isdisjoint(accounts)


class Customs(State):
    """How many units a day spoke in each group of a kind, on the days before."""

    def __init__(self) -> None:
        self.spoke, self.days = np.zeros(0), np.zeros(0)
        self.today, self.met = np.zeros(0), np.zeros(0)
        self.day = -1

    def see(self, group: NDArray[np.int64], spoke: NDArray[np.bool_], day: int) -> None:
        """Count units of one day; they tell from the next day on."""
        if day != self.day:
            self.spoke += self.today
            self.days += self.met
            self.today[:], self.met[:], self.day = 0.0, 0.0, day
        for name in ("spoke", "days", "today", "met"):
            setattr(self, name, grown(getattr(self, name), int(group.max(initial=-1)) + 1))
        self.met[group] = 1.0
        np.add.at(self.today, group[spoke], 1.0)

    def told(self, group: int) -> dict[str, float]:
        """Return what is usual for this group and for the others of its kind."""
        own = self.spoke[group] / max(self.days[group], 1)
        others = self.spoke.sum() - self.spoke[group]
        peers = others / max(self.days.sum() - self.days[group], 1)
        return {"own": round(float(own), 2), "peers": round(float(peers), 2)}


class Campaigns(State):
    """Turns the evidence of groups into alerts as it comes.

    First `learn`, day by day; then `arm`; then `watch`, from the first day again.
    """

    def __init__(self, hypotheses: Sequence[str], files: Sequence[str]) -> None:
        self.column = hypotheses.index(POOLED) if POOLED in hypotheses else -1
        self.files = files
        self.account_days = 0
        self._begin()
        self.limits: dict[str, tuple[float, ...]] = {}
        """Levels of each gravity, by kind."""

    def _begin(self) -> None:
        self.candidates = Candidates()
        self.habits = {name: Customs() for name in KINDS}
        self.trail: dict[str, list[dict[str, NDArray[Any]]]] = {name: [] for name in KINDS}
        self.seen = 0
        self.open: list[Move] = []

    @property
    def share(self) -> float:
        """Return the share of the alarm budget that is used here."""
        return sum(SHARES.values()) if self.column >= 0 else 0.0

    def climbs(self) -> dict[int, int]:
        """Return since when each account with an open alert is suspected (µs)."""
        begun = [(move.accounts, move.begun) for move in self.open]
        return {account: since for accounts, since in begun for account in accounts}

    def learn(self, look: Look, since: int) -> None:
        """Follow units of one day of the learning part, judged from day `since` on."""
        if self.column < 0:
            return
        if len(look.units) and look.units.day[0] >= since:
            self.account_days += len(look.units.active[0])
        for kind, found, ratio in self.candidates.gather(look.units, self._ratio(look), look.group):
            kind.learn(look.units, found, ratio, since)

    def _ratio(self, look: Look) -> NDArray[np.float64]:
        return np.ascontiguousarray(look.ratios[:, self.column])

    def arm(self, budgets: Sequence[float]) -> None:
        """Fix the thresholds from what was learnt, and begin again from nothing.

        `budgets`, one per level of gravity, are in false alerts per 10,000 account-days, of which
        each kind uses its share. A kind without a week to learn from raises nothing.
        """
        for kind in self.candidates.kinds:
            kind.close()
            peaks = np.concatenate(kind.peaks)
            if len(peaks) and self.account_days:
                weekly = SHARES[kind.name] / 10_000 * self.account_days / len(peaks)
                self.limits[kind.name] = tuple(limit(peaks, weekly * one) for one in budgets)
        self._begin()

    def watch(self, look: Look) -> list[Alert]:
        """Return the campaign alerts that these units of one day open or change."""
        if self.column < 0 or not len(look.units):
            return []
        units, day = look.units, int(look.units.day[0])
        rank = np.empty(len(units), np.int64)
        rank[units.order] = np.arange(len(units)) + self.seen
        raised: list[tuple[int, int, Kind, int, Passage]] = []
        for kind, found, ratio in self.candidates.gather(units, self._ratio(look), look.group):
            _, added, passages = kind.pooled(units, found, ratio, self.reach(kind)[0])
            self.habits[kind.name].see(found.group, added > 0, day)
            self._keep(kind.name, units, found, added > 0, rank)
            for passage in passages:
                row, group = found.rows[passage.place], int(found.group[passage.place])
                raised.append((int(rank[row]), int(units.at[row]), kind, group, passage))
        raised.sort(key=lambda one: (one[0], KINDS.index(one[2].name)))
        alerts = [self._raise(units.accounts, *one[1:]) for one in raised]
        self.seen += len(units)
        self._close(int(units.at.max()))
        return alerts

    def reach(self, kind: Kind) -> tuple[float, ...]:
        """Return the level of each gravity."""
        return self.limits.get(kind.name, (np.inf,) * len(LEVELS))

    def _keep(
        self, name: str, units: Units, found: Gathered, spoke: NDArray[np.bool_],
        rank: NDArray[np.int64],
    ) -> None:  # fmt: skip
        if spoke.any():
            chosen = found.rows[spoke]
            self.trail[name].append({
                "uid": rank[chosen], "group": found.group[spoke], "member": found.member[spoke],
                "at": units.at[chosen], "patient": units.patient[chosen],
                "file": units.place["source_file"][chosen],
                "line": units.place["source_line"][chosen], "row": units.row[chosen],
            })  # fmt: skip

    def _close(self, at: int) -> None:
        """Let go of what nothing can cite or add to any more."""
        self.open = [one for one in self.open if at - one.last <= QUIET]
        for name, parts in self.trail.items():
            self.trail[name] = [part for part in parts if at - part["at"][-1] <= _LONGEST]

    def _raise(
        self, names: Sequence[str], at: int, kind: Kind, group: int, alarm: Passage
    ) -> Alert:
        """Add an alarm to the open alert of its accounts, or open one."""
        accounts = [int(kind.account[member]) for member in alarm.members]
        episode = next((one for one in self.open if one.takes(accounts, at)), None)
        if episode is None:
            episode = Move(kind.name, at, at, [], self.habits[kind.name].told(group))
            self.open.append(episode)
        episode.last = at
        episode.accounts += [one for one in accounts if one not in episode.accounts]
        episode.strength += alarm.level
        gravity = sum(alarm.level >= one for one in self.reach(kind)) - 1
        episode.gravity = max(episode.gravity, gravity)
        episode.cited.update(self._cited(kind.name, group, alarm, at))
        return _alert(names, episode)

    def _cited(self, name: str, group: int, alarm: Passage, at: int) -> dict[int, Citation]:
        """Return the units of those who spoke in the group since it climbs."""
        since = max(alarm.since, at - _LONGEST)
        told = {}
        for part in self.trail[name]:
            mine = (part["group"] == group) & (part["at"] >= since) & (part["at"] <= at)
            mine &= np.isin(part["member"], alarm.members)
            for one in np.flatnonzero(mine).tolist():
                file, line = int(part["file"][one]), int(part["line"][one])
                where = f"{self.files[file]}:{line}" if file >= 0 else str(int(part["row"][one]))
                told[int(part["uid"][one])] = Citation(
                    int(part["at"][one]), int(part["patient"][one]), where
                )
        return told


def retrace(
    campaigns: Campaigns, looks: Iterable[Seen], name: str, opened: int
) -> tuple[dict[str, NDArray[Any]], tuple[float, ...]]:
    """Return the course of the group of kind `name` that raised an alarm at `opened` (µs).

    And the thresholds of each gravity.

    Columns: `at` (µs), `patient`, `added` (nats), `level` (0 while too few accounts speak).
    """
    candidates, parts, group = Candidates(), [], -1
    thresholds: tuple[float, ...] = ()
    for seen in looks:
        units = seen.partition.units
        ratio = np.ascontiguousarray(seen.ratios[:, campaigns.column])
        peer = seen.partition.usual.group[units.account]
        for kind, found, ratios in candidates.gather(units, ratio, peer):
            if kind.name != name:
                continue
            at = units.at[found.rows]
            levels_of = campaigns.reach(kind)
            level, added, passages = kind.pooled(units, found, ratios, levels_of[0])
            for one in passages:
                if at[one.place] == opened:
                    group = int(found.group[one.place])
                    thresholds = levels_of
            patient = units.patient[found.rows]
            parts.append(
                {"group": found.group, "at": at, "patient": patient, "added": added, "level": level}
            )
    whole = {field: np.concatenate([part[field] for part in parts]) for field in parts[0]}
    whole["level"] = np.maximum(whole["level"], 0.0)
    mine = whole.pop("group") == group
    return {field: values[mine] for field, values in whole.items()}, thresholds


def _alert(names: Sequence[str], episode: Move) -> Alert:
    cited = [episode.cited[uid] for uid in sorted(episode.cited)]
    patients = len({one.patient for one in cited if one.patient >= 0})
    seconds = (episode.opened - episode.begun) / 1e6
    accounts = [names[account] for account in episode.accounts]
    observed = {
        "patients": float(patients), "seconds": seconds, "accounts": float(len(accounts)),
    }  # fmt: skip
    return Alert(
        id=alert_identity(accounts[0], episode.kind, episode.opened),
        account=accounts[0],
        accounts=accounts,
        level=LEVELS[min(episode.gravity, len(LEVELS) - 1)],
        opened_at=moment(episode.opened),
        last_at=moment(episode.last),
        patients=patients,
        evidence=round(float(episode.strength / np.log(10)), 2),
        hypothesis=episode.kind,
        why=_sentences(episode, observed),
        usual=episode.usual,
        observed=observed,
        lines=list(dict.fromkeys(one.line for one in cited)),
    )


def _sentences(move: Move, observed: dict[str, float]) -> dict[str, str]:
    said, usual = {}, move.usual
    for language in LANGUAGES:
        with speaking(language):
            said[language] = _(REASONS[move.kind]).format(
                accounts=number(observed["accounts"]), patients=number(observed["patients"]),
                span=span((move.last - move.begun) / 1e6), own=few(usual["own"]),
                peers=few(usual["peers"]),
            )  # fmt: skip
    return said
