"""What of an exposure is one controller's: the numbers that its notice tells."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Share:
    """What one controller is to be told: how many persons, rows of exposure, and of what.

    `persons` and `by_class` are those who were shown, as the facts count them; `possible` are the
    others, who may have been (only `reachable`), and `may` the classes that nobody was surely shown
    with. `sure` are those of `by_class` that somebody else than the owner surely saw (None: all).
    """

    controller: str
    persons: int
    rows: int
    by_class: dict[str, int]
    by_how: dict[str, int]
    accounts: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    possible: int = 0
    may: tuple[str, ...] = ()
    sure: tuple[str, ...] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes that its persons were or may have been shown with."""
        return (*self.by_class, *self.may)
