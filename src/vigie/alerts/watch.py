"""Alerts: what a person reads, with the sentence that says why and the lines behind it.

An alarm is one crossing of a threshold; an alert is all crossings of one account until seven days
pass without one. No alert without lines.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Final

import msgspec
import numpy as np

from vigie.alerts.trails import Alarm, Look, Tally, Trail
from vigie.detectors.calibrate import Thresholds
from vigie.detectors.kernel import Statistic, Values
from vigie.language import LANGUAGES, N_, _, number, plural, speaking
from vigie.timeline.memory import State
from vigie.timeline.units import DAY

QUIET: Final = 7 * DAY
LEVELS: Final = ("watch", "step_up", "suspend")
GRAVEST: Final = {
    "fast_sweep": "watch",
    "identifier_walk": "watch",
    "name_walk": "watch",
    "own_panel": "watch",
    "curiosity": "watch",
    "rights_check_sweep": "step_up",
}
"""The gravest level that a hypothesis can raise; others raise any. Honest batches of work
(clean-ups, recalls) resemble the first four: how loud the first one of somebody who never did any
will be, no week before it foretells. Who is curious is the owner: to ask who is there answers
nothing. And a house that changes its software has the rights of its whole file checked in an
evening.
"""
REASONS: Final = {
    "register_sweep": N_(
        "Unusual access: records of persons whom neither this account, its team nor its "
        "organisation knew, {patients} in {span}; on a usual day this account opens {own} such "
        "records, its peers {peers}."
    ),
    "fast_sweep": N_(
        "Unusual access: records of strangers opened one after the other in a rush, {patients} in "
        "{span}; on a usual day this account opens {own} such records, its peers {peers}."
    ),
    "lasting_sweep": N_(
        "Unusual access: more records of persons whom neither this account, its team nor its "
        "organisation knew than its peers open, {patients} in {span}; on a usual day this account "
        "opens {own} such records, its peers {peers}."
    ),
    "identifier_walk": N_(
        "Unusual access: records opened in the order of their numbers, {patients} in {span}; on "
        "a usual day this account opens {own} in such order, its peers {peers}."
    ),
    "name_walk": N_(
        "Unusual access: records opened in alphabetical order, {patients} in {span}; on a usual "
        "day this account opens {own} in such order, its peers {peers}."
    ),
    "rights_check_sweep": N_(
        "Unusual access: rights checked one person after the other, {patients} in {span}, most "
        "of them unknown here; on a usual day this account makes {own} such checks, its peers "
        "{peers}."
    ),
    "own_panel": N_(
        "Unusual access: this account's own patients opened without a reason of care that the "
        "platform knows, {patients} in {span}; on a usual day this account opens {own} such "
        "records, its peers {peers}."
    ),
    "bulk_export": N_(
        "Unusual access: {records} records in one request; this account's largest request so far "
        "returned {own}, its peers' {peers}."
    ),
    "override_abuse": N_(
        "Unusual access: emergency override on persons unknown here, {patients} in {span}; on a "
        "usual day this account uses it {own} times, its peers {peers}."
    ),
    "password_spraying": N_(
        "Unusual login: from a network that this account had never used and that had just failed "
        "to log in to several others; {patients} opened in {span}. On a usual day this account "
        "has {own} such logins, its peers {peers}."
    ),
    "dangerous_changes": N_(
        "Unusual acts: changes that this account and its peers do not usually make (deletions, "
        "merges, stock, billing, rights, the log itself), {acts} in {span}; on a usual day this "
        "account makes {own}, its peers {peers}."
    ),
    "curiosity": N_(
        "Unusual access: records of persons whom the owner of this account knows (bearers of the "
        "same uncommon surname, the same address, colleagues) and whom no care explains, "
        "{patients} in {span}; on a usual day this account opens {own} such records, its peers "
        "{peers}."
    ),
}
"""Why, one sentence per hypothesis."""


class Alert(msgspec.Struct, frozen=True):
    """One alert, as `vigie scan --format json` prints it (times UTC).

    `evidence` is the decimal log of the statistic at the alarm: how many powers of ten the
    harvest explains the lines better than the account's habits do, summed over its alarms.
    `thresholds` are those that it was held against when it was raised, watch first, as decimal
    logs too, of the levels that its hypothesis can reach; those of a campaign are told with its
    story.
    """

    id: str
    account: str
    accounts: list[str]
    level: str
    opened_at: datetime
    last_at: datetime
    patients: int
    evidence: float
    hypothesis: str
    why: dict[str, str]
    usual: dict[str, float]
    observed: dict[str, float]
    lines: list[str]
    thresholds: list[float] = []


@dataclass(slots=True)
class Episode:
    """The alarms of an account, seven days apart at most, with what they cite by unit number."""

    alarms: list[Alarm]
    usual: dict[str, float]
    observed: dict[str, float]
    cited: dict[int, tuple[int, str]]
    limits: list[float]
    gravity: int = 0


class Watch(State):
    """Turns evidence into alerts as it comes; keeps what an alert will have to say.

    That is: habits counted per account and peer group on the days before, the units that spoke
    since each account's climb began, and the alerts that are still open.
    """

    def __init__(self, hypotheses: Sequence[str], files: Sequence[str]) -> None:
        self.hypotheses = tuple(hypotheses)
        self.files = files
        self.limits = np.empty((0, 0, 0))
        self.folds = 1
        self.statistic = Statistic(len(self.hypotheses))
        self.tally = Tally(len(self.hypotheses))
        self.trail = Trail(len(self.hypotheses))
        self.open: dict[int, Episode] = {}

    def arm(self, folds: Sequence[Thresholds], rarer: Sequence[float]) -> None:
        """Set the thresholds of each fold of the accounts, for every level of gravity.

        `rarer` says by how much rarer than one of the first level an alert of each must be. For
        the gravest level every group has the limit of the loudest one: what a group's few weeks did
        not show, another's may have.
        """
        self.folds = len(folds)
        logs = [[one.log(r) for one in folds] for r in rarer]
        for log in logs[-1]:
            log[:] = log.max(axis=0)
        self.limits = np.stack([np.concatenate(each) for each in logs])
        for place, name in enumerate(self.hypotheses):
            beyond = LEVELS.index(GRAVEST.get(name, LEVELS[-1])) + 1
            self.limits[beyond:, :, place] = np.inf

    def watch(self, look: Look) -> list[Alert]:
        """Return the alerts that these units of one day open or change, as they leave them."""
        units, ratios = look.units, look.ratios
        groups = self.limits.shape[1] // self.folds
        fold = units.account % self.folds
        group = np.minimum(look.group, np.int32(groups - 1)) + fold * np.int32(groups)
        self.tally.see(look)
        base = self.trail.seen
        found = self.statistic.follow(
            units.account, units.step, units.day, group, ratios, self.limits[0], base
        )
        self.trail.add(look, self.tally.days, found.unit, self.statistic)
        alarms = []
        crossings = zip(found.unit, found.hypothesis, found.level, found.since, strict=True)
        for unit, h, level, since in crossings:
            alarms.append(
                Alarm(
                    int(units.account[unit]), base + int(unit), int(since), int(units.at[unit]),
                    int(h), float(level),
                )
            )  # fmt: skip
        alarms.sort(key=lambda a: (a.at, units.accounts[a.account], a.unit, a.hypothesis))
        changed: dict[int, Episode] = {}
        for alarm in alarms:
            changed.pop(alarm.account, None)
            changed[alarm.account] = self._raise(alarm, int(look.group[alarm.unit - base]))
        return [self._alert(units.accounts[a], episode) for a, episode in changed.items()]

    def _raise(self, alarm: Alarm, group: int) -> Episode:
        """Add an alarm to the open alert of its account, or open one."""
        cited = self.trail.cited(alarm)
        lines = cited.lines(self.files)
        told = dict(zip(cited.uid.tolist(), zip(cited.patient.tolist(), lines, strict=True),
                        strict=True))  # fmt: skip
        episode = self.open.get(alarm.account)
        if episode is None or alarm.at - episode.alarms[-1].at > QUIET:
            name = self.hypotheses[alarm.hypothesis]
            usual, observed = self.tally.told(alarm, name, cited, group)
            limits = self._limits(alarm, group) / np.log(10)
            reached = limits[np.isfinite(limits)].tolist()
            episode = self.open[alarm.account] = Episode([], usual, observed, {}, reached)
        episode.alarms.append(alarm)
        episode.gravity = max(episode.gravity, self._gravity(episode, group))
        episode.cited.update(told)
        return episode

    def _gravity(self, episode: Episode, group: int) -> int:
        """Return the level that the evidence of the last alarm's hypothesis reaches, as a number.

        The statistic began anew after each alarm, and thresholds were measured without that: the
        alarms of an episode are summed.
        """
        last = episode.alarms[-1]
        level = sum(a.level for a in episode.alarms if a.hypothesis == last.hypothesis)
        return max(int((level >= self._limits(last, group)).sum()) - 1, 0)

    def _limits(self, alarm: Alarm, group: int) -> Values:
        """Return the log threshold of each level that this alarm is held against."""
        groups = self.limits.shape[1] // self.folds
        row = min(group, groups - 1) + alarm.account % self.folds * groups
        return np.asarray(self.limits[:, row, alarm.hypothesis])

    def climbs(self) -> dict[int, int]:
        """Return the accounts with an open alert, and when the climb to its first alarm began."""
        return {
            account: int(episode.alarms[0].at - episode.observed["seconds"] * 1e6)
            for account, episode in self.open.items()
        }

    def close(self, at: int) -> None:
        """Let go of the alerts to which nothing can be added any more at this time."""
        self.open = {a: e for a, e in self.open.items() if at - e.alarms[-1].at <= QUIET}

    def _alert(self, account: str, episode: Episode) -> Alert:
        first, alarms = episode.alarms[0], episode.alarms
        name = self.hypotheses[first.hypothesis]
        # One more alarm of the same hypothesis began from nothing: its evidence is new. That of
        # another hypothesis is not, so the strongest hypothesis speaks for the alert.
        kinds = {a.hypothesis for a in alarms}
        strength = max(sum(a.level for a in alarms if a.hypothesis == h) for h in kinds)
        cited = [episode.cited[uid] for uid in sorted(episode.cited)]
        patients = len({patient for patient, _ in cited if patient >= 0})
        seen = max(float(patients), episode.observed.get("records", 0.0))
        observed = episode.observed | {"patients": seen}
        last = max(alarm.at for alarm in alarms)
        lasted = observed["seconds"] + (last - first.at) / 1e6
        return Alert(
            id=alert_identity(account, name, first.at),
            account=account,
            accounts=[account],
            level=LEVELS[episode.gravity],
            opened_at=moment(first.at),
            last_at=moment(last),
            patients=int(seen),
            evidence=round(float(strength / np.log(10)), 2),
            hypothesis=name,
            why=_sentences(name, episode.usual, observed | {"acts": len(cited)}, lasted),
            usual=episode.usual,
            observed=observed,
            lines=list(dict.fromkeys(line for _, line in cited)),
            thresholds=[floor(100 * limit) / 100 for limit in episode.limits],
        )


def gravest_first(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Return alerts by gravity and then by time; of one that changed, its last state."""
    last = {alert.id: alert for alert in alerts}
    return tuple(sorted(last.values(), key=lambda a: (-LEVELS.index(a.level), a.opened_at, a.id)))


