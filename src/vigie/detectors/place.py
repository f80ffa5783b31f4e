"""Place: a harvest often, but by far not always, comes from a network or device new to the account.

A fact of a session: it counts at the session's first unit only, for counted at every unit it would
drown all else; and it is believed only in part, since most thieves that matter sit at the
victim's own workstation.
"""

from vigie.detectors.base import Partition, Ratios, contrast

_NEW_OR_NOT = (0.5, 0.5)


def harvest_place(partition: Partition) -> Ratios:
    """Return the log ratio of the place, at the first unit of each session."""
    return contrast(partition, "place", _NEW_OR_NOT, share=0.4)
