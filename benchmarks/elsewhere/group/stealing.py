"""The rows of thieves put into the log, in the words of the sessions that they stole."""

import numpy as np

from benchmarks.elsewhere.group.people import DAY
from benchmarks.elsewhere.group.sessions import ACTION, AGENTS, AUTH, Lines, in_order, take
from benchmarks.elsewhere.group.thefts import FAMILIES, Scene, Step

_FAR: int = 30_000


def rob(scene: Scene, each: int) -> tuple[Lines, tuple[str, ...]]:
    """Return the lines with `each` thefts of every family, and the families."""
    parts, families = [scene.lines], []
    for n in range(each):
        for name, family in FAMILIES.items():
            steps = [step for step in family(scene, n) if len(step.at)]
            if steps:
                parts += [_lines(scene, step, len(families)) for step in steps]
                families.append(name)
    lines = {name: np.concatenate([part[name] for part in parts]) for name in scene.lines}
    return in_order(lines), tuple(families)


def _lines(scene: Scene, step: Step, number: int) -> Lines:
    """Repeat what the account's nearest rows say, but for what the thief does and where he is."""
    mine = np.flatnonzero(scene.lines["account"] == step.account)
    near = np.searchsorted(scene.lines["at"][mine], step.at).clip(1, len(mine)) - 1
    out, count = take(scene.lines, mine[near]), len(step.at)
    out["at"], out["patient"] = step.at.astype(np.int64), step.patient.astype(np.int64)
    out["action"] = np.full(count, ACTION[step.action])
    out["records"] = np.full(count, -1) if step.records is None else np.asarray(step.records)
    first = scene.lines["access"].max() + 1 + number * 1_000
    out["access"] = np.full(count, -1) if step.access is None else first + np.asarray(step.access)
    out["shape"], out["theft"] = np.full(count, step.shape), np.full(count, number)
    if step.device >= 0:
        out["device"] = np.full(count, step.device)
    if step.place != "desk":
        out["device"] = np.full(count, _FAR + number)
        out["network"] = 200 + (number * 7 + out["at"] // DAY) % 40
        out["session"] = scene.lines["session"].max() + 1 + number * 100 + out["at"] // DAY
        out["agent"] = np.full(count, AGENTS.index("Chrome old"))
        out["auth"] = np.full(count, AUTH.index("password"))
    return out
