"""Detection as the log comes: events in, alerts out, the state in between kept on disk or not.

The stages are fed batches of one day at most, in order of time, and each gives for a batch what
the whole log would have given; so one batch, many, or single events give the same alerts. Until
`learn_until` the evidence is gathered; then the thresholds are fixed, and the alerts of the
learning part after its warm-up come out; from then on alerts come out as they happen.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from vigie.alerts.campaigns import Campaigns, Citation, Customs, Move
from vigie.alerts.trails import Alarm, Look, Tally, Trail
from vigie.alerts.watch import Alert, Episode, Watch
from vigie.config import Settings
from vigie.context.acquaintance import Acquaintance, Staff
from vigie.context.care import Care
from vigie.context.circumstances import Circumstances
from vigie.context.knowledge import Knowledge
from vigie.context.marks import Observer
from vigie.context.patients import Patients
from vigie.context.places import Places
from vigie.context.ranges import Ranges
from vigie.context.relations import Marks, Relations
from vigie.detectors import DETECTORS, Detector, Partition, fitting
from vigie.detectors.calibrate import MARGIN, Learnt, Thresholds, Weeks, calibrate
from vigie.detectors.campaigns import Candidates, Kind, Meetings
from vigie.detectors.combine import Panel
from vigie.detectors.hindsight import Keeping, Memory, Seen
from vigie.detectors.kernel import Statistic
from vigie.detectors.pooling import Pool
from vigie.language import N_
from vigie.timeline import checkpoints
from vigie.timeline.front import BEGINNING, END, Front, Reader, named
from vigie.timeline.memory import State
from vigie.timeline.numbering import Numbers, Words
from vigie.timeline.recent import Recent
from vigie.timeline.rows import Rows
from vigie.timeline.units import DAY, UnitFinder, Units, batches
from vigie.trust import Inspector
from vigie.usual.drifts import Drifts
from vigie.usual.guests import Guests
from vigie.usual.honest import Reasons
from vigie.usual.profiles import Habits, Peers
from vigie.usual.sizes import Law, Sizes
from vigie.usual.surges import Surges

LONGEST_LEARNING: Final = 30
WARM_UP: Final = 0.4
"""Share of the learning part during which profiles are learnt and nothing is judged."""
FOLDS: Final = 5
"""The learning part is cross-fitted: the accounts of each fold are held against thresholds that the
others taught, so that a thief who was there before the log does not set his own."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Stream(State):
    """A log under watch.

    `learn_until` is the day from which thresholds hold, by default thirty days after the first
    event. How long events are waited for is the settings' `lateness_seconds`; it only matters where
    `feed` is not told the watermark. With `keep`, what the detectors saw is kept
    in `kept`, for whoever wants to tell the evidence: where `keep` says, or in memory, which is
    then that of the whole log. An `inspector`, if one is set, looks at every table on its way.
    `care` are the care relations of the platform, `staff` the owners of its accounts, if it gives
    any.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        learn_until: datetime | None = None,
        detectors: Mapping[str, Detector] = DETECTORS,
        keep: bool | Keeping = False,
        care: Care | None = None,
        staff: Staff | None = None,
    ) -> None:
        settings = settings or Settings()
        self.care, self.staff = care, staff
        self.settings = settings
        self.until = END if learn_until is None else int(learn_until.timestamp() * 1e6) // DAY
        self.first = END
        self.newest = self.day = BEGINNING
        self.reader = Reader()
        self.front = Front(self.reader.words, int(settings.link_within_seconds * 1e6))
        self.finder = UnitFinder(self.reader.words)
        self.observer = Observer(_ranges(settings), staff)
        self.habits = Habits()
        self.reasons = Reasons()
        self.panel = Panel(fitting(detectors, staff))
        self.weeks = Weeks(len(self.panel.hypotheses))
        self.watch = Watch(self.panel.hypotheses, self.reader.words["source_file"].words)
        self.campaigns = Campaigns(self.panel.hypotheses, self.watch.files)
        self.thresholds: Thresholds | None = None
        self.learning: list[Look] = []
        self.active: dict[int, int] = {}
        """How many accounts made an access, by day."""
        self.keep = keep is not False
        self.kept: Keeping = Memory() if isinstance(keep, bool) else keep
        self.inspector: Inspector | None = None

    @property
    def warm(self) -> int:
        """Return the day from which evidence is judged."""
        return self.first + max(int(WARM_UP * (self.until - self.first)), 1)

    @property
    def late(self) -> int:
        """Return how many events came after the window for late ones."""
        return self.front.late

    def feed(self, events: pa.Table, watermark: int | None = None) -> list[Alert]:
        """Take waist rows in; return the alerts opened or changed up to the watermark.

        `watermark` (µs) says that no event before it is to come; by default it follows the newest
        event at the distance of the settings' lateness. An alert that changes comes again, with
        the same id.
        """
        if watermark is None:
            newest = pc.max(events.column("at")).cast(pa.int64()).as_py()
            self.newest = max(self.newest, BEGINNING if newest is None else newest)
            watermark = self.newest - int(self.settings.lateness_seconds * 1e6)
        return self._judge(self._prepare(events, watermark))

    def feed_all(self, slices: Iterable[tuple[pa.Table, int]]) -> list[Alert]:
        """Feed slices with their watermarks, reading and preparing one while another is judged.

        Campaigns are looked for, and what was seen is put away, beside the watch over accounts.
        """
        alerts: list[Alert] = []
        coming = iter(slices)
        with ThreadPoolExecutor(1) as ahead, ThreadPoolExecutor(1) as beside:
            waiting = ahead.submit(self._next, coming)
            while (found := waiting.result()) is not None:
                waiting = ahead.submit(self._next, coming)
                alerts += self._judge(found, beside)
        return alerts

    def _next(self, slices: Iterator[tuple[pa.Table, int]]) -> list[Units] | None:
        """Prepare the next slice, if there is one."""
        for events, watermark in slices:
            return self._prepare(events, watermark)
        return None

    def finish(self) -> list[Alert]:
        """Return what is still to be said: nothing more is to come."""
        alerts = self._judge(self._find(self.front.flush()))
        return alerts if self.thresholds else [*alerts, *self._calibrate()]

    def _prepare(self, events: pa.Table, watermark: int) -> list[Units]:
        events = self.staff.tell(events) if self.staff else events
        rows = self.reader.decode(events)
        if self.inspector:
            self.inspector.see(events, rows)
        return self._find(self.front.feed(named(rows), watermark))

    def _find(self, rows: Rows) -> list[Units]:
        return [self.finder.find(batch) for batch in batches(rows)]

    def _judge(self, found: list[Units], beside: Executor | None = None) -> list[Alert]:
        return [alert for units in found for alert in self._look(units, beside)]

    def save(self, path: Path) -> None:
        """Write the state to a file that its owner alone may read; `kept` is not part of it."""
        checkpoints.save(path, self)

    @classmethod
    def load(
        cls,
        path: Path,
        settings: Settings | None = None,
        *,
        detectors: Mapping[str, Detector] = DETECTORS,
        care: Care | None = None,
        staff: Staff | None = None,
    ) -> "Stream":
        """Return the stream that `save` wrote, to go on where it stood.

        Raises `CheckpointError` for a damaged file, and for one written with other detectors.
        """
        stream: Stream = checkpoints.load(path, _KEPT)
        stream.settings = settings or Settings()
        stream.keep, stream.kept, stream.inspector = False, Memory(), None
        stream.care, stream.staff = care, staff
        stream.panel.detectors = detectors = fitting(detectors, staff)
        stream.observer.acquaintance.meet(staff)
        stream.observer.circumstances.ranges = _ranges(stream.settings)
        if stream.panel.hypotheses != Panel(detectors).hypotheses:
            raise checkpoints.CheckpointError(
                N_("the saved state was made with other detectors"),
                where=str(path),
                remedy=N_("delete it, and watch the log again from its start"),
            )
        return stream

    def remembered(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {n: v for n, v in vars(self).items() if n not in _APART}

    def _look(self, units: Units, beside: Executor | None) -> Iterator[Alert]:
        day = units.on
        if self.first == END:
            self.first = day
            self.until = day + LONGEST_LEARNING if self.until == END else self.until
        if self.thresholds is None and day >= self.until:
            yield from self._calibrate(beside)
        self._begin(day)
        self.active[day] = self.active.get(day, 0) + len(units.active[0])
        scene = self.observer.observe(units, self._cared(units))
        usual = self.habits.learn(units, scene)
        honest = self.reasons.follow(units, scene, usual)
        partition = Partition(units, scene, usual, honest)
        ratios = self.panel.weigh(partition, self.warm)
        put_away = _begun(beside, self._keep, Seen(partition, ratios))
        group = usual.group
        look = Look(units, group.take(units.account), group.take(units.active[0]), ratios)
        if self.thresholds:
            yield from self._alarms(look, beside)
        else:
            self.learning.append(look.slim())
            learnt = _begun(beside, self.campaigns.learn, look, self.warm)
            if day >= self.warm:
                self.weeks.follow(units, ratios, self.warm)
            learnt()
        put_away()

    def _keep(self, seen: Seen) -> None:
        if self.keep:
            self.kept.append(seen)

    def _alarms(self, look: Look, beside: Executor | None) -> Iterator[Alert]:
        joint = _begun(beside, self.campaigns.watch, look)
        yield from self.watch.watch(look)
        yield from joint()

    def _cared(self, units: Units) -> Marks | None:
        """Return the class of each unit's care relation, where the platform gives such."""
        if self.care is None:
            return None
        owners = {name: (units.text[name], tuple(units.words[name]))
                  for name in ("organisation", "unit")}  # fmt: skip
        owners["account"] = units.account, tuple(units.accounts)
        return self.care.mark(units.person, units.at, **owners)

    def _begin(self, day: int) -> None:
        """Close alerts long quiet; what accounts with an open one opened makes nobody known.

        Once a day, so that the batches do not show.
        """
        if day != self.day:
            self.day = day
            self.watch.close(day * DAY)
            suspected = self.campaigns.climbs() | self.watch.climbs()
            self.observer.relations.mute(suspected)
            self.reasons.mute(suspected)

    def _calibrate(self, beside: Executor | None = None) -> Iterator[Alert]:
        """Fix the thresholds, and return the alerts of the learning part."""
        group, groups = self.habits.peers.group, len(self.habits.peers.names)
        budgets = self.settings.budgets
        rarer = [budgets[0] / one for one in budgets]
        learnt = self.weeks.learnt(self.panel.heard)

        def fixed(part: Learnt) -> Thresholds:
            share = budgets[0] * (1 - self.campaigns.share)
            panel = self.panel
            return calibrate(part, panel.floors, group, groups, share, panel.whole, panel.unlike)

        self.thresholds = fixed(learnt)
        self.campaigns.arm([one * MARGIN for one in budgets])
        self.watch.arm([fixed(learnt.without(fold, FOLDS)) for fold in range(FOLDS)], rarer)
        learning, self.learning = self.learning, []
        self.weeks = Weeks(len(self.panel.hypotheses))
        for look in learning:
            yield from self._alarms(look, beside)
        self.watch.arm([self.thresholds], rarer)


def _begun(
    beside: Executor | None, work: Callable[Given, Answer], *given: Given.args,
    **named: Given.kwargs,
) -> Callable[[], Answer]:  # fmt: skip
    """Do work on another thread, if there is one; return what waits for its answer."""
    if beside:
        return beside.submit(work, *given, **named).result
    answer = work(*given, **named)
    return lambda: answer


def _ranges(settings: Settings) -> Ranges | None:
    return Ranges.load(Path(settings.ranges)) if settings.ranges else None


_APART: Final = {"settings", "keep", "kept", "care", "staff", "inspector"}
"""What a checkpoint does not keep: whoever loads it gives it again."""
_KEPT: Final = (
    Stream, Reader, Front, UnitFinder, Observer, Relations, Knowledge, Places, Patients, Habits,
    Reasons, Peers, Sizes, Law, Panel, Weeks, Statistic, Watch, Trail, Tally, Numbers, Words,
    Recent, Units, Look, Alarm, Episode, Thresholds, Campaigns, Candidates, Kind, Meetings, Pool,
    Customs, Move, Citation, Circumstances, Surges, Drifts, Guests, Acquaintance,
)  # fmt: skip
