"""The sequential statistic beside the exact optimum, at one run length, for six intensities.

    python -m benchmarks.bench_runlength [RUNS]

An access meets a stranger or not; in usual a share `USUAL` does. A thief adds his own accesses, 95
in 100 of them strangers, as a share (the *intensity*) of all. The optimum knows the intensity: a
CUSUM (Moustakides 1986) with the lowest threshold whose run length is at least `RUN_LENGTH`, by
its Markov chain. Ours does not know it: the kernel's fixed mixture, with the threshold that the
theorem guarantees (run length at least the threshold) and with the one that simulation calibrates.

Delays are counted in accesses and begin where both statistics are lowest after a long honest past
(zero for the CUSUM; for ours what a run of known patients leaves), so they are Lorden's worst case
but for an account's very first accesses. Run lengths are simulated from an empty statistic.
"""

import sys
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, identity
from scipy.sparse.linalg import spsolve

from benchmarks.base import Result
from vigie.detectors.kernel import INTENSITIES, WEIGHTS, trace_all

Floats = NDArray[np.float64]
RUN_LENGTH = 100_000
USUAL = 0.06
THIEF = 0.95
TRUE = (0.03, 0.1, 0.2, 0.4, 0.7, 0.95)
"""Shares of the thief among the accesses: from three in a hundred to nearly all."""
RUNS = 2000
"""Simulated run lengths; delays are cheap."""
DELAYS = 20_000


@dataclass(frozen=True, slots=True)
class Mixture:
    """Fixed intensities and weights of the statistic."""

    intensities: Floats
    weights: Floats

    def factors(self, usual: float = USUAL) -> Floats:
        """Return the factor of a known patient and of a stranger, per intensity."""
        ratios = np.array([(1 - THIEF) / (1 - usual), THIEF / usual])
        return 1 - self.intensities + np.outer(ratios, self.intensities)


OURS = Mixture(INTENSITIES, WEIGHTS)


def share(intensity: float, usual: float = USUAL) -> float:
    """Return the share of strangers while a thief of this intensity is at work."""
    return (1 - intensity) * usual + intensity * THIEF


def optimum(attack: float, usual: float = USUAL, length: float = RUN_LENGTH) -> float:
    """Return the least mean delay at a mean run length of at least `length`, both shares known.

    Known from elsewhere: 12.8 accesses at 30 % strangers in usual, 95 % in the attack, 500,000.

    >>> round(optimum(0.95, 0.3, 500_000), 1)
    12.8
    """
    low, high, delay = 0, len(_GRID) - 1, np.nan
    while high - low > 1:
        middle = (low + high) // 2
        reached, late = _chain(usual, attack, _GRID[middle] * np.log(length))
        if reached < length:
            low = middle
        else:
            high, delay = middle, late
    return delay


_GRID = np.linspace(0.02, 1, 1024)
_STEPS = 24


def _chain(usual: float, attack: float, threshold: float) -> tuple[float, float]:
    """Return mean run length and mean delay of a CUSUM from its Markov chain.

    Steps are rounded to a 24th of the smaller one (Brook and Evans 1972).
    """
    up, down = np.log(attack / usual), np.log((1 - usual) / (1 - attack))
    unit = min(up, down) / _STEPS
    rise, fall = round(up / unit), round(down / unit)
    states = int(np.ceil(threshold / unit))
    here = np.arange(states)
    higher, lower = here + rise, np.maximum(here - fall, 0)
    stays = higher < states
    times = []
    for chance in (usual, attack):
        rows, columns = np.r_[here[stays], here], np.r_[higher[stays], lower]
        weights = np.r_[np.full(stays.sum(), chance), np.full(states, 1 - chance)]
        step = csc_matrix((weights, (rows, columns)), shape=(states, states))
        times.append(float(np.atleast_1d(spsolve(identity(states, format="csc") - step,
                                                 np.ones(states)))[0]))  # fmt: skip
    return times[0], times[1]


@numba.njit(cache=True, nogil=True)
def _passages(factors, weights, start, chance, thresholds, runs, seed):
    """Return the mean first passage of the mixed statistic over each threshold, rising."""
    np.random.seed(seed)
    total = np.zeros(thresholds.size)
    square = np.zeros(thresholds.size)
    sums = np.zeros(weights.size)
    for _ in range(runs):
        sums[:] = start
        step, reached = 0, 0
        while reached < thresholds.size:
            stranger = 1 if np.random.random() < chance else 0
            step += 1
            mixed = 0.0
            for k in range(weights.size):
                sums[k] = (1.0 + sums[k]) * factors[stranger, k]
                mixed += weights[k] * sums[k]
            while reached < thresholds.size and mixed >= thresholds[reached]:
                total[reached] += step
                square[reached] += float(step) * step
                reached += 1
    return total / runs, np.sqrt(square / runs - (total / runs) ** 2) / np.sqrt(runs)


