"""CrowdSec 1.4.6 (Debian) replaying a log through leaky buckets by user and distinct patients.

    apt-get install -y --no-install-recommends crowdsec    # its service is not needed: stop it

It runs from a directory of its own, without its central service. Without network, the package's
last step (registering there) fails; the program is installed all the same. Its file replay drops
every event that has no `MarshaledTime`, so our parser sets it. Settings are chosen by `tune` with
the best hindsight, on a model of the bucket that `agrees` holds against what CrowdSec raised.
"""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from benchmarks.naive import DAY, Scores, attacked, false_alerts
from vigie.simulate.world import World

Ints = NDArray[np.int64]
SECOND = 1_000_000
LEAKS = (5, 20, 60, 240, 900, 3600, 14_400, 43_200)
"""Seconds in which a bucket loses one patient: from a burst to half a day."""
_CAPACITY = 4000


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that overflows when one more distinct patient does not fit."""

    capacity: int
    leak: int


@dataclass(frozen=True, slots=True)
class Lines:
    """What CrowdSec reads: accesses that name a patient, in the order of time."""

    account: Ints
    at: Ints
    patient: Ints
    pair: Ints
    theft: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Replay:
    """What CrowdSec raised, and how many lines it read a second, its start and stop taken off."""

    account: Ints
    at: Ints
    speed: float


def lines(world: World) -> Lines:
    """Return the accesses of `world` as CrowdSec is given them."""
    account, at, patient, attack = (
        world.accesses.column(name).to_numpy().astype(np.int64)
        for name in ("account", "at", "patient", "attack")
    )
    named = patient >= 0
    account, at, patient = account[named], at[named], patient[named]
    pair = np.unique(account << 32 | patient, return_inverse=True)[1]
    return Lines(account, at, patient, pair.astype(np.int64), attack[named] >= 0)


@numba.njit(cache=True, nogil=True)
def _overflow(account, at, pair, theft, capacity, leak):
    """Return where buckets overflow and whether a theft had been poured into them.

    As in CrowdSec, a bucket remembers whom it has seen, expires when nobody new came for as long
    as emptying it takes, and is thrown away when it overflows.
    """
    accounts = account.max() + 1
    bucket, serial = np.zeros(accounts, np.int64), np.int64(0)
    room, last = np.zeros(accounts), np.zeros(accounts, np.int64)
    touched = np.zeros(accounts, np.bool_)
    seen = np.zeros(pair.max() + 1, np.int64)
    rows, stolen = [np.int64(0)], [False]
    for i in range(len(account)):
        a, now = account[i], at[i]
        if bucket[a] and now > last[a] + (capacity + 1) * leak:
            bucket[a] = 0
        if not bucket[a]:
            serial += 1
            bucket[a], room[a], last[a], touched[a] = serial, float(capacity), now, False
        if seen[pair[i]] == bucket[a]:
            continue
        seen[pair[i]] = bucket[a]
        room[a] = min(float(capacity), room[a] + (now - last[a]) / leak)
        last[a] = now
        touched[a] |= theft[i]
        if room[a] >= 1.0:
            room[a] -= 1.0
        else:
            rows.append(i)
            stolen.append(touched[a])
            bucket[a] = 0
    return np.array(rows[1:], np.int64), np.array(stolen[1:], np.bool_)


def overflows(log: Lines, buckets: Iterable[Bucket]) -> Scores:
    """Return what the buckets raise, by our model of them."""
    found = [
        _overflow(log.account, log.at, log.pair, log.theft, b.capacity, b.leak * SECOND)
        for b in buckets
    ]
    rows, theft = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Scores("leaky buckets", log.account[rows], log.at[rows], np.ones(len(rows)), theft)


def tune(world: World, log: Lines, begin: int, allowed: int) -> tuple[Bucket, ...]:
    """Return the bucket or the two that find most attacks within `allowed` false alerts.

    Per leak, the least capacities with 0, 1, 2… false alerts; of two buckets, those that stay
    within the budget together. Hindsight: it looks at the log it will be judged on.
    """
    honest = attacked(world) < 0
    singles = {
        Bucket(_least(log, leak, honest, begin, count), leak): None
        for leak in LEAKS
        for count in range(allowed + 1)
    }
    raised = {bucket: scored(overflows(log, [bucket]), begin) for bucket in singles}
    victim = attacked(world)

    def worth(buckets: tuple[Bucket, ...]) -> int:
        both = joined([raised[b] for b in buckets])
        if false_alerts(both, honest, 0.5) > allowed:
            return -1
        return len(np.unique(victim[both.account[both.theft]]))

    one_or_two = [(a,) for a in singles] + [
        (a, b) for a in singles for b in singles if a.leak < b.leak
    ]
    return max(one_or_two, key=lambda chosen: (worth(chosen), -len(chosen)))


def _least(log: Lines, leak: int, honest: NDArray[np.bool_], begin: int, allowed: int) -> int:
    low, high = 0, _CAPACITY
    while high - low > 1:
        middle = (low + high) // 2
        raised = scored(overflows(log, [Bucket(middle, leak)]), begin)
        if false_alerts(raised, honest, 0.5) <= allowed:
            high = middle
        else:
            low = middle
    return high


def scored(raised: Scores, begin: int) -> Scores:
    """Keep what was raised from `begin`, the scored part of the log."""
    kept = raised.at >= begin
    return Scores(
        raised.rule, raised.account[kept], raised.at[kept], raised.score[kept], raised.theft[kept]
    )


def joined(parts: list[Scores]) -> Scores:
    """Return the alarms of several buckets as one rule's."""
    return Scores(
        parts[0].rule,
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("account", "at", "score", "theft")
        ),
    )


