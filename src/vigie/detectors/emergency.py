"""Emergency override ("break-glass") used again and again on patients of others."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import MANNERS
from vigie.detectors.base import Partition, Ratios, contrast, only_where

_OVERRIDE = MANNERS.index("break_glass")
_BY_OVERRIDE = tuple(0.88 if name == _OVERRIDE else 0.02 for name in range(len(MANNERS)))


class Emergency:
    """Abuse of the emergency override."""

    name: ClassVar[str] = "emergency"
    hypotheses: ClassVar[tuple[str, ...]] = ("override_abuse",)
    most: ClassVar[float] = 4.0
    floor: ClassVar[float] = 6.0
    share: ClassVar[float] = 1.0
    unlike_batches: ClassVar[tuple[str, ...]] = ()

    def heard(self, partition: Partition) -> NDArray[np.bool_]:
        """Emergency overrides."""
        return np.asarray(partition.scene.marks["manner"] == _OVERRIDE)[:, None]

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of an abuse."""
        drawn = partition.scene.swept - partition.honest.log
        drawn = drawn + partition.usual.log["sequence"] + partition.usual.log["pace"]
        answer = drawn + contrast(partition, "manner", _BY_OVERRIDE)
        answer = only_where(partition.scene.marks["manner"] == _OVERRIDE, answer)
        answer[~partition.related] = np.nan
        return answer[:, None]
