"""Authentication: how somebody got in, told at the session's first access (`circumstances`).

A weaker means than usual, failures before success, a session beside another, an account that
wakes: each is a fact of the session, so it counts once, is believed only in part, and adds to what
is opened (`harvest_session`); honest people forget cards and passwords. Only a network that has
just failed on several other accounts and then gets in to one that never used it is a hypothesis of
its own, password spraying: few honest days look like that, and nothing need be opened for it.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vigie.context.circumstances import SIGNS
from vigie.detectors.base import Partition, Ratios, contrast
from vigie.detectors.place import harvest_place

_BY_THIEF = (0.30, 0.20, 0.10, 0.10, 0.10, 0.05, 0.08, 0.07)
"""How a thief's session begins, in the order of SIGNS. An assumption."""
_TRIED = SIGNS.index("tried_many")
_OTHERWISE = np.log(0.05)
"""Log chance, over that of usual work, of a session that begins otherwise under a spraying."""
_BELIEVED = 0.4
"""Share of harvests that come by such a session: most sit in the victim's own."""


def harvest_session(partition: Partition) -> Ratios:
    """Return the log ratio of a session's place and beginning, at its first unit."""
    return harvest_place(partition) + contrast(partition, "sign", _BY_THIEF, share=_BELIEVED)


class Authentication:
    """Passwords tried on many accounts until one opens.

    A log that holds no failed login is not heard:

    >>> from vigie.testing.detectors import partition_of, small_log
    >>> bool(Authentication().heard(partition_of(small_log(days=2))).any())
    False
    """

    name: ClassVar[str] = "authentication"
    hypotheses: ClassVar[tuple[str, ...]] = ("password_spraying",)
    most: ClassVar[float] = 12.0
    floor: ClassVar[float] = 4.0
    share: ClassVar[float] = 0.25
    unlike_batches: ClassVar[tuple[str, ...]] = ()

    def heard(self, partition: Partition) -> NDArray[np.bool_]:
        """Sessions that began after logins failed on other accounts or on this one."""
        signs = partition.scene.marks["sign"]
        tried = (signs == SIGNS.index("failures")) | (signs == _TRIED)
        return np.asarray(tried)[:, None]

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of a spraying that got in; it says nothing within a session."""
        tried = partition.scene.marks["sign"] == _TRIED
        ratio = np.where(tried, -partition.usual.log["sign"], _OTHERWISE)
        return np.where(partition.says("sign"), ratio, np.nan)[:, None]