def passages(
    mixture: Mixture, chance: float, thresholds: Floats, runs: int, *, seed: int = 1,
    aged: bool = False,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return mean first passages over rising thresholds, and their standard errors.

    `aged` begins where a long run of known patients leaves the statistic: R = (1 + R) L.
    """
    factors = mixture.factors()
    start = factors[0] / (1 - factors[0]) if aged else np.zeros(len(factors[0]))
    means, errors = _passages(
        factors, mixture.weights, start, chance, np.asarray(thresholds, float), runs, seed
    )
    return means, errors


def calibrated(mixture: Mixture, runs: int, length: float = RUN_LENGTH) -> float:
    """Return the lowest threshold whose simulated run length under usual is at least `length`."""
    thresholds = length * np.geomspace(0.4, 1, 200)
    means, _ = passages(mixture, USUAL, thresholds, runs)
    return float(thresholds[np.argmax(means >= length)])


@dataclass(frozen=True, slots=True)
class Line:
    """One intensity: delays in accesses."""

    intensity: float
    optimum: float
    guaranteed: float
    calibrated: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All intensities under one configuration; `length` is simulated, with its standard error."""

    lines: tuple[Line, ...]
    threshold: float
    length: float
    error: float

    def worst(self, which: str) -> float:
        """Return the largest ratio to the optimum of "guaranteed" or "calibrated"."""
        return max(getattr(line, which) / line.optimum for line in self.lines)


def compare(mixture: Mixture = OURS, runs: int = RUNS) -> Comparison:
    """Simulate run length and delays of `mixture` beside the optimum of each intensity."""
    threshold = calibrated(mixture, runs)
    length, error = passages(mixture, USUAL, np.array([RUN_LENGTH]), runs, seed=2)
    lines = []
    for intensity in TRUE:
        attack = share(intensity)
        both = np.array([threshold, RUN_LENGTH])
        means, _ = passages(mixture, attack, both, DELAYS, seed=3, aged=True)
        lines.append(Line(intensity, optimum(attack), float(means[1]), float(means[0])))
    return Comparison(tuple(lines), threshold, float(length[0]), float(error[0]))


def as_kernel(strangers: NDArray[np.bool_]) -> Floats:
    """Return the kernel's own statistic on one account's accesses of one day."""
    count = len(strangers)
    ratios = np.log(np.where(strangers, THIEF / USUAL, (1 - THIEF) / (1 - USUAL)))[:, None]
    bounds, step = np.array([0, count]), np.arange(count, dtype=np.int32)
    levels: Floats = np.exp(trace_all(bounds, step, np.zeros(count, np.int32), ratios)[:, 0])
    return levels


def check() -> None:
    """Raise unless what is simulated here is what the kernel computes."""
    strangers = np.random.default_rng(1).random(500) < 0.3
    sums, mixed = np.zeros(len(OURS.weights)), []
    for stranger in strangers.astype(int):
        sums = (1 + sums) * OURS.factors()[stranger]
        mixed.append(float(OURS.weights @ sums))
    np.testing.assert_allclose(as_kernel(strangers), mixed, rtol=1e-9)


def run(scale: float = 1.0) -> list[Result]:
    """Return the worst ratio with each threshold, and the run length."""
    check()
    found = compare(runs=max(int(RUNS * scale), 500))
    return [
        _delay(found, "guaranteed", "at most 1.25"),
        _delay(found, "calibrated", "at most 1.15"),
        Result(
            "run length at the guaranteed threshold", found.length, "the threshold", RUN_LENGTH,
            "accesses", "at least 1", f"simulated, standard error {found.error:,.0f}",
        ),
    ]  # fmt: skip


def _delay(found: Comparison, which: str, target: str) -> Result:
    worst = max(found.lines, key=lambda line: getattr(line, which) / line.optimum)
    return Result(
        f"delay, {which} threshold", getattr(worst, which), "CUSUM that knows the intensity",
        worst.optimum, "accesses", target, f"worst of six intensities, {worst.intensity}",
    )  # fmt: skip


def report(found: Comparison) -> str:
    """Return the table of all intensities in Markdown."""
    lines = [
        "| thief's share | strangers | optimum | guaranteed threshold | calibrated threshold |",
        "|---:|---:|---:|---:|---:|",
    ]
    for line in found.lines:
        lines.append(
            f"| {line.intensity} | {100 * share(line.intensity):.1f} % | {line.optimum:.1f} "
            f"| {line.guaranteed:.1f} ({line.guaranteed / line.optimum:.3f}) "
            f"| {line.calibrated:.1f} ({line.calibrated / line.optimum:.3f}) |"
        )
    return "\n".join(lines)


def main() -> None:
    check()
    found = compare(runs=int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
    print(report(found))
    print(
        f"\nRun length at the guaranteed threshold {RUN_LENGTH:,}: {found.length:,.0f} (standard "
        f"error {found.error:,.0f}); calibrated threshold: {found.threshold:,.0f}."
    )


if __name__ == "__main__":
    main()
