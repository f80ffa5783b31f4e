"""What of an exposure is one controller's: the numbers that its notice tells."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Share:
    """What one controller is to be told: how many persons, rows of exposure, and of what."""

    controller: str
    persons: int
    rows: int
    by_class: dict[str, int]
    by_how: dict[str, int]
    accounts: tuple[str, ...]
    first_at: datetime
    last_at: datetime