def installed() -> bool:
    """Say whether CrowdSec is there."""
    return shutil.which("crowdsec") is not None


_CONFIG = """\
common: {{daemonize: false, log_media: stdout, log_level: info, working_dir: .}}
config_paths:
  config_dir: {home}/etc/
  data_dir: {home}/data/
  simulation_path: {home}/etc/simulation.yaml
  hub_dir: {home}/hub/
  index_path: {home}/hub/.index.json
  notification_dir: {home}/etc/
  plugin_dir: {home}/etc/
crowdsec_service: {{parser_routines: 1, buckets_routines: 1, output_routines: 1}}
cscli: {{output: human}}
db_config: {{log_level: error, type: sqlite, db_path: {home}/data/crowdsec.db, use_wal: true}}
prometheus: {{enabled: false}}
api:
  client: {{insecure_skip_verify: false, credentials_path: {home}/credentials.yaml}}
  server:
    log_level: error
    listen_uri: 127.0.0.1:{port}
    profiles_path: {home}/profiles.yaml
    console_path: {home}/console.yaml
"""
_PARSER = """\
filter: "evt.Line.Labels.type == 'access'"
name: bench/access
onsuccess: next_stage
grok:
  pattern: '^%{NOTSPACE:at} %{NOTSPACE:user} %{NOTSPACE:patient}$'
  apply_on: Line.Raw
statics:
  - target: evt.StrTime
    expression: evt.Parsed.at
  - target: evt.MarshaledTime
    expression: evt.Parsed.at
"""
_SCENARIO = """\
type: leaky
name: bench/{name}
description: distinct patients of one user
filter: "true"
groupby: evt.Parsed.user
distinct: evt.Parsed.patient
capacity: {capacity}
leakspeed: {leak}s
cache_size: 5
labels: {{type: sweep}}
scope: {{type: User, expression: evt.Parsed.user}}
"""
_RAISED = re.compile(r"User (\d+) performed 'bench/\w+' .* at (\S+ \S+) \+0000 UTC")


