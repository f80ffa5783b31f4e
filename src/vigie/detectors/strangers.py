"""Strangers' records: patients whom neither the account nor its colleagues had reason to open.

A sweep draws patients from a register without regard to who cares for them; the chance of each
relation is then its coverage. Under "usual" relations follow the account's habit. The ratio of the
two is the evidence.

A thief who was there before the log has become a habit of the account. So a sweep that lasts is
held against the habits of the account's peers instead, and a service, which has none, is left out;
so is an account of which the log tells no profession or role: all others are no peers.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vigie.detectors.authentication import harvest_session
from vigie.detectors.base import Partition, Ratios, contrast, told
from vigie.usual.chain import HASTE

_UNORDERED = (0.97, 0.015, 0.015)
_LISTED = (0.05, 0.05, 0.90)
_BY_PAGES = 0.1
"""What a thief's pages lead to who reads them and opens nobody, and how many thieves do so."""


class Strangers:
    """A sweep of the register in no order: at the owner's pace, in a rush, or ever since."""

    name: ClassVar[str] = "strangers"
    hypotheses: ClassVar[tuple[str, ...]] = ("register_sweep", "fast_sweep", "lasting_sweep")
    most: ClassVar[float] = 4.0
    floor: ClassVar[float] = 6.0
    share: ClassVar[float] = 1.0
    unlike_batches: ClassVar[tuple[str, ...]] = ("register_sweep", "lasting_sweep")

    def heard(self, partition: Partition) -> NDArray[np.bool_]:
        """Accesses that name a patient, and those whose pace is known."""
        related = partition.related
        among_peers = related & ~_alone(partition)
        return np.stack([related, partition.says("pace"), among_peers], axis=1)

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratios of the sweeps; an access without a patient says nothing."""
        order, pace = (partition.scene.marks[name] for name in ("sequence", "pace"))
        honest, paced = partition.honest, partition.usual.log["pace"]
        drawn = partition.scene.swept + told(_UNORDERED, order) + harvest_session(partition)
        drawn[~partition.related] = np.nan
        rush = drawn + told(HASTE, pace)
        drawn += paced
        listed = contrast(partition, "trail", _LISTED, share=_BY_PAGES)
        lasting = np.where(_alone(partition), np.nan, drawn - honest.as_peers)
        return np.stack([drawn + listed - honest.log, rush - honest.log, lasting]).T


def _alone(partition: Partition) -> NDArray[np.bool_]:
    return partition.units.by_service | ~partition.has_peers
