"""Compiled loops of the oracle: the chance of each patient in a draw of the simulator."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def _own(place, day, known, growth, length, window):
    """Chance of `place` in a draw of one's own patients (`choosing.Chooser.own`)."""
    frontier = min(max(int(known + growth * day), 1), length - 2)
    if place >= frontier:
        return 0.0
    if window > 0:
        wide = min(window, frontier)
        return 1.0 / wide if place >= frontier - wide else 0.0
    late = frontier - 1 - place
    chance = 0.4 * (((late + 1) / frontier) ** 0.4 - (late / frontier) ** 0.4)
    if place < known:
        high = min((place + 1) / known, 1.0)
        chance += 0.6 * (high ** (1 / 2.2) - (place / known) ** (1 / 2.2))
    return chance


@numba.njit(cache=True, nogil=True)
def known(
    patient, mine, home, team, site, day, starts, owner, place, team_of, site_of, team_share,
    site_share, known, growth, length, window,
):  # fmt: skip
    found = np.zeros((patient.size, 6))
    for i in range(patient.size):
        p = patient[i]
        if p < 0:
            continue
        for j in range(starts[p], starts[p + 1]):
            s = owner[j]
            here = s == mine[i]
            ours = team_of[s] == team[i]
            local = site_of[s] == site[i]
            if not (here or ours or local or s == home[i]):
                continue
            frontier = min(max(int(known[s] + growth[s] * day[i]), 1), length[s] - 2)
            q = _own(place[j], day[i], known[s], growth[s], length[s], window[s])
            if here:
                found[i, 0] += q
                if place[j] == frontier or place[j] == frontier + 1:
                    found[i, 3] += 0.5
            if ours:
                found[i, 1] += q * team_share[s]
            if local:
                found[i, 2] += q * site_share[s]
                if place[j] < frontier:
                    found[i, 4] += site_share[s] / frontier
            if s == home[i] and place[j] < frontier:
                found[i, 5] += 1.0 / frontier
    return found


@numba.njit(cache=True, nogil=True)
def walk(account, place, table, weights, base):
    found = np.full(account.size, base)
    size = table.size // 2
    for i in range(account.size):
        total, left = 0.0, 1.0
        for k in range(weights.size):
            j = i - 1 - k
            if j < 0 or account[j] != account[i]:
                break
            step = place[i] - place[j]
            if -size <= step <= size:
                total += weights[k] * table[step + size]
            left -= weights[k]
        found[i] = total + left * base
    return found
