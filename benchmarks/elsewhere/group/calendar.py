"""What happens once: the days on which the group is not as usual."""

from typing import Final

LISTS_FROM: Final = 25
"""A module of the vendor logs pages of lists from that day on."""
OUTBREAK: Final = (26, 41)
"""From when to when a ward is the isolation unit."""
ISOLATION: Final = (0, "internal")
MOVED: Final = (28, 0, "pneumology")
"""A ward goes to a new building: other devices, another network."""
DOWN: Final = (29, 10, 16)
"""The record is down between two hours of a day."""
STRIKE: Final = 31
ROTATION: Final = 35
"""4 May: half of the interns change wards in one morning."""
MIGRATION: Final = (40, 42)
"""A weekend on which two interface accounts read 20,000 records again."""
MERGED: Final = (42, 0, "urology", "visceral")
"""One ward goes into another, patients and staff."""
