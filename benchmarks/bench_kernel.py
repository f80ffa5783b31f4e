"""The compiled statistic alone, marks and statistic together, and the state kept per account.

The reference of the first two is the issue's target, that of the third its limit of 4 KB.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.base import Result
from benchmarks.worlds import as_events
from vigie.context.marks import Observer
from vigie.detection import detect
from vigie.detectors.kernel import Statistic
from vigie.simulate.presets import simulate
from vigie.stream import Stream
from vigie.testing.detectors import small_log
from vigie.timeline.front import END, Front, Reader
from vigie.timeline.memory import State
from vigie.timeline.units import BATCH, UnitFinder, batches
from vigie.usual.profiles import Habits

TARGET = 10_000_000.0
ACCOUNTS = 1009
"""A number that no other table of the small log has."""


def run(scale: float) -> list[Result]:
    """Return the rows of the bench table."""
    hypotheses = len(Stream().panel.hypotheses)
    one, all_of = alone(1, scale), alone(hypotheses, scale)
    name = "ten million accesses a second, one core"
    unit = "accesses/s"
    marks = marks_and_kernel(scale)
    size = account_bytes()
    return [
        Result("kernel, one hypothesis, given ratios", one, name, TARGET, unit, "1"),
        Result(f"kernel, {hypotheses} hypotheses", all_of, name, TARGET, unit, "1"),
        Result("marks, habits and kernel", marks, name, TARGET, unit, "", "given units"),
        Result("state per account", float(size), "4 KB", 4096.0, "bytes", "at most 1"),
    ]  # fmt: skip


def alone(hypotheses: int, scale: float) -> float:
    """Return units per second of the statistic, given log ratios."""
    rng = np.random.default_rng(0)
    count, accounts = int(20_000_000 * scale), 2000
    account = np.sort(rng.integers(0, accounts, count)).astype(np.int32)
    day = (np.arange(count) % 40 // 8).astype(np.int32)
    day.sort()
    ratios = rng.normal(-0.5, 1.0, (count, hypotheses))
    step, group = np.arange(count), np.zeros(count, np.int32)
    limits = np.full((1, hypotheses), 20.0)

    def work() -> None:
        statistic = Statistic(hypotheses)
        for start in range(0, count, BATCH):
            part = slice(start, start + BATCH)
            statistic.follow(
                account[part], step[part], day[part], group[part], ratios[part], limits
            )

    return count / best(work)


def marks_and_kernel(scale: float) -> float:
    """Return units per second from units to alarms: relations, marks, habits, statistic."""
    events = as_events(simulate("hospital", scale, 201))
    detect(events.slice(0, 1000))
    reader = Reader()
    front, finder = Front(reader.words), UnitFinder(reader.words)
    found = [finder.find(batch) for batch in batches(front.feed(reader.read(events), END))]

    def work() -> None:
        observer, habits, statistic = Observer(), Habits(), Statistic(1)
        for units in found:
            scene = observer.observe(units)
            usual = habits.learn(units, scene)
            relation = scene.marks["relation"]
            ratios = np.where(relation >= 0, scene.swept - usual.log["relation"], np.nan)
            group, limits = usual.group[units.account], np.full((len(usual.groups), 1), 20.0)
            statistic.follow(units.account, units.step, units.day, group, ratios[:, None], limits)

    return sum(len(units) for units in found) / best(work)


def best(work: Callable[[], None], times: int = 3) -> float:
    """Return the least processor time of several runs, the first not counted."""
    work()
    taken = []
    for _ in range(times):
        begun = time.thread_time()
        work()
        taken.append(time.thread_time() - begun)
    return min(taken)


def account_bytes() -> int:
    """Return the bytes kept per account: rows of the arrays that have one per account."""
    stream = Stream(learn_until=datetime(1970, 1, 2, tzinfo=UTC))
    stream.feed(small_log(days=1, accounts=ACCOUNTS, size=3), END)
    rows = (array for array in arrays(stream) if array.shape[:1] == (ACCOUNTS,))
    return sum(array[0].nbytes for array in rows)


def arrays(value: Any) -> Iterator[np.ndarray]:
    """Yield the arrays of a state."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, State):
        yield from arrays(value.remembered())
    elif isinstance(value, dict):
        for inside in value.values():
            yield from arrays(inside)


if __name__ == "__main__":
    for result in run(0.1):
        print(f"{result.name}: {result.ours:,.0f} {result.unit}, ratio {result.ratio:.2f}")
