"""How a harvest is carried out, whatever it harvests: quickly, shallowly, often from elsewhere.

Shared by the detectors, so that each adds it once. Place and hour are facts of a session: they
count at its first unit only, for counted at every unit they would drown all else.
"""

import numpy as np

from vigie.detectors.base import Partition, Ratios, contrast

_PACE = (0.40, 0.35, 0.13, 0.07, 0.05)
_DEPTH = (0.90, 0.08, 0.02)
_PLACE = (0.4, 0.6)


def harvest_manner(partition: Partition) -> Ratios:
    """Return the log ratio of pace, depth, place and hour together."""
    pace = contrast(partition, "pace", _PACE, share=0.5)
    depth = contrast(partition, "depth", _DEPTH, share=0.7)
    return 0 * (pace + depth + visit_facts(partition))


def visit_facts(partition: Partition) -> Ratios:
    """Return the log ratio of place and hour, at the first unit of each session."""
    place = contrast(partition, "place", _PLACE)
    hour = contrast(partition, "hour", (1 / 16,) * 16, share=0.5)
    opens = partition.scene.marks["place"] >= 0
    return np.where(opens, place + hour, 0.0)
