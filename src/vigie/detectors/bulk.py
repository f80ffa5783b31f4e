"""Bulk: one request that returns far more records, or bytes, than is usual here.

Large requests are rare, so the sizes of everyone's are pooled: their logarithms follow a normal
law, whose predictive law is Student's while few have been seen (Gelman et al., Bayesian Data
Analysis, 3.2). How often an account makes one leans on its peers.
"""

import math
from typing import ClassVar, Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.detectors.base import Partition, Ratios

_RECORDS: Final = 5.0
_BYTES: Final = 16.0
"""Binary logarithms from which a request is large."""
_SPAN: Final = 14.0
"""A harvest is anything between large and this many doublings of it, evenly."""
_SMALL: Final = float(np.log(1e-3))
_SPREAD: Final = 2.0
_BELIEF: Final = 20.0
"""Spread of the sizes of large requests, in doublings, and how many requests this belief weighs."""
_RARE: Final = 1e-4
_WEIGHT: Final = 1000.0


class Bulk:
    """Export or database dump."""

    name: ClassVar[str] = "bulk"
    hypotheses: ClassVar[tuple[str, ...]] = ("bulk_export",)
    most: ClassVar[float] = np.inf
    floor: ClassVar[float] = 10.0

    def silent(self, partition: Partition) -> bool:
        """Whether no source says how many records or bytes a request returned."""
        return not (partition.says("volume") or partition.says("weight"))

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratio of a bulk export; where both sizes are known, records decide."""
        marks, number = partition.scene.marks, partition.units.number
        counted = marks["volume"] >= 0
        weighed = ~counted & (marks["weight"] >= 0)
        records = _compared(partition, counted, number["record_count"], _RECORDS)
        octets = _compared(partition, weighed, number["bytes"], _BYTES)
        return np.where(counted, records, np.where(weighed, octets, np.nan))[:, None]


def _compared(
    partition: Partition, said: NDArray[np.bool_], sizes: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    units, group = partition.units, partition.usual.group
    order = np.lexsort((np.arange(len(units)), units.at))
    order = order[said[order]]
    beyond = np.log2(np.maximum(sizes, 1.0)) - least
    out = np.full(len(units), np.nan)
    _compare(
        order, units.day, units.account, group.astype(np.int64), beyond,
        _SPAN, _SMALL, _SPREAD, _BELIEF, _RARE, _WEIGHT, out,
    )  # fmt: skip
    return out


@numba.njit(cache=True, nogil=True)
def _compare(order, day, account, group, beyond, span, small, spread, belief, rare, weight, out):  # type: ignore[no-untyped-def]
    """Score each request with the sizes and rates of the days before it."""
    groups, accounts = group.max() + 1, group.size
    large, total = np.zeros(groups), np.zeros(groups)
    own_large, own_total = np.zeros(accounts), np.zeros(accounts)
    everyone = np.zeros(2)
    count, mean, scatter = belief, 2.0, belief * spread * spread
    start = 0
    while start < order.size:
        stop = start
        while stop < order.size and day[order[stop]] == day[order[start]]:
            stop += 1
        scale = np.sqrt(scatter / count * (1.0 + 1.0 / count))
        constant = np.exp(_log_gamma((count + 1) / 2) - _log_gamma(count / 2))
        constant /= np.sqrt(count * np.pi) * scale
        for position in range(start, stop):
            i = order[position]
            if beyond[i] < 0:
                out[i] = small
                continue
            a, g = account[i], group[account[i]]
            common = (everyone[0] + rare * weight) / (everyone[1] + weight)
            peers = (large[g] + common * weight) / (total[g] + weight)
            rate = (own_large[a] + peers * weight) / (own_total[a] + weight)
            z = (beyond[i] - mean) / scale
            density = constant * (1.0 + z * z / count) ** (-(count + 1) / 2)
            out[i] = -np.log(span * rate * density)
            if z < 0:
                out[i] = min(out[i], small)
        for position in range(start, stop):
            i = order[position]
            a, g = account[i], group[account[i]]
            total[g] += 1.0
            own_total[a] += 1.0
            everyone[1] += 1.0
            if beyond[i] >= 0:
                large[g] += 1.0
                own_large[a] += 1.0
                everyone[0] += 1.0
                step = min(beyond[i], span) - mean
                count += 1.0
                mean += step / count
                scatter += step * (min(beyond[i], span) - mean)
        start = stop


@numba.njit(inline="always")
def _log_gamma(x):  # type: ignore[no-untyped-def]
    return math.lgamma(x)
