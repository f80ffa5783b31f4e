"""What an alert will have to say, kept as the log goes by: the units that spoke, and the habits.

Of each account only the units that spoke for a harvest since its climb began are kept: an alarm
cites them. Habits are counts over the days before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vigie.detectors.base import Ratios
from vigie.detectors.kernel import Statistic
from vigie.kernels import Floats, Int32s, compiled
from vigie.timeline.front import BEGINNING, Times
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes
from vigie.timeline.units import Units

_SIZES: Final = ("record_count", "bytes")
_SPARED: Final = (
    "page", "familiar", "source", "person", "pair", "since", "action", "act",
)  # fmt: skip
_TOLD: Final = {
    "text": ("organisation", "unit", "device", "network", "actor_kind"), "number": _SIZES,
}  # fmt: skip
"""Columns of units that neither the watch nor campaigns look at; of texts and numbers, those that
they do."""
_FEWEST: Final = 1 << 14
"""Units kept before the trail is looked through for what can go."""


@dataclass(frozen=True, slots=True)
class Look:
    """Units of one day with their evidence, and the peer groups of that day.

    `group` has one entry per unit, `active_group` one per account-day that begins here.
    """

    units: Units
    group: Codes
    active_group: Codes
    ratios: Ratios

    def slim(self) -> "Look":
        """Return the look with the columns that an alert may tell of, and no others."""
        bare: dict[str, Any] = {
            name: np.empty(0, getattr(self.units, name).dtype) for name in _SPARED
        }
        for group, names in _TOLD.items():
            bare[group] = {name: getattr(self.units, group)[name] for name in names}
        return replace(self, units=replace(self.units, **bare))


@dataclass(frozen=True, slots=True)
class Alarm:
    """One crossing: the account, the numbers of its unit and of the first of the change, when."""

    account: int
    unit: int
    since: int
    at: int
    hypothesis: int
    level: float


@dataclass(frozen=True, slots=True)
class Cited:
    """Units that an alarm cites, in order; `before` are the account's active days before each.

    `earlier` counts the units that spoke for the hypothesis before the first one cited.
    """

    uid: Times
    at: Times
    before: Times
    patient: Codes
    file: Codes
    line: Times
    row: Times
    sizes: NDArray[np.float64]
    earlier: int = 0

    def lines(self, files: Sequence[str]) -> list[str]:
        """Name the lines as `file:line`, or by their row where the log names no file."""
        return [
            f"{files[file]}:{line}" if file >= 0 else str(row)
            for file, line, row in zip(
                self.file.tolist(), self.line.tolist(), self.row.tolist(), strict=True
            )
        ]


class Trail(State):
    """The units that spoke for any hypothesis, as long as an alarm may still cite them."""

    def __init__(self, hypotheses: int) -> None:
        self.seen = 0
        self._spoke = np.zeros((0, hypotheses), np.int32)
        self._parts: list[dict[str, NDArray[Any]]] = []
        self._kept, self._most = 0, _FEWEST

    def __len__(self) -> int:
        """Return how many units are kept."""
        return self._kept

    def add(self, look: Look, days: Codes, alarming: Times, statistic: Statistic) -> None:
        """Keep the units that spoke, and those that raised an alarm."""
        units = look.units
        if self._kept > self._most:
            self._prune(statistic)
        spoke = look.ratios > 0
        kept = np.asarray(spoke.any(axis=1))
        kept[alarming] = True
        chosen = np.flatnonzero(kept)
        account = units.account[chosen]
        self._spoke = grown(self._spoke, units.known)
        np.add.at(self._spoke, account, spoke[chosen].astype(np.int32))
        part: dict[str, NDArray[Any]] = {
            "uid": chosen + self.seen, "account": account, "at": units.at[chosen],
            "before": days[account].astype(np.int64) - 1, "patient": units.patient[chosen],
            "file": units.place["source_file"][chosen], "line": units.place["source_line"][chosen],
            "row": units.row[chosen], "spoke": spoke[chosen],
            "sizes": np.stack([units.number[name][chosen] for name in _SIZES], axis=1),
        }  # fmt: skip
        self._parts.append(part)
        self._kept += len(chosen)
        self.seen += len(units)

    def _prune(self, statistic: Statistic) -> None:
        """Let go of what no climb that goes on began with."""
        whole = self._whole()
        oldest = statistic.oldest()[whole["account"]]
        needed = (whole["spoke"] & (whole["uid"][:, None] >= oldest)).any(axis=1)
        self._parts = [{name: values[needed] for name, values in whole.items()}]
        self._kept = int(needed.sum())
        self._most = max(_FEWEST, 2 * self._kept)

    def _whole(self) -> dict[str, NDArray[Any]]:
        if len(self._parts) > 1:
            names = self._parts[0]
            self._parts = [{n: np.concatenate([p[n] for p in self._parts]) for n in names}]
        return self._parts[0]

    def cited(self, alarm: Alarm) -> Cited:
        """Return the units that spoke for an alarm since its change, and that which raised it."""
        whole = self._whole()
        mine = np.flatnonzero((whole["account"] == alarm.account) & (whole["uid"] >= alarm.since))
        uid, spoke = whole["uid"][mine], whole["spoke"][mine, alarm.hypothesis]
        cited = mine[(uid <= alarm.unit) & (spoke | (uid == alarm.unit))]
        later = int((spoke & (uid >= whole["uid"][cited[0]])).sum())
        earlier = int(self._spoke[alarm.account, alarm.hypothesis]) - later
        names = ("uid", "at", "before", "patient", "file", "line", "row", "sizes")
        return Cited(**{name: whole[name][cited] for name in names}, earlier=earlier)


class Tally(State):
    """What accounts and peer groups did on the days before: counts, and largest requests."""

    def __init__(self, hypotheses: int) -> None:
        self.days = np.zeros(0, np.int32)
        self._day = BEGINNING
        self._group_spoke, self._group_days = np.zeros((0, hypotheses)), np.zeros(0)
        self._spoke_today, self._days_today = np.zeros((0, hypotheses)), np.zeros(0)
        self._largest, self._largest_today = np.zeros((0, 2)), np.zeros((0, 2))
        self._group_largest, self._group_largest_today = np.zeros((0, 2)), np.zeros((0, 2))

    def see(self, look: Look) -> None:
        """Count what these units of one day do; it tells from the next day on."""
        units, group = look.units, look.group
        if len(units) and units.day[0] != self._day:
            self._close()
            self._day = int(units.day[0])
        groups = int(max(group.max(initial=-1), look.active_group.max(initial=-1))) + 1
        self._make_room(units.known, groups)
        self.days[units.active[0]] += 1
        known = look.active_group >= 0
        np.add.at(self._days_today, look.active_group[known], 1.0)
        _count(
            units.account, group, look.ratios, units.number["record_count"], units.number["bytes"],
            self._spoke_today, self._largest_today, self._group_largest_today,
        )  # fmt: skip

    def _close(self) -> None:
        self._group_spoke += self._spoke_today
        self._group_days += self._days_today
        self._spoke_today[:], self._days_today[:] = 0.0, 0.0
        np.maximum(self._largest, self._largest_today, out=self._largest)
        np.maximum(self._group_largest, self._group_largest_today, out=self._group_largest)
        self._largest_today[:], self._group_largest_today[:] = 0.0, 0.0

    def _make_room(self, accounts: int, groups: int) -> None:
        self.days = grown(self.days, accounts)
        self._largest = grown(self._largest, accounts)
        self._largest_today = grown(self._largest_today, accounts)
        for name in (
            "_group_spoke", "_group_days", "_spoke_today", "_days_today", "_group_largest",
            "_group_largest_today",
        ):  # fmt: skip
            setattr(self, name, grown(getattr(self, name), groups))

    def told(
        self, alarm: Alarm, name: str, cited: Cited, group: int
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Return own and peers' habit, and what was seen, in the terms of the sentence.

        Own days are those before the first unit cited, peers' days those before the alarm's.
        """
        observed = {"seconds": float(alarm.at - cited.at[0]) / 1e6}
        if name == "bulk_export":
            column = 0 if (cited.sizes[:, 0] > 0).any() else 1
            own = self._largest[alarm.account, column]
            peers = self._group_largest[group, column]
            usual = {"own": float(own), "peers": float(peers)}
            return usual, observed | {"records": float(cited.sizes[:, column].max())}
        own = cited.earlier / max(int(cited.before[0]), 1)
        peers = self._group_spoke[group, alarm.hypothesis] / max(self._group_days[group], 1)
        return {"own": round(float(own), 2), "peers": round(float(peers), 2)}, observed


@compiled
def _count(
    account: Int32s, group: Int32s, ratios: Floats, records: Floats, octets: Floats, spoke: Floats,
    largest: Floats, group_largest: Floats,
) -> None:  # fmt: skip
    for i in range(account.size):
        a, g = account[i], group[i]
        for h in range(ratios.shape[1]):
            if ratios[i, h] > 0:
                spoke[g, h] += 1.0
        largest[a, 0] = max(largest[a, 0], records[i])
        largest[a, 1] = max(largest[a, 1], octets[i])
        group_largest[g, 0] = max(group_largest[g, 0], records[i])
        group_largest[g, 1] = max(group_largest[g, 1], octets[i])
