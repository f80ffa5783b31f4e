"""Honest logs looked at one by one, each result a JSON line, so that a long run can be resumed.

A line names the code that made it; lines of other code are left out of a summary.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from benchmarks.bench_detection import measure
from benchmarks.drift import Drift
from vigie.simulate.world import World

DAY = 86_400_000_000
Floats = NDArray[np.float64]
Trial = dict[str, Any]
_SOURCE = Path(__file__).parents[1] / "src" / "vigie"


def code() -> str:
    """Return a short digest of the code that simulates and detects."""
    digest = hashlib.blake2b(digest_size=6)
    for folder in (".", "detectors", "simulate"):
        for path in sorted((_SOURCE / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def observe(world: World, scale: float, drift: Drift | None = None) -> Trial:
    """Detect on a world without attacks; count account-days and alerts by site and phase.

    Phases: 0 before the drift (or without one), 1 its first week, 2 after; the drifting
    profession's accounts and the others are counted apart.
    """
    found = measure(world)
    until = int(found.learn_until.timestamp() * 1e6)
    begins = world.start + drift.day * DAY if drift else np.inf
    login = {name: code for code, name in enumerate(world.accounts.column("login").to_pylist())}
    site = world.accounts.column("organisation").to_pylist()
    profession = world.accounts.column("profession").to_pylist()

    def cell(account: int, at: int) -> tuple[int, int, bool]:
        phase = 0 if at < begins else 1 if at < begins + 7 * DAY else 2
        return site[account], phase, bool(drift and profession[account] == drift.profession)

    account, at = (world.accesses.column(c).to_numpy().astype(np.int64) for c in ("account", "at"))
    days = np.unique(account[at >= until] << 32 | (at[at >= until] - world.start) // DAY)
    of_days = Counter(
        cell(key >> 32, world.start + (key & 0xFFFFFFFF) * DAY) for key in days.tolist()
    )
    of_alerts = Counter(
        cell(login[alert.account], int(alert.opened_at.timestamp() * 1e6))
        for alert in found.alerts
        if alert.opened_at >= found.learn_until
    )
    return {
        "code": code(), "preset": world.preset, "scale": scale, "seed": world.seed,
        "drift": asdict(drift) if drift else None,
        "hypotheses": Counter(
            a.hypothesis for a in found.alerts if a.opened_at >= found.learn_until
        ),
        "levels": Counter(a.level for a in found.alerts if a.opened_at >= found.learn_until),
        "cells": [[*cell, of_days[cell], of_alerts[cell]] for cell in of_days | of_alerts],
    }  # fmt: skip


def recorded(path: Path) -> list[Trial]:
    """Return the trials of `path` that this code made."""
    if not path.exists():
        return []
    trials = [json.loads(line) for line in path.read_text().splitlines()]
    return [trial for trial in trials if trial["code"] == code()]


def record(path: Path, trial: Trial) -> None:
    """Append a trial."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(trial) + "\n")


def by_site(trials: Iterable[Trial], phase: int, *, theirs: bool | None = None) -> Floats:
    """Return account-days and alerts of every site in a phase, shape (sites, 2).

    `theirs` keeps the accounts of the drifting profession, or the others.
    """
    sites: dict[tuple[Any, ...], Floats] = {}
    for trial in trials:
        for site, when, of_them, days, alerts in trial["cells"]:
            if when == phase and theirs in (None, of_them):
                name = (trial["preset"], trial["seed"], site)
                sites[name] = sites.get(name, np.zeros(2)) + np.array([days, alerts])
    return np.array(list(sites.values())).reshape(-1, 2)


def upper_limit(counts: Floats, confidence: float = 0.95) -> float:
    """Return the upper limit of alerts per 10,000 account-days, alerts of one site being alike.

    The Poisson limit of the effective count: alerts over how much wider the variance between
    sites makes their rate (E. Korn and B. Graubard, Survey Methodology 24, 1998).

    >>> round(upper_limit(np.array([[10_000, 0], [20_000, 0]])), 2)
    1.0
    >>> even, uneven = [[1000, 1]] * 20, [[1000, 0]] * 19 + [[1000, 20]]
    >>> upper_limit(np.array(even)) < upper_limit(np.array(uneven))
    True
    """
    days, alerts = counts.sum(axis=0)
    if not alerts:
        return float(1e4 * -np.log(1 - confidence) / days)
    residual = counts[:, 1] - alerts / days * counts[:, 0]
    variance = len(counts) / max(len(counts) - 1, 1) * float(residual @ residual)
    effect = max(variance / alerts, 1.0)
    return float(1e4 * effect * chi2.ppf(confidence, 2 * alerts / effect + 2) / 2 / days)


def rate(counts: Floats) -> str:
    """Return alerts, account-days, rate and limit as cells of a table."""
    if not len(counts) or not counts[:, 0].sum():
        return "0 | 0 | |"
    days, alerts = counts.sum(axis=0)
    return f"{alerts:.0f} | {days:.0f} | {1e4 * alerts / days:.2f} | {upper_limit(counts):.2f}"
