"""One file per kind of evidence, and the dictionary that names them all."""

from typing import Final

from vigie.detectors.authentication import Authentication
from vigie.detectors.base import Detector, Partition
from vigie.detectors.bulk import Bulk
from vigie.detectors.changes import Changes
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
    )
}
"""Every detector by name; a new one is one file and one entry here."""

__all__ = ["DETECTORS", "Detector", "Partition"]
