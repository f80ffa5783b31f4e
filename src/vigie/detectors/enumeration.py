"""Enumerations: neighbouring identifiers, names in alphabetical order, rights checks in a row."""

from typing import ClassVar

import numpy as np

from vigie.detectors.base import Partition, Ratios, contrast
from vigie.detectors.place import harvest_place
from vigie.marks import MANNERS

_BY_IDENTIFIER = (0.199, 0.8, 0.001)
_BY_NAME = (0.199, 0.001, 0.8)
_CHECK = MANNERS.index("rights_check")
_BY_RIGHTS = (0.02, 0.02, 0.94, 0.005, 0.005, 0.005, 0.005)


class Enumeration:
    """Walks along identifiers, along names, and rights checks one after the other."""

    name: ClassVar[str] = "enumeration"
    hypotheses: ClassVar[tuple[str, ...]] = ("identifier_walk", "name_walk", "rights_check_sweep")
    most: ClassVar[float] = 4.0
    floor: ClassVar[float] = 6.0

    def silent(self, partition: Partition) -> bool:
        """Whether the log gives neither order of patients nor rights checks."""
        checks = (partition.scene.marks["manner"] == _CHECK).any()
        return not (partition.says("sequence") or checks)

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratios of the three walks."""
        scene = partition.scene
        order = scene.marks["sequence"]
        honest, place = partition.honest(), harvest_place(partition)
        drawn = scene.swept - honest + place
        walks = [
            drawn + np.where(order >= 0, np.log(chances)[order], 0.0)
            for chances in (_BY_IDENTIFIER, _BY_NAME)
        ]
        checks = drawn + partition.usual.log["sequence"]
        checks += contrast(partition, "manner", _BY_RIGHTS)
        checked = bool((scene.marks["manner"] == _CHECK).any())
        speaks = [partition.says("sequence")] * 2 + [checked]
        return np.stack(
            [
                np.where(partition.related & said, walk, np.nan)
                for said, walk in zip(speaks, [*walks, checks], strict=True)
            ],
            axis=1,
        )
