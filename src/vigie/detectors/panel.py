"""The dump of the account's own panel: every patient is the account's own.

What betrays it: relations long dormant come back in the proportion they have in the panel, one
after the other, quickly, looked at once and left.
"""

from typing import ClassVar

import numpy as np

from vigie.detectors.base import Partition, Ratios
from vigie.detectors.manner import harvest_manner


class Panel:
    """Dump of the account's own panel."""

    name: ClassVar[str] = "panel"
    hypotheses: ClassVar[tuple[str, ...]] = ("panel_dump",)
    excusable: ClassVar[bool] = True

    def silent(self, partition: Partition) -> bool:
        """Whether no access names a patient."""
        return not partition.related.any()

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of the dump."""
        drawn = partition.scene.dumped - partition.usual_relation
        answer = drawn + harvest_manner(partition)
        named = partition.related
        return np.where(named, answer, np.nan)[:, None]
