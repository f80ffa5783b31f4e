"""Bulk: one request that returns far more records, or bytes, than this account's or its peers'."""

from typing import ClassVar

import numpy as np

from vigie.detectors.base import Partition, Ratios, contrast
from vigie.marks import FACTORS

_SMALLEST_RECORDS = 7
_SMALLEST_BYTES = 18


def _from(smallest: int, classes: int) -> tuple[float, ...]:
    """Even over the sizes (powers of two) from `smallest` on, next to nothing below."""
    large = np.where(np.arange(classes) >= smallest, 1.0, 1e-3)
    return tuple(large / large.sum())


class Bulk:
    """Export or database dump."""

    name: ClassVar[str] = "bulk"
    hypotheses: ClassVar[tuple[str, ...]] = ("bulk_export",)
    excusable: ClassVar[bool] = False
    floor: ClassVar[float] = 12.0

    def silent(self, partition: Partition) -> bool:
        """Whether no source says how many records or bytes a request returned."""
        return not (partition.says("volume") or partition.says("weight"))

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of a bulk export; where both sizes are known, records decide."""
        records = contrast(partition, "volume", _from(_SMALLEST_RECORDS, FACTORS["volume"]))
        octets = contrast(partition, "weight", _from(_SMALLEST_BYTES, FACTORS["weight"]))
        counted = partition.scene.marks["volume"] >= 0
        weighed = partition.scene.marks["weight"] >= 0
        return np.where(counted, records, np.where(weighed, octets, np.nan))[:, None]
