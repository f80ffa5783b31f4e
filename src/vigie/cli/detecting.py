"""The detection of what the store holds, as commands ask for it: run, remembered, asked again."""

from argparse import Namespace
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from vigie import journal
from vigie.cli.opening import open_present
from vigie.cli.terminal import home_of, remark, remarks, settings_of
from vigie.cli.times import day_of
from vigie.errors import UsageError
from vigie.language import N_, _
from vigie.stores.layout import is_writable, telling

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from vigie.detection import Detection
    from vigie.exposure.kept import Kept

LAST_ASKED = "last-asked.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, on how many events, with how many lines still in quarantine."""

    detection: "Detection"
    events: int
    quarantined: int
    rows: "Callable[[NDArray[np.int64], list[str]], pa.Table]"


def detect_stored(options: Namespace) -> Answer:
    """Run the detection over the whole store; the look is journalled."""
    from vigie.context.acquaintance import KEYED
    from vigie.detection import COLUMNS, detect_slices
    from vigie.detectors.hindsight import Hindsight
    from vigie.events import SCHEMA

    home, settings = home_of(options), settings_of(options)
    if options.alarm_budget is not None:
        if not 0 < options.alarm_budget < inf:
            raise UsageError(
                N_("the alarm budget must be a number above 0"), where="--alarm-budget"
            )
        settings = msgspec.structs.replace(settings, alarm_budget=options.alarm_budget)
    learn_until = day_of(options.learn_until, "--learn-until")
    _say_first_look(options)
    with open_present(options) as store:
        sources, walk = store.sources(), store.walk()
        care, staff = store.table("care"), store.table("staff")
        wanted = {*COLUMNS, "event_id", *(KEYED if staff.num_rows else ())}
        columns = [name for name in SCHEMA.names if name in wanted]
        quarantined = sum(source.quarantined_now for source in sources)
        journal.record(home, "detect", f"{walk.rows} events", "vigie " + options.command)
        detection = detect_slices(
            walk.slices(columns),
            walk.span,
            settings,
            learn_until=learn_until,
            quarantined=quarantined,
            lines=sum(source.lines for source in sources),
            care=care if care.num_rows else None,
            staff=staff if staff.num_rows else None,
            keep=Hindsight(home if is_writable(home) else None),
        )
    return Answer(detection, walk.rows, quarantined, walk.take)


def _say_first_look(options: Namespace) -> None:
    """Say on a terminal why the first look of all takes so long."""
    from vigie.kernels import is_kept
    from vigie.timeline.sorting import order_of_codes

    asked = not vars(options).get("quiet")
    if asked and remarks().is_terminal and not is_kept(order_of_codes):
        remark(_("First look on this machine: its loops are compiled, once, in about a minute."))


def remember(options: Namespace, answer: Answer) -> "tuple[Kept, bool]":
    """Keep the answer and how it was asked for: what is asked of an alert later starts from it.

    Returns what is kept, and whether it was asked for as the time before.
    """
    from vigie.exposure.evidence import evidence_of
    from vigie.exposure.kept import keep

    home, found = home_of(options), answer.detection
    asked = {
        "alarm_budget": options.alarm_budget, "learn_until": options.learn_until,
        "budgets": list(found.budgets),
    }  # fmt: skip
    before = _last_asked(home)
    with telling(path := home / LAST_ASKED):
        path.touch(0o600)
        path.write_bytes(msgspec.json.encode(asked))
    with open_present(options) as store:
        key = store.keyring.version
    tell = partial(evidence_of, found, answer.rows)
    return keep(home, found.alerts, tell, answer.events, key), asked == before


def recall(options: Namespace) -> None:
    """Fill in what the options leave open with how the last answer was asked for."""
    said = _last_asked(home_of(options))
    options.alarm_budget = options.alarm_budget or said.get("alarm_budget")
    options.learn_until = options.learn_until or said.get("learn_until")


def _last_asked(home: Path) -> dict[str, Any]:
    """Return how the last answer was asked for: a convenience, forgotten where it is damaged."""
    path = home / LAST_ASKED
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
