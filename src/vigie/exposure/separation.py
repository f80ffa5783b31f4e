"""The owner's look-ups told apart from the thief's, with the evidence for each.

The account is compared with its own past: where it came from (device, network), at what hours, how
much it does in a day, and how well a harvest explains each look-up, as detection says it. A period
is separable *by place* when what came from a new place is unusual while what came from the owner's
places is not; *by hour* likewise (`hours`). Otherwise nothing in the log tells the two apart, and
that is what the answer says: a person wrongly left out is never told, one wrongly counted is told
once too often.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.exposure.asking import holds
from vigie.exposure.habits import Habit, Places, look, look_at_places
from vigie.exposure.hours import Gauges, Strangers, find_late, measure, tell_by_hour
from vigie.exposure.scope import Boundary, Scope
from vigie.exposure.strangers import find_strangers
from vigie.language import N_

Flags = NDArray[np.bool_]

_QUIET: Final = 3.0
"""Standard errors above the account's own past up to which what came from its places is as usual.
Days differ more than independent look-ups would."""
_MET: Final = 6
"""Times that somebody worked in two places within half an hour, from which it is two people."""
_MORE: Final = 5.0
"""Times more often than in the account's past: some owners always work in two places."""
_TRAVELLING: Final = (18, 6.0)
"""The same two for an account that often came from elsewhere: there a quiet thief would hide."""
_PLAIN: Final = 12
"""Times from which it is two people beyond doubt, if it never happened before."""
_MANY: Final = 100
"""Times that nothing else explains, whatever the evidence: a long theft, whose many days differ."""
_MANY_UNTIL_THEN: Final = 50
"""The same where the time afterwards is compared with, and it never happened in that time."""
_LOUDEST: Final = 6.0
"""Standard errors up to which the rest may then still be the owner's."""
_BURST: Final = {"height": 5.0, "rest": 2.0, "away": 0.2, "units": 10}
"""A sitting elsewhere beside which the owner hardly worked: unusual by its evidence, the rest as
usual, and no more than a fifth of past days with work from elsewhere."""
BECAUSE: Final = {
    "new_device": N_("from a device and a network that this account never used before"),
    "new_network": N_("from a network that this account did not use regularly before"),
    "same_session": N_("in a session that also came from a new place"),
    "own_place": N_("from a device or a network of the owner, where nothing is unusual"),
    "own_place_open": N_(
        "from a device or a network of the owner, where nothing is unusual, and as much could hide"
    ),
    "new_hour": N_("at an hour or on a weekday on which this account never worked before"),
    "same_stretch": N_("in one stretch of work with what came at such an hour"),
    "seldom_hour": N_("at an hour or on a weekday on which this account seldom works"),
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
        pa.field("day", pa.int64()),
        pa.field("certainty", pa.string()),
        pa.field("because", pa.string()),
    ]
)
"""Whose the accesses of one session, place, hour and day (since 1970) are, and why: a key of
BECAUSE."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How each account was told apart (`place`, `hour`, `part`, `none`, `said`); the verdicts."""

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
    compared = not scope.boundary.sessions and holds(connection, "SELECT 1 FROM evidence LIMIT 1")
    for one in scope.table().to_pylist():
        account, period = one["account"], (one["since"], one["until"])
        if compared:
            habit, places = look(connection, account, *period)
            asked = partial(find_strangers, connection, account, period, places.table)
            found = _decide(habit, places, asked)
        else:
            places = look_at_places(connection, account, *period)
            found = _said(scope.boundary, places) or _undecided(places, "no_past")
        ways[account] = found.way if ways.get(account, found.way) == found.way else "none"
        tables.append(_verdicts(account, places, found))
    return Separation(ways, _once(pa.concat_tables(tables), ways))


def _decide(habit: Habit, places: Places, strangers: Strangers) -> _Verdict:
    if not habit.known:
        return _undecided(places, "no_past")
    elsewhere = places.flags("elsewhere")
    hopped = places.in_session_of(elsewhere)
    if _came_from_elsewhere(habit, places, elsewhere | hopped):
        device, never = elsewhere & places.flags("with_device"), find_late(habit, places).never
        parts = [device, elsewhere, hopped, never]
        sure = ["certain", "probable", "probable", "not_separable"]
        why = ["new_device", "new_network", "same_session", "new_hour"]
        gauges = measure(habit, places, elsewhere | hopped | never, strangers)
        way, whose, reason = _at_home(gauges, habit.before)
        return _Verdict(way, np.select(parts, sure, whose), np.select(parts, why, reason))
    told = tell_by_hour(habit, places, strangers)
    if told is not None:
        late, whole = told
        thief, rest = late.never | late.stretch, "owner" if whole else "not_separable"
        certainty = np.select([thief, late.seldom], ["probable", "not_separable"], rest)
        own = "own_hour" if whole else "no_difference"
        because = np.select(list(late), ["new_hour", "same_stretch", "seldom_hour"], own)
        return _Verdict("hour" if whole else "part", certainty, because)
    return _undecided(places, "no_difference")