def replay(log: Lines, buckets: Iterable[Bucket], folder: Path) -> Replay:
    """Let CrowdSec read `log` through `buckets`, in `folder`."""
    _configure(folder, buckets)
    _write(folder / "empty.log", log, 0)
    _write(folder / "access.log", log, len(log.at))
    idle, _ = _run(folder, "empty.log")
    taken, said = _run(folder, "access.log")
    found = [(int(user), _moment(when)) for user, when in dict.fromkeys(_RAISED.findall(said))]
    account, at = np.array(found, np.int64).reshape(-1, 2).T
    return Replay(account, at, len(log.at) / max(taken - idle, 1e-9))


def _configure(folder: Path, buckets: Iterable[Bucket]) -> None:
    for name in ("etc/parsers/s00-raw", "etc/scenarios", "etc/patterns", "data", "hub"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    texts = {
        "config.yaml": _CONFIG.format(home=folder, port=port),
        "hub/.index.json": '{"parsers":{},"scenarios":{},"collections":{},"postoverflows":{}}',
        "etc/simulation.yaml": "simulation: off\n",
        "etc/parsers/s00-raw/access.yaml": _PARSER,
        "profiles.yaml": 'name: none\nfilters: ["false"]\ndecisions: []\non_success: break\n',
    }
    for number, bucket in enumerate(buckets):
        texts[f"etc/scenarios/{number}.yaml"] = _SCENARIO.format(
            name=f"bucket{number}", capacity=bucket.capacity, leak=bucket.leak
        )
    for name, text in texts.items():
        (folder / name).write_text(text)
    for path in Path("/etc/crowdsec/patterns").glob("*"):
        shutil.copy(path, folder / "etc/patterns")
    subprocess.run(
        ["cscli", "-c", "config.yaml", "machines", "add", "bench", "--auto", "--force",
         "-f", "credentials.yaml", "-u", f"http://127.0.0.1:{port}"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def _write(path: Path, log: Lines, count: int) -> None:
    moments = np.datetime_as_string(log.at[:count].astype("datetime64[us]"))
    with path.open("w") as file:
        for at, user, patient in zip(
            moments.tolist(), log.account[:count].tolist(), log.patient[:count].tolist(),
            strict=True,
        ):  # fmt: skip
            file.write(f"{at}Z {user} {patient}\n")


def _run(folder: Path, name: str) -> tuple[float, str]:
    begun = time.perf_counter()
    done = subprocess.run(
        ["crowdsec", "-c", "config.yaml", "-dsn", f"file://{folder / name}", "-type", "access"],
        cwd=folder, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"crowdsec stopped with {done.returncode}: {done.stdout[-2000:]}")
    return time.perf_counter() - begun, done.stdout


def _moment(text: str) -> int:
    """Read Go's notation, which drops trailing zeros of the second's fraction."""
    whole, _, fraction = text.partition(".")
    at = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return int(at.timestamp()) * SECOND + int((fraction + "000000")[:6])


def agrees(raised: Replay, modelled: Scores) -> float:
    """Return the share of alarms that CrowdSec and our model of its buckets have in common."""
    theirs = set(zip(raised.account.tolist(), raised.at.tolist(), strict=True))
    ours = set(zip(modelled.account.tolist(), modelled.at.tolist(), strict=True))
    return len(theirs & ours) / max(len(theirs | ours), 1)


def as_scores(raised: Replay, log: Lines) -> Scores:
    """Return CrowdSec's alarms as a rule's; a theft's follow within a day of the thief's look."""
    who, when = log.account[log.theft], log.at[log.theft]
    theft = np.array(
        [
            bool(((who == account) & (when <= at) & (when > at - DAY)).any())
            for account, at in zip(raised.account.tolist(), raised.at.tolist(), strict=True)
        ],
        bool,
    )
    return Scores("CrowdSec", raised.account, raised.at, np.ones(len(raised.at)), theft)
