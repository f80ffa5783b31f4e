"""What every detector promises.

A detector holds one kind of evidence. It is given the units of some accounts in order, their
marks and the chance of each mark under "usual" (learnt from the past only), and answers for each
of its harvest hypotheses with the log of the likelihood ratio, harvest to usual, of every unit:

- shape (units, hypotheses), finite, or NaN where the unit says nothing about the hypothesis;
- a unit's answer depends on nothing that came after it, nor on other accounts' units;
- the same units in the same order give the same answer, cut by account or not;
- it says by `heard` which units tell what a hypothesis needs: until the first such unit of the
  log the hypothesis is silent, and a detector none of whose hypotheses was heard abstains.

How often the thief acts between the owner's own accesses is not the detector's affair: `combine`
mixes over it.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import FACTORS, Scene
from vigie.context.relations import Marks
from vigie.timeline.units import Units
from vigie.usual.honest import Honest
from vigie.usual.profiles import Usual

Ratios = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Partition:
    """The units of some accounts with all that is known of them: what a detector looks at."""

    units: Units
    scene: Scene
    usual: Usual
    honest: Honest

    @property
    def related(self) -> NDArray[np.bool_]:
        """Whether each unit says something new about how its patient relates to the account."""
        return (self.scene.marks["relation"] >= 0) | (self.scene.marks["page"] >= 0)

    @property
    def has_peers(self) -> NDArray[np.bool_]:
        """Whether the log tells a profession or role of each unit's account."""
        named = np.array([bool(name) for name in self.usual.groups] or [False])
        return named.take(self.usual.group.take(self.units.account))

    def says(self, factor: str) -> NDArray[np.bool_]:
        """Whether each unit bears a mark of this factor."""
        return np.asarray(self.scene.marks[factor] >= 0)


class Detector(Protocol):
    """One kind of evidence; see the module's text for the law."""

    name: ClassVar[str]
    hypotheses: ClassVar[tuple[str, ...]]
    floor: ClassVar[float]
    """No alarm below this log statistic, however quiet the group. Evidence of a single request is
    too rare to calibrate: its floor carries the guarantee."""

    most: ClassVar[float]
    """No single step counts for more, in nats: one odd mark is not a harvest, however rare."""

    share: ClassVar[float]
    """What each hypothesis takes of the alarm budget, beside those that take 1."""

    unlike_batches: ClassVar[tuple[str, ...]]
    """Hypotheses that no honest batch of work resembles. Who is conspicuous of them in the
    learning part is more often a thief who was there before than somebody at work: the few
    accounts of a group that stand out do not teach the group's limit."""

    def heard(self, partition: Partition) -> NDArray[np.bool_]:
        """Say which units tell what each hypothesis looks at, shape (units, hypotheses)."""

    def ratios(self, partition: Partition) -> Ratios:
        """Return log likelihood ratios, shape (units, hypotheses)."""


def contrast(
    partition: Partition, factor: str, harvest: tuple[float, ...], share: float = 1.0
) -> Ratios:
    """Return the log ratio of a factor whose marks are known in advance under the harvest.

    `share` of the harvest follows `harvest`, the rest looks usual: what is believed firmly gets
    1, what is only likely less, so that no single mark decides. Silent marks give 0.
    """
    marks = partition.scene.marks[factor]
    chances = np.asarray(harvest, np.float64)
    if len(chances) != FACTORS[factor]:
        raise ValueError(f"{factor} has {FACTORS[factor]} categories, not {len(chances)}")
    usual = partition.usual.log[factor]
    if share == 1:
        return told(harvest, marks) - usual
    answer, said = np.zeros(len(marks)), np.flatnonzero(marks >= 0)
    excess = np.log(chances).take(marks.take(said)) - usual.take(said)
    answer[said] = np.log(1 - share + share * np.exp(excess))
    return answer


def told(chances: tuple[float, ...], marks: Marks, silent: float = 0.0) -> Ratios:
    """Return the log chance of each mark; `silent` is that of a mark which says nothing."""
    return np.append(np.log(chances), silent).take(marks)


def only_where(done: NDArray[np.bool_], ratios: Ratios) -> Ratios:
    """Return log ratios that speak for a harvest only where what it is made of was done.

    Who suddenly searches differs from his habit as much as who suddenly checks rights; he has
    checked none for all that.
    """
    return np.where(done, ratios, np.minimum(ratios, 0.0))
