"""What a clock starts from, and what it says."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Progress(StrEnum):
    """How far a duty is.

    `waiting`: what starts it has not happened. `running`: before its end. `open`: started, without
    a fixed end (without delay). `overdue`: its end is past. `met`, `late`: done in time or after.
    """

    WAITING = "waiting"
    RUNNING = "running"
    OPEN = "open"
    OVERDUE = "overdue"
    MET = "met"
    LATE = "late"
    WAIVED = "waived"


class Moments(msgspec.Struct, frozen=True):
    """Everything that clocks need to know of a case, all times in UTC.

    `at` maps a kind of event (`vigie.cases.model.Kind`) to its first time, with `opened`,
    `awareness`, `not_notified` and `not_informed` beside them; `role` is that of the organisation
    which keeps the case: `controller`, `joint_controller` or `processor`.
    """

    role: str
    at: dict[str, datetime] = {}
    zone: str = "Europe/Paris"


class ClockState(msgspec.Struct, frozen=True):
    """One duty at one instant.

    `status` is that of the rule: `in_force`, `not_in_force` or `repealed`; only the first binds.
    `provisional` says that the starting point was not decided, and that `start` is the earliest
    moment it could be. `due` is None where the law says without delay; `done` is the kind of event
    that ends it. `weekend_due` is what the
    contested extension of Regulation 1182/71 would give, for information.
    """

    clock: str
    name: dict[str, str]
    article: str
    recipient: str
    status: str
    progress: Progress
    start_kind: str
    start: datetime | None
    provisional: bool
    due: datetime | None
    done: str
    done_at: datetime | None
    source: str
    mark: str
    valid_from: str
    valid_until: str | None
    note: dict[str, str]
    weekend_due: datetime | None = None

    @property
    def binding(self) -> bool:
        """Whether the rule behind it is in force."""
        return self.status == "in_force"

    def remaining(self, now: datetime) -> timedelta | None:
        """Return what is left at `now`, negative when it is past, None without a fixed end."""
        return self.due - now if self.due else None
