"""E-values of today's scores against those of the past, and the list that they allow.

Sources: M. Bashari, A. Epstein, Y. Romano, M. Sesia, "Derandomized novelty detection with FDR
control via conformal e-values" (arXiv 2302.07294); R. Wang, A. Ramdas, "False discovery rate
control with e-values" (arXiv 2009.02824).
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def weigh_conformal(past: Values, today: Values, fdr: float) -> Values:
    """Return the e-value of each score of a day, against those of the past.

    The cut is the lowest at which the share expected to be honest among those beyond it is at most
    `fdr`. The e-values of honest ones sum to at most their number in the mean.

    >>> weigh_conformal(np.arange(99.0), np.array([5.0, 200.0]), 0.1).tolist()
    [0.0, 20.0]
    """
    places = np.union1d(past, today)
    beyond = len(past) - np.searchsorted(np.sort(past), places, "left")
    listed = len(today) - np.searchsorted(np.sort(today), places, "left")
    share = len(today) * (1 + beyond) / (1 + len(past)) / np.maximum(listed, 1)
    fitting = np.flatnonzero(share <= fdr)
    if not len(fitting):
        return np.zeros(len(today))
    value = (1 + len(past)) / (1 + beyond[fitting[0]])
    return np.where(today >= places[fitting[0]], value, 0.0)


def choose(e_values: Values, fdr: float) -> NDArray[np.bool_]:
    """Return which hypotheses e-BH rejects at a false discovery rate, whatever their dependence.

    >>> choose(np.array([0.0, 40.0, 9.0, 21.0]), 0.1).tolist()
    [False, True, False, True]
    """
    falling = np.sort(e_values)[::-1]
    counts = np.arange(1, len(falling) + 1)
    fitting = np.flatnonzero(counts * falling * fdr >= len(falling))
    if not len(fitting):
        return np.zeros(len(e_values), bool)
    return np.asarray(e_values >= falling[fitting[-1]])
