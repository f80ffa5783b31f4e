"""Sign-ins of users to computers, and messages of senders to receivers: pairs with long tails.

*Sign-ins* after A. Kent, "Comprehensive, multi-source cyber-security events" (Los Alamos, 2015):
users keep to a few computers, everybody signs in to a few servers, administrators go everywhere,
programs sign in by the clock; stolen credentials hop to computers drawn from all. *Messages* after
the e-mail and forum logs of Leskovec and Krevl's collection (2014; 1,005 people over 803 days, and
1,899 over 193): activity in bursts, receivers by preferential return, new ones forever.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import BEGIN, DAY, HOUR, SECOND, Ints, Log


@dataclass(frozen=True, slots=True)
class Net:
    """How many write to how many over how long, and how: see `NETS`."""

    accounts: int
    targets: int
    days: int
    daily: float
    shared: float
    new: float
    programs: float = 0.0
    short: float = 0.0


NETS: Final = {
    "sign_ins": Net(800, 3000, 30, 14, 0.55, 0.02, programs=0.03),
    "mail": Net(900, 900, 60, 8, 0.0, 0.05),
    "forum": Net(1900, 1900, 60, 3, 0.0, 0.25, short=0.8),
}
"""`daily` accesses in the mean, of which `shared` go to what everybody uses and `new` of the rest
to somebody new; `programs` act by the clock, `short` accounts live for a few days."""


def draw(name: str, seed: int) -> Log:
    """Return the log of a net."""
    net = NETS[name]
    rng = np.random.default_rng([seed, len(name), net.accounts])
    rate = np.exp(1.1 * rng.standard_normal(net.accounts))
    rate *= net.daily / rate.mean()
    fame = 1 / (1.0 + rng.permutation(net.targets)) ** 0.8
    fame /= fame.sum()
    program = rng.random(net.accounts) < net.programs
    admin = rng.random(net.accounts) < 0.02
    begins, ends = _lives(rng, net)
    rows = []
    for account in range(net.accounts):
        new = 0.5 if admin[account] and net.shared else net.new
        at = _moments(rng, net, rate[account], program[account], begins[account], ends[account])
        rows.append((at, np.full(len(at), account), _targets(rng, net, len(at), fame, new)))
    at, who, target = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Log(name, at, who, target, np.zeros(net.accounts, np.int64)).in_order()


def _lives(rng: np.random.Generator, net: Net) -> tuple[Ints, Ints]:
    short = rng.random(net.accounts) < net.short
    begins = np.where(short, rng.integers(net.days, size=net.accounts), 0)
    return begins, np.where(short, begins + rng.geometric(0.2, net.accounts), net.days)


def _moments(
    rng: np.random.Generator, net: Net, rate: float, program: bool, begins: int, ends: int
) -> Ints:
    """Return the moments of an account in whole seconds: sessions in bursts, or by the clock."""
    if program:
        step = DAY // int(rng.choice([24, 48, 96]))
        return (
            np.arange(BEGIN + rng.integers(step), BEGIN + net.days * DAY, step) // SECOND * SECOND
        )
    found = []
    for day in range(begins, min(ends, net.days)):
        quiet = 0.15 if day % 7 > 4 else 1.0
        for _ in range(rng.poisson(rate * quiet / 3)):
            start = np.clip(rng.normal(13, 3.5), 0, 23.5) * HOUR
            gaps = np.cumsum(np.exp(rng.normal(4, 1.5, rng.geometric(1 / 3)))) * SECOND
            found.append(BEGIN + day * DAY + start + gaps)
    moments = np.concatenate(found) if found else np.empty(0)
    return np.sort(moments.astype(np.int64)) // SECOND * SECOND


def _targets(rng: np.random.Generator, net: Net, count: int, fame: np.ndarray, new: float) -> Ints:
    """Return whom each goes to: a shared one, one of before by how often, or somebody new."""
    known = list(rng.integers(net.targets, size=2))
    out = np.empty(count, np.int64)
    fresh = rng.choice(net.targets, count, p=fame)
    shared = rng.random(count) < net.shared
    begins = rng.random(count) < new
    for place in range(count):
        if shared[place]:
            out[place] = fresh[place] % 20
            continue
        out[place] = fresh[place] if begins[place] else known[rng.integers(len(known))]
        known.append(out[place])
    return out
