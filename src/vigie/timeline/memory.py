"""What stages remember between batches: attributes that a checkpoint keeps, arrays that grow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class State:
    """What is remembered between batches: attributes are numbers, texts, arrays, or State."""

    def remembered(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, by attribute."""
        return vars(self)

    def restore(self, kept: dict[str, Any]) -> None:
        """Set the attributes from what a checkpoint kept."""
        vars(self).update(kept)


def grown(values: NDArray[Any], count: int, fill: Any = 0) -> NDArray[Any]:
    """Return `values` with room for `count` rows, new ones `fill`; by doubling when it lacks.

    >>> len(grown(np.zeros(4), 5))
    8
    """
    if count <= len(values):
        return values
    shape = (max(count, 2 * len(values)), *values.shape[1:])
    if np.isscalar(fill) and fill == 0:
        larger = np.zeros(shape, values.dtype)
    else:
        larger = np.empty(shape, values.dtype)
        larger[len(values) :] = fill
    larger[: len(values)] = values
    return larger
