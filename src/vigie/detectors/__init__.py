"""One file per kind of evidence, and the dictionary that names them all."""

from collections.abc import Mapping
from typing import Final

from vigie.context.acquaintance import Staff
from vigie.detectors.authentication import Authentication
from vigie.detectors.base import Detector, Partition
from vigie.detectors.bulk import Bulk
from vigie.detectors.changes import Changes
from vigie.detectors.curiosity import Curiosity
from vigie.detectors.emergency import Emergency
from vigie.detectors.enumeration import Enumeration
from vigie.detectors.panel import Panel
from vigie.detectors.strangers import Strangers

DETECTORS: Final[dict[str, Detector]] = {
    detector.name: detector
    for detector in (
        Strangers(),
        Enumeration(),
        Bulk(),
        Emergency(),
        Panel(),
        Authentication(),
        Changes(),
        Curiosity(),
    )
}
"""Every detector by name; a new one is one file and one entry here."""


def fitting(detectors: Mapping[str, Detector], staff: Staff | None) -> Mapping[str, Detector]:
    """Leave out the detector of curiosity where no table says whose the accounts are.

    It would be silent; left out, it costs neither time nor memory.
    """
    return {name: one for name, one in detectors.items() if staff or name != Curiosity.name}


__all__ = ["DETECTORS", "Detector", "Partition", "fitting"]
