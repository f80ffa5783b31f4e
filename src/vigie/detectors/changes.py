"""Dangerous actions outside the role: records deleted or merged, stock, billing, rights, the log.

What an account and its peers do every week is theirs to do; the same act by somebody of whose
group nobody does it is evidence. Rights given and traces removed weigh most: they are rare, and a
thief who does them means to stay.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vigie.context.circumstances import DEEDS
from vigie.detectors.base import Partition, Ratios, contrast

_BY_THIEF = (0.88, 0.07, 0.01, 0.01, 0.03)
"""What a thief who tampers does, in the order of `circumstances.DEEDS`. An assumption."""
_ROUTINE = 2.0
"""A record changed, or something booked, counts for no more, in nats: honest ones come in runs."""


class Changes:
    """Changes that are not this account's to make.

    A log that holds no change is not heard:

    >>> from vigie.testing.detectors import partition_of, small_log
    >>> bool(Changes().heard(partition_of(small_log(days=2))).any())
    False
    """

    name: ClassVar[str] = "changes"
    hypotheses: ClassVar[tuple[str, ...]] = ("dangerous_changes",)
    most: ClassVar[float] = 9.0
    floor: ClassVar[float] = 6.0
    share: ClassVar[float] = 0.25
    unlike_batches: ClassVar[tuple[str, ...]] = ()

    def heard(self, partition: Partition) -> NDArray[np.bool_]:
        """Changes: a log without them says nothing of whose they are."""
        return np.asarray(partition.scene.marks["deed"] > 0)[:, None]

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of an abuse."""
        said = partition.says("deed")
        ratio = contrast(partition, "deed", _BY_THIEF)
        rights = partition.scene.marks["deed"] == DEEDS.index("rights")
        ratio = np.where(rights, ratio, np.minimum(ratio, _ROUTINE))
        return np.where(said, ratio, np.nan)[:, None]
