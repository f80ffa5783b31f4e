"""Bulk: one request that returns far more records, or bytes, than is usual here.

Under the harvest a size is anything between large and `sizes.SPAN` doublings of it, evenly; under
"usual" it follows the law of `sizes`.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vigie.detectors.base import Partition, Ratios
from vigie.usual.sizes import SPAN


class Bulk:
    """Export or database dump."""

    name: ClassVar[str] = "bulk"
    hypotheses: ClassVar[tuple[str, ...]] = ("bulk_export",)
    most: ClassVar[float] = np.inf
    floor: ClassVar[float] = 10.0
    share: ClassVar[float] = 1.0
    unlike_batches: ClassVar[tuple[str, ...]] = ()

    def heard(self, partition: Partition) -> NDArray[np.bool_]:
        """Requests of which a source says how many records or bytes they returned."""
        return (partition.says("volume") | partition.says("weight"))[:, None]

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of a bulk export; where both sizes are known, records decide."""
        log = partition.usual.log
        usual = np.where(partition.says("volume"), log["volume"], log["weight"])
        return np.where(self.heard(partition), -np.log(SPAN) - usual[:, None], np.nan)
