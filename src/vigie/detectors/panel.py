"""Dump of the account's own panel: its patients, dormant ones included, with no care to explain it.

Every patient is the account's own; what betrays the thief is that nobody else met them lately and
that no care relation holds. A patient of whom the platform does not say so never speaks for a dump:
who has just begun here meets more own patients every day. The floor is high: a dump is long, and
honest weeks without appointments are many.
"""

from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from vigie.context.relations import OWN, OWN_IDLE, RELATIONS, TEAM, TEAM_IDLE
from vigie.detectors.authentication import harvest_session
from vigie.detectors.base import Partition, Ratios, contrast

_DRAWN: Final = np.full(len(RELATIONS), 0.005)
_DRAWN[[OWN, OWN_IDLE, TEAM, TEAM_IDLE]] = 0.30, 0.56, 0.03, 0.05
"""Chances of each relation among an account's own patients of all times. An assumption."""
_UNCARED: Final = (0.95, 0.05)


class Panel:
    """A dump of the own panel."""

    name: ClassVar[str] = "panel"
    hypotheses: ClassVar[tuple[str, ...]] = ("own_panel",)
    most: ClassVar[float] = 4.0
    floor: ClassVar[float] = 45.0
    share: ClassVar[float] = 1.0
    unlike_batches: ClassVar[tuple[str, ...]] = ()

    def heard(self, partition: Partition) -> NDArray[np.bool_]:
        """Accesses to patients of whom the platform says whether care explains them."""
        return partition.says("care")[:, None]

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of a dump."""
        marks = partition.scene.marks
        relation = np.maximum(marks["relation"], marks["page"])
        answer = np.log(_DRAWN)[relation] - partition.honest.log
        answer += partition.usual.log["sequence"] + partition.usual.log["pace"]
        answer += contrast(partition, "care", _UNCARED) + harvest_session(partition)
        answer = np.where(partition.says("care"), answer, np.minimum(answer, 0.0))
        return np.where(partition.related, answer, np.nan)[:, None]