def _sentences(
    name: str, usual: dict[str, float], observed: dict[str, float], lasted: float
) -> dict[str, str]:
    """Say why in every language; what was seen `lasted` so many seconds."""
    said = {}
    for language in LANGUAGES:
        with speaking(language):
            fields = {
                "patients": number(observed["patients"]),
                "records": number(observed.get("records", 0)),
                "acts": number(observed["acts"]),
                "span": span(lasted),
                "own": few(usual["own"]),
                "peers": few(usual["peers"]),
            }
            said[language] = _(REASONS[name]).format_map(fields)
    return said


def few(value: float) -> str:
    """Say a small figure with one decimal where it has any."""
    return number(value, 0 if value >= 10 or value == int(value) else 1)


def span(seconds: float) -> str:
    """Say a duration in its largest round unit."""
    if seconds < 120:
        count = max(round(seconds), 1)
        return plural("{count} second", "{count} seconds", count).format(count=number(count))
    if seconds < 7200:
        count = round(seconds / 60)
        return plural("{count} minute", "{count} minutes", count).format(count=number(count))
    if seconds < 172_800:
        count = round(seconds / 3600)
        return plural("{count} hour", "{count} hours", count).format(count=number(count))
    count = round(seconds / 86_400)
    return plural("{count} day", "{count} days", count).format(count=number(count))


def alert_identity(account: str, hypothesis: str, opened: int) -> str:
    """Name an alert by what a rotation of the key leaves as it was (`opened` in µs)."""
    text = "\x1f".join([account, hypothesis, str(opened)]).encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def moment(at: int) -> datetime:
    """Return a time in µs as a moment in UTC."""
    return datetime.fromtimestamp(int(at) / 1e6, UTC)
