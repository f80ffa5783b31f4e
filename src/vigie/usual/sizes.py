"""The law of large requests: how often one comes, and how large it is.

Large requests are rare, so the sizes of everyone's are pooled: their logarithms follow a normal
law, whose predictive law is Student's while few have been seen (Gelman et al., Bayesian Data
Analysis, 3.2). Who makes some has a size that is usual for him, shrunk to everyone's by as much as
sizes differ within accounts beside between them (the same, 5.4). How often an account makes one
leans on its peers. A day is scored with the days before it.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import Scene
from vigie.kernels import Floats, Floats32, Int32s, compiled
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes
from vigie.timeline.units import Units

RECORDS: Final = 5.0
BYTES: Final = 16.0
"""Binary logarithms from which a request is large."""
SPAN: Final = 14.0
"""A harvest is anything between large and this many doublings of it, evenly."""
USUAL: Final = 6.907755278982137 - float(np.log(SPAN))
"""Log chance of a small request, for a detector: a thousand times the harvest's."""

_SPREAD: Final = 2.0
_WITHIN: Final = 1.5
_BELIEF: Final = 20.0
"""Spread of the sizes of large requests, and of one account's, in doublings, and how many requests
this belief weighs."""
_RARE: Final = 1e-4
_WEIGHT: Final = 1000.0


class Sizes(State):
    """The laws of both sizes; where both are known, records decide."""

    def __init__(self) -> None:
        self.records, self.octets = Law(), Law()

    def score(
        self, units: Units, scene: Scene, group: Codes
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the log chance of each request's records and bytes, 0 where not said."""
        counted = scene.marks["volume"] >= 0
        weighed = ~counted & (scene.marks["weight"] >= 0)
        return (
            self.records.score(units, counted, units.number["record_count"], RECORDS, group),
            self.octets.score(units, weighed, units.number["bytes"], BYTES, group),
        )

    def teach(self, group: Codes) -> None:
        """Let the day that is over teach."""
        self.records.teach(group)
        self.octets.teach(group)


class Law(State):
    """How large requests of one kind are, and how often an account makes a large one."""

    def __init__(self) -> None:
        self._everyone = np.zeros(2)
        self._size = np.array([_BELIEF, 2.0, _BELIEF * _SPREAD * _SPREAD])
        self._within = np.array([_BELIEF, _BELIEF * _WITHIN * _WITHIN])
        self._groups, self._accounts = np.zeros((1, 2)), np.zeros((0, 3), np.float32)
        self._today: list[tuple[NDArray[np.int32], NDArray[np.float64]]] = []

    def score(
        self,
        units: Units,
        said: NDArray[np.bool_],
        sizes: NDArray[np.float64],
        least: float,
        group: Codes,
    ) -> NDArray[np.float64]:
        """Return the log chance of each size said, and keep it to be taught."""
        out = np.zeros(len(units))
        if not said.any():
            return out
        order = units.order[said[units.order]]
        account = units.account[order]
        beyond = np.log2(np.maximum(sizes[order], 1.0)) - least
        self._today.append((account, beyond))
        self._accounts = grown(self._accounts, units.known)
        self._groups = grown(self._groups, int(group.max(initial=0)) + 1)
        out[order] = _score(
            account, group, beyond, self._groups, self._accounts, self._everyone, self._size,
            self._within, USUAL, _RARE, _WEIGHT,
        )  # fmt: skip
        return out

    def teach(self, group: Codes) -> None:
        """Let the day that is over teach."""
        for account, beyond in self._today:
            _teach(
                account, group, beyond, self._groups, self._accounts, self._everyone, self._size,
                self._within, SPAN,
            )  # fmt: skip
        self._today = []


@compiled
def _score(
    account: Int32s, group: Int32s, beyond: Floats, groups: Floats, accounts: Floats32,
    everyone: Floats, size: Floats, within: Floats, usual: float, rare: float, weight: float,
) -> Floats:  # fmt: skip
    out = np.empty(account.size, np.float64)
    count, mean = size[0], size[1]
    inside = within[1] / within[0]
    between = max(size[2] / count - inside, 0.1 * inside)
    constant = (
        math.lgamma((count + 1) / 2) - math.lgamma(count / 2) - np.log(np.sqrt(count * np.pi))
    )
    common = (everyone[0] + rare * weight) / (everyone[1] + weight)
    for i in range(account.size):
        if beyond[i] < 0:
            out[i] = usual
            continue
        peers, own = groups[group[account[i]]], accounts[account[i]]
        rate = (peers[0] + common * weight) / (peers[1] + weight)
        rate = (own[0] + rate * weight) / (own[1] + weight)
        known = 1.0 / between + own[0] / inside
        centre = (mean / between + own[2] / inside) / known
        scale = np.sqrt((inside + 1.0 / known) * (1.0 + 1.0 / count))
        z = (beyond[i] - centre) / scale
        out[i] = np.log(rate / scale) + constant - (count + 1) / 2 * np.log(1.0 + z * z / count)
        # Not the smaller the rarer; and usual for whoever makes such requests as others do.
        if z < 0 and rate >= common:
            out[i] = max(out[i], usual)
        elif z < 0:
            out[i] = np.log(rate / scale) + constant
    return out


@compiled
def _teach(
    account: Int32s, group: Int32s, beyond: Floats, groups: Floats, accounts: Floats32,
    everyone: Floats, size: Floats, within: Floats, span: float,
) -> None:  # fmt: skip
    for i in range(account.size):
        peers, own = groups[group[account[i]]], accounts[account[i]]
        large = 1.0 if beyond[i] >= 0 else 0.0
        if beyond[i] >= 0:
            value = min(beyond[i], span)
            if own[0] > 0:
                apart = value - own[2] / own[0]
                within[0] += 1.0
                within[1] += apart * apart / (1.0 + 1.0 / own[0])
            own[2] += value
            step = value - size[1]
            size[0] += 1.0
            size[1] += step / size[0]
            size[2] += step * (value - size[1])
        for k, more in enumerate((large, 1.0)):
            peers[k] += more
            own[k] += more
            everyone[k] += more
