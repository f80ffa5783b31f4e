"""The owner's look-ups told apart from the thief's, with the evidence for each.

The account is compared with its own past: where it came from (device, network), at what hours, how
much it does in a day, and how well a harvest explains each look-up, as detection says it. A period
is separable *by place* when what came from a new place is unusual while what came from the owner's
places is not; *by hour* likewise. Otherwise nothing in the log tells the two apart, and that is
what the answer says: a person wrongly left out is never told, one wrongly counted is told once too
often.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.exposure.habits import Habit, Places, look_back, look_within
from vigie.exposure.scope import Boundary, Scope
from vigie.language import N_

Flags = NDArray[np.bool_]

UNUSUAL: Final = {"place": 5.0, "hour": 8.0}
"""Standard errors above the account's own past from which a part of the period is unusual. Hours
alone say little: owners work late too, so what is late must be a burst."""
QUIET: Final = {"place": 2.0, "hour": 1.0}
"""Standard errors up to which the rest is as usual."""
_ECLIPSED: Final = 4.0
_AT_MOST: Final = 7.0
"""Days differ more than independent look-ups would. Beside a part `_ECLIPSED` times as unusual,
the rest may be up to `_AT_MOST` standard errors above the past and still be the owner's."""
_FEWEST: Final = {"place": 10, "hour": 20}
"""Look-ups with evidence below which nothing is concluded."""
_MOST_DAYS: Final = 2.5
"""Times the usual work of a day from which the rest is not as usual, whatever the evidence."""
_NEVER: Final = 0.002
"""Share of the past below which the account did not work at an hour, one hour either side."""

BECAUSE: Final = {
    "new_device": N_("from a device that this account never used before"),
    "new_network": N_("from a network that this account did not use regularly before"),
    "same_session": N_("in a session that also came from a new place"),
    "own_place": N_("from a device and a network of the owner, where nothing is unusual"),
    "new_hour": N_("at an hour at which this account never worked before"),
    "own_hour": N_("at an hour of the owner, where nothing is unusual"),
    "cited": N_("cited by an alert"),
    "no_difference": N_("nothing in the log tells the owner from the thief"),
    "no_past": N_("too little of this account's past is known to compare with"),
    "said": N_("so decided"),
}
"""The evidence of a verdict, as a sentence part."""

VERDICTS: Final = pa.schema(
    [
        pa.field("account", pa.string()),
        pa.field("session", pa.string()),
        pa.field("network", pa.string()),
        pa.field("device", pa.string()),
        pa.field("user_agent", pa.string()),
        pa.field("hour", pa.int64()),
        pa.field("certainty", pa.string()),
        pa.field("because", pa.string()),
    ]
)
"""Whose the accesses of one session, place and hour are, and why: a key of BECAUSE."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How each account was told apart (`place`, `hour`, `none`, `said`), and the verdicts."""

    ways: dict[str, str] = field(default_factory=dict)
    verdicts: pa.Table = field(default_factory=VERDICTS.empty_table)

    @property
    def uniform(self) -> dict[str, str] | None:
        """The verdict of each account when it has but one: then no place need be looked at."""
        pairs = {tuple(row.values()) for row in self._pairs().to_pylist()}
        return dict(pairs) if len(pairs) == len({account for account, _ in pairs}) else None

    def _pairs(self) -> pa.Table:
        return self.verdicts.group_by(["account", "certainty"]).aggregate([])


@dataclass(frozen=True, slots=True)
class _Verdict:
    way: str
    certainty: NDArray[Any]
    because: NDArray[Any]


def separate(connection: Any, scope: Scope) -> Separation:
    """Return the verdicts for every account and period of the scope.

    The view `evidence` (event_id, ratio, cited) must stand; without a row in it nothing is told
    apart, because place alone is no proof: owners travel.
    """
    ways: dict[str, str] = {}
    tables = [VERDICTS.empty_table()]
    for one in scope.table().to_pylist():
        account, since = one["account"], one["since"]
        places = look_within(connection, account, since, one["until"])
        found = _decide(scope.boundary, look_back(connection, account, since), places)
        ways[account] = found.way if ways.get(account, found.way) == found.way else "none"
        tables.append(_verdicts(account, places, found))
    return Separation(ways, _once(pa.concat_tables(tables), ways))


