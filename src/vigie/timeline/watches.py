"""How a day fills: eight watches of three hours, on working days, Saturdays and Sundays."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import inlined

WATCH: Final = 3 * 3_600_000_000
"""µs; a day has eight."""
_FORGETTING: Final = 0.9
"""What remains of a day's clock when the next day of its kind is over."""

Clock = NDArray[np.float32]


@inlined
def kind_of_day(day: int) -> int:
    """Return 0 on a working day, 1 on Saturday, 2 on Sunday (day 0 was a Thursday)."""
    return max(day % 7 - 1, 0) if day % 7 in (2, 3) else 0


@inlined
def close_day(clock: Clock, watches: Clock) -> None:
    """Teach the clock of a kind of day what was counted in each watch of one, and forget that.

    `clock` holds the faded count until the end of each watch, and the faded number of days last.
    """
    sofar = np.float32(0.0)
    for watch in range(8):
        sofar += watches[watch]
        clock[watch] = _FORGETTING * clock[watch] + sofar
        watches[watch] = 0.0
    clock[8] = _FORGETTING * clock[8] + 1.0