def _at_home(gauges: Gauges | None, before: bool) -> tuple[str, str, str]:
    """Return how an account is told apart by place, whose the rest is and why.

    Somebody who came from elsewhere is seldom at the owner's place as well: the rest is the
    owner's as long as it looks so. What could hide as much there is said.
    """
    if gauges is None:
        return "place", "owner", "own_place"
    if not gauges.quiet(before):
        return "part", "not_separable", "no_difference"
    if gauges.most < 1:
        return "place", "owner", "own_place"
    return "place", "possible", "own_place_open"


def _came_from_elsewhere(habit: Habit, places: Places, part: Flags) -> bool:
    """Whether `part` is another person's and all the rest the owner's.

    Two people are seen by a device and a network that nobody here used before, or by work in two
    places within half an hour, again and again; one alone, by a burst. A thief who was at the
    owner's place as well would make the rest unusual.
    """
    rest = ~part
    if not part.any():
        return False
    height, loudness = _height(habit, places, part), _height(habit, places, rest)
    met = places.numbers("switches").sum()
    usually = habit.switches * len(np.unique(places.numbers("day"))) / habit.days
    travels = habit.away_days > _BURST["away"] * habit.days
    least, more = _TRAVELLING if travels else (_MET, _MORE)
    apart = met >= least and met >= more * usually
    many = met >= _MANY and not habit.switches
    if not habit.before:
        ended = met >= _MANY_UNTIL_THEN and not habit.switches
        told = apart and (ended or height >= _BURST["height"])
        return bool(told and _height(habit, places, rest, uncertain=True) < _QUIET)
    if many:
        return loudness < 2 * _LOUDEST
    plain = met >= max(_PLAIN, least) and not habit.switches
    if plain or (part & places.flags("with_device")).any():
        return loudness < _LOUDEST
    if apart and loudness < _QUIET:
        return True
    burst = not travels and height >= _BURST["height"]
    enough = places.numbers("units")[part].sum() >= _BURST["units"]
    return bool(burst and enough and loudness < _BURST["rest"])


def _said(boundary: Boundary, places: Places) -> _Verdict | None:
    if not boundary.sessions:
        return None
    stolen = np.array([text in boundary.sessions for text in places.texts("session")], bool)
    return _Verdict("said", np.where(stolen, "certain", "owner"), np.full(len(stolen), "said"))


def _undecided(places: Places, why: str) -> _Verdict:
    count = places.table.num_rows
    return _Verdict("none", np.full(count, "not_separable"), np.full(count, why))


def _height(habit: Habit, places: Places, part: Flags, uncertain: bool = False) -> float:
    """Return how many standard errors a part's mean evidence is above the account's past.

    Of a past of few days the mean is `uncertain` as well.
    """
    count = places.numbers("units")[part].sum()
    if not count:
        return 0.0
    mean = places.numbers("total")[part].sum() / count
    looks = count / (1 + count / habit.units) if uncertain else count
    return float((mean - habit.mean) / max(habit.spread, 1e-9) * np.sqrt(looks))


def _verdicts(account: str, places: Places, found: _Verdict) -> pa.Table:
    columns = [places.table.column(name).cast(pa.string()) for name in VERDICTS.names[1:5]]
    columns += [places.table.column(name).cast(pa.int64()) for name in ("hour", "day")]
    names = pa.repeat(pa.scalar(account), places.table.num_rows)
    told = [pa.array(values.tolist(), pa.string()) for values in (found.certainty, found.because)]
    return pa.table([names, *columns, *told], schema=VERDICTS)


def _once(verdicts: pa.Table, ways: dict[str, str]) -> pa.Table:
    """Keep one verdict per place; an account whose periods disagree is not separable at all."""
    keys = VERDICTS.names[:7]
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