def _decide(boundary: Boundary, habit: Habit, places: Places) -> _Verdict:
    if boundary.sessions:
        return _said(boundary, places)
    if not habit.known or not habit.units:
        return _undecided(places, "no_past")
    device = _new(places.texts("device"), habit.devices)
    network = _new(places.texts("network"), habit.networks)
    hopped = _in_session_of(places, device | network)
    new = device | network | hopped
    if _stands_out("place", habit, places, new):
        certainty = np.where(device, "certain", np.where(new, "probable", "owner"))
        because = np.select(
            [device, network, hopped], ["new_device", "new_network", "same_session"], "own_place"
        )
        return _Verdict("place", certainty, because)
    late = _unworked(habit)[places.numbers("hour").astype(np.int64)]
    if _stands_out("hour", habit, places, late):
        return _Verdict(
            "hour", np.where(late, "probable", "owner"), np.where(late, "new_hour", "own_hour")
        )
    return _undecided(places, "no_difference")


def _said(boundary: Boundary, places: Places) -> _Verdict:
    stolen = np.array([text in boundary.sessions for text in places.texts("session")], bool)
    return _Verdict("said", np.where(stolen, "certain", "owner"), np.full(len(stolen), "said"))


def _undecided(places: Places, why: str) -> _Verdict:
    count = places.table.num_rows
    return _Verdict("none", np.full(count, "not_separable"), np.full(count, why))


def _new(words: list[str | None], known: frozenset[str]) -> Flags:
    return np.array([word is not None and word not in known for word in words], bool)


def _in_session_of(places: Places, chosen: Flags) -> Flags:
    """Say which entries are in a session of which a part was chosen."""
    sessions = places.texts("session")
    hit = {name for name, yes in zip(sessions, chosen.tolist(), strict=True) if yes and name}
    return np.array([name in hit for name in sessions], bool)


def _unworked(habit: Habit) -> Flags:
    around = habit.hours + np.roll(habit.hours, 1) + np.roll(habit.hours, -1)
    unworked: Flags = around < _NEVER * max(habit.hours.sum(), 1.0)
    return unworked


def _stands_out(way: str, habit: Habit, places: Places, part: Flags) -> bool:
    """Whether `part` is unusual for the account and all the rest is as usual."""
    if not part.any():
        return False
    units = places.numbers("units")
    height = _height(habit, places, part)
    if units[part].sum() < _FEWEST[way] or height < UNUSUAL[way]:
        return False
    rest = ~part
    if not rest.any():
        return True
    days = len(np.unique(places.numbers("day")[rest]))
    busy = places.numbers("accesses")[rest].sum() > _MOST_DAYS * habit.daily * max(days, 1)
    allowed = QUIET[way]
    if way == "place":
        allowed = min(max(allowed, height / _ECLIPSED), _AT_MOST)
    return not busy and _height(habit, places, rest) < allowed


def _height(habit: Habit, places: Places, part: Flags) -> float:
    """Return how many standard errors a part's mean evidence is above the account's past."""
    count = places.numbers("units")[part].sum()
    if not count:
        return 0.0
    mean = places.numbers("total")[part].sum() / count
    return float((mean - habit.mean) / max(habit.spread, 1e-9) * np.sqrt(count))


def _verdicts(account: str, places: Places, found: _Verdict) -> pa.Table:
    columns = [places.table.column(name).cast(pa.string()) for name in VERDICTS.names[1:5]]
    hour = places.table.column("hour").cast(pa.int64())
    names = pa.repeat(pa.scalar(account), places.table.num_rows)
    told = [pa.array(values.tolist(), pa.string()) for values in (found.certainty, found.because)]
    return pa.table([names, *columns, hour, *told], schema=VERDICTS)


def _once(verdicts: pa.Table, ways: dict[str, str]) -> pa.Table:
    """Keep one verdict per place; an account whose periods disagree is not separable at all."""
    keys = VERDICTS.names[:6]
    unique = verdicts.group_by(keys).aggregate([("certainty", "min"), ("because", "min"),
                                                ("certainty", "count_distinct")])  # fmt: skip
    names = {*unique.filter(_differs(unique)).column("account").to_pylist()}
    rows = unique.rename_columns([*keys, "certainty", "because", "n"]).drop_columns(["n"])
    if not names:
        return rows.select(VERDICTS.names).cast(VERDICTS).sort_by([(k, "ascending") for k in keys])
    ways.update(dict.fromkeys(names, "none"))
    mixed = np.isin(np.array(rows.column("account").to_pylist(), object), list(names))
    certainty = np.where(mixed, "not_separable", rows.column("certainty").to_numpy())
    because = np.where(mixed, "no_difference", rows.column("because").to_numpy())
    plain = rows.select(keys).append_column("certainty", pa.array(certainty.tolist()))
    plain = plain.append_column("because", pa.array(because.tolist()))
    return plain.cast(VERDICTS).sort_by([(key, "ascending") for key in keys])


def _differs(unique: pa.Table) -> Any:
    return pa.array(unique.column("certainty_count_distinct").to_numpy() > 1)
