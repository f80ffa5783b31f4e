"""Curiosity: records of people whom the owner of the account knows, opened without care behind it.

Needs a table of staff (`acquaintance`). What it calls usual is learnt: relatives are treated by
relatives, staff are treated where they work, namesakes come by chance. So a single record says
little, however close the person; several within days, by somebody whose work does not bring them,
say it. One's own record is no evidence: whoever opens it harms nobody.
"""

from typing import ClassVar, Final

import numpy as np

from vigie.context.acquaintance import SELF
from vigie.detectors.base import Partition, Ratios, contrast

_SOUGHT: Final = (0.45, 0.06, 0.09, 0.15, 0.24, 0.01)
"""Whom a curious owner opens, in the order of `acquaintance.ACQUAINTANCES`. An assumption; people
well known and neighbours, whom no table tells, are in the first."""


class Curiosity:
    """Records of relatives, namesakes and colleagues.

    A log without a table of staff is not heard:

    >>> from vigie.testing.detectors import partition_of, small_log
    >>> bool(Curiosity().heard(partition_of(small_log(days=2))).any())
    False
    """

    name: ClassVar[str] = "curiosity"
    hypotheses: ClassVar[tuple[str, ...]] = ("curiosity",)
    most: ClassVar[float] = 6.0
    floor: ClassVar[float] = 6.0
    share: ClassVar[float] = 0.25
    unlike_batches: ClassVar[tuple[str, ...]] = ()

    def heard(self, partition: Partition) -> np.ndarray:
        """Openings that nothing explains, by accounts whose owner is known."""
        return partition.says("acquaintance")[:, None]

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of curiosity; an explained opening says nothing."""
        ratio = contrast(partition, "acquaintance", _SOUGHT)
        ratio = np.where(partition.scene.marks["acquaintance"] == SELF, 0.0, ratio)
        return np.where(partition.says("acquaintance"), ratio, np.nan)[:, None]
