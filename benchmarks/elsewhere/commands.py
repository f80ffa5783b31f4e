"""Commands of users, as in the masquerade data: no time but their order, names from a long tail.

Laws after M. Schonlau, W. DuMouchel, W.-H. Ju, A. Karr, M. Theus, Y. Vardi, "Computer intrusion:
detecting masquerades", Statistical Science 16 (2001): 50 users, 15,000 commands each, the first
5,000 clean, blocks of 100 of another, unseen user inserted later; 856 distinct commands in all, a
few dozen used by everybody, new ones at any time, runs of the same ones (scripts). What a block
steals is another's habit; here each command that is new to a user is one more "patient".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import BEGIN, SECOND, Ints, Log

BLOCK: Final = 100
CLEAN: Final = 0.34
"""Share of the commands before which nobody is robbed."""
_BEGINS: Final = 0.01
_GOES_ON: Final = 0.8
"""Chances that a block is another's, and that the next is so too, as in the published set."""


@dataclass(frozen=True, slots=True)
class Set:
    """How many users and commands each, the seconds from one to the next, distinct names."""

    users: int
    commands: int
    seconds: float
    names: int = 850
    files: int = 0


SETS: Final = {
    "commands_by_minute": Set(50, 15_000, 60),
    "commands_by_second": Set(50, 15_000, 1),
    "commands_daily_blocks": Set(50, 15_000, 864),
    "commands_and_files": Set(50, 15_000, 120, files=4000),
}


def draw(name: str, seed: int) -> Log:
    """Return the commands of all users, other users' blocks among them, on a regular clock."""
    one = SETS[name]
    rng = np.random.default_rng([seed, len(name), int(one.seconds)])
    users = 2 * one.users  # the second half are those whose blocks are inserted
    common = 1 / (np.arange(one.names) + 3.0) ** 1.1
    habit = common * rng.gamma(0.08, 1.0, (users, one.names))
    habit /= habit.sum(1, keepdims=True)
    typed = np.stack([_typed(rng, habit[user], one.commands) for user in range(users)])
    theft, families = np.full((one.users, one.commands), -1), []
    for user in range(one.users):
        _insert(rng, typed, theft, families, user, one)
    if one.files:
        typed = typed * one.files + _files(rng, typed, one)
    at = BEGIN + (np.arange(one.commands) * one.seconds * SECOND).astype(np.int64)
    return Log(
        name, np.tile(at, one.users), np.repeat(np.arange(one.users), one.commands),
        typed[: one.users].ravel().astype(np.int64), np.zeros(users, np.int64),
        theft=theft.ravel().astype(np.int64), families=tuple(families), numeric=False,
    ).in_order()  # fmt: skip


def _typed(rng: np.random.Generator, habit: np.ndarray, count: int) -> Ints:
    """Draw commands by habit; scripts repeat themselves, and habits drift over the months."""
    later = habit * rng.gamma(0.5, 1.0, len(habit))
    later /= later.sum()
    drift = rng.random(count) < np.linspace(0, 0.5, count)
    out = np.where(
        drift, rng.choice(len(habit), count, p=later), rng.choice(len(habit), count, p=habit)
    )
    again = rng.random(count) < 0.4
    back = rng.integers(1, 6, count)
    for place in np.flatnonzero(again):
        out[place] = out[max(place - back[place], 0)]
    return out


def _insert(
    rng: np.random.Generator, typed: Ints, theft: Ints, families: list[str], user: int, one: Set
) -> None:
    """Insert runs of blocks of somebody who is not in the log."""
    inside, other = False, 0
    for block in range(int(CLEAN * one.commands) // BLOCK, one.commands // BLOCK):
        begins = not inside and rng.random() < _BEGINS
        inside = begins or (inside and rng.random() < _GOES_ON)
        if begins:
            other = int(rng.integers(one.users, 2 * one.users))
            families.append("masquerade")
        if inside:
            rows = slice(block * BLOCK, (block + 1) * BLOCK)
            typed[user, rows] = typed[other, rows]
            theft[user, rows] = len(families) - 1


def _files(rng: np.random.Generator, typed: Ints, one: Set) -> Ints:
    """Draw the file that each command is about: each user's own, seldom a shared one."""
    own = rng.zipf(1.5, typed.shape) % (one.files // 20) + 200 * (
        np.arange(len(typed))[:, None] % 20
    )
    return np.where(rng.random(typed.shape) < 0.9, own, rng.integers(one.files, size=typed.shape))
