"""A source's clock that jumps backwards.

In a file written in the order of time, a record far before its predecessor means that the clock
was set back. The records from the jump on, until the clock passes where it had been, are marked
`skewed`. A file in another order (newest first, by account) says nothing about the clock.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import Int8s, Int64s, kernel

JUMP: Final = 600_000_000
"""Microseconds back that are a jump, not two servers' writing at once: ten minutes."""
LEAP: Final = 86_400_000_000
"""Microseconds forward that one record alone cannot establish: a day."""
_FORWARD_SHARE: Final = 0.75
"""Share of steps that go forward, at least, in a file written in the order of time."""
_STEPS_PER_JUMP: Final = 1000
"""A file with more jumps than one in so many steps is in another order than that of time."""


class Clock:
    """Where the clock of one file stands; how the file is cut never shows."""

    def __init__(self) -> None:
        # Highest trusted moment, previous moment, steps, steps forward, jumps back, whether the
        # previous record was skewed.
        self._state = np.array([-(2**63), -(2**63), 0, 0, 0, 0], np.int64)

    def mark(self, moments: NDArray[np.int64], doubts: NDArray[np.int8]) -> None:
        """Set `doubts` to 2 (skewed) in place for moments (µs) after a jump backwards.

        >>> doubts = np.zeros(4, np.int8)
        >>> Clock().mark(np.array([0, 9, 5, 9]) * 3_600_000_000, doubts)
        >>> doubts.tolist()
        [0, 0, 2, 0]
        """
        _mark(moments, doubts, self._state, JUMP, LEAP, _FORWARD_SHARE, _STEPS_PER_JUMP)


@kernel
def _mark(
    moments: Int64s, doubts: Int8s, state: Int64s, jump: int, leap: int, share: float, rarity: int
) -> None:
    never = -(2**63)
    for i in range(moments.size):
        now, high, before = moments[i], state[0], state[1]
        if before != never and now != before:
            ordered = state[3] >= state[2] * share and state[4] <= 1 + state[2] // rarity
            if high - now > jump and ordered and doubts[i] == 0:
                doubts[i] = 2
            state[2] += 1
            state[3] += now > before
            state[4] += before - now > jump
        elif before != never and state[5] and doubts[i] == 0:
            doubts[i] = 2
        state[5] = doubts[i] == 2
        if high == never or (now > high and (now - high <= leap or now - before <= leap)):
            # One record far ahead may be a typing error; two in a row are the time.
            state[0] = now
        state[1] = now
