"""Strangers' records: patients whom neither the account nor its colleagues had reason to open.

A sweep draws patients from a register, or from the victim's own town, without regard to who cares
for them; the chance of each relation is then its coverage. Under "usual" relations follow the
account's habit. The ratio of the two is the evidence.
"""

from typing import ClassVar

import numpy as np

from vigie.detectors.base import Partition, Ratios, contrast
from vigie.detectors.place import harvest_place

_UNORDERED = (0.97, 0.015, 0.015)


class Strangers:
    """Sweeps of the whole register and of the area."""

    name: ClassVar[str] = "strangers"
    hypotheses: ClassVar[tuple[str, ...]] = ("register_sweep", "local_sweep")
    excusable: ClassVar[bool] = True
    floor: ClassVar[float] = 6.0

    def silent(self, partition: Partition) -> bool:
        """Whether no access names a patient."""
        return not partition.related.any()

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratios of both sweeps; an access without a patient says nothing."""
        usual = partition.usual_relation
        place = harvest_place(partition) + contrast(partition, "sequence", _UNORDERED)
        both = np.stack([partition.scene.swept, partition.scene.swept_locally], axis=1)
        named = partition.related
        answer: Ratios = np.where(named[:, None], both + (place - usual)[:, None], np.nan)
        return answer
