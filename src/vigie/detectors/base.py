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
from typing import ClassVar, Final, Protocol

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.marks import FACTORS, Scene
from vigie.profiles import Usual
from vigie.units import Units

Ratios = NDArray[np.float64]

HONEST: Final[dict[str, tuple[float, tuple[float, ...]]]] = {
    "on_call": (0.25, (0.10, 0.05, 0.05, 0.05, 0.06, 0.67, 0.02)),
    "replacement": (0.25, (0.10, 0.05, 0.05, 0.05, 0.62, 0.11, 0.02)),
}
"""Honest reasons to meet strangers: their weight, and the chance of each relation. On-call duty,
campaigns and outbreaks bring people who live near; a replacement brings a colleague's patients.
What such a reason explains is no evidence, unit by unit: nobody has to learn it first. Weights and
chances are assumptions."""

CLEAN_UP: Final = (0.2, 0.4, 0.4)
"""Order of the patients in a clean-up: none, by number, by name. An assumption, like its weight."""
CLEAN_UP_WEIGHT: Final = 0.25


_WEIGHTS: Final = np.array([weight for weight, _ in HONEST.values()])
_CHANCES: Final = np.array([chances for _, chances in HONEST.values()])


@dataclass(frozen=True, slots=True)
class Partition:
    """The units of some accounts with all that is known of them: what a detector looks at."""

    units: Units
    scene: Scene
    usual: Usual

    @property
    def related(self) -> NDArray[np.bool_]:
        """Whether each unit says something new about how its patient relates to the account."""
        return (self.scene.marks["relation"] >= 0) | (self.scene.marks["page"] >= 0)

    @property
    def usual_relation(self) -> Ratios:
        """Return the log chance of the relation under "usual", opened or listed."""
        return self.usual.log["relation"] + self.usual.log["page"]

    def honest(self, swept_too: bool = False) -> Ratios:
        """Return the log chance of relation and order under "usual or an honest reason".

        `swept_too` adds clean-ups (doubles, latest numbers): patients in order from the whole
        register, as a walk meets them.
        """
        marks, log = self.scene.marks, self.usual.log
        answer: Ratios = _honest(
            marks["relation"], marks["page"], marks["sequence"], log["relation"], log["page"],
            log["sequence"], self.scene.swept, _WEIGHTS, _CHANCES, np.array(CLEAN_UP),
            CLEAN_UP_WEIGHT if swept_too else 0.0,
        )  # fmt: skip
        return answer

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
    excess = np.log(chances)[np.maximum(marks, 0)] - partition.usual.log[factor]
    ratio = np.log(1 - share + share * np.exp(excess)) if share < 1 else excess
    return np.where(marks >= 0, ratio, 0.0)


@numba.njit(cache=True, nogil=True)
def _honest(  # type: ignore[no-untyped-def]
    opened, listed, order, by_opening, by_page, by_order, swept, weights, chances, clean, cleaning
):
    """Mix "usual" and the honest reasons, in logarithms; `cleaning` is the weight of clean-ups."""
    left = 1.0 - weights.sum()
    answer = np.empty(opened.size, np.float64)
    for i in range(opened.size):
        relation = max(opened[i], listed[i])
        chance = left * np.exp(by_opening[i] + by_page[i])
        for r in range(weights.size):
            chance += weights[r] * (chances[r, relation] if relation >= 0 else 1.0)
        answer[i] = np.log(chance) + by_order[i]
        if cleaning > 0.0:
            batch = clean[order[i]] if order[i] >= 0 else 1.0
            answer[i] = np.log(np.exp(answer[i]) + cleaning * batch * np.exp(swept[i]))
    return answer
