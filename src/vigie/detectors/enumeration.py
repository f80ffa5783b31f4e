"""Enumerations: neighbouring identifiers, names in alphabetical order, rights checks in a row.

Numbers are walked in a rush; names in a rush or at the pace of the owner, who also looks for people
by name.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import MANNERS
from vigie.context.relations import HOST
from vigie.detectors.authentication import harvest_session
from vigie.detectors.base import Partition, Ratios, contrast, only_where, told
from vigie.usual.chain import HASTE, SILENT

_BY_IDENTIFIER = (0.199, 0.8, 0.001)
_BY_NAME = (0.40, 0.01, 0.59)
"""Order of the patients in a walk. Names are typed, looked through and skipped. Assumptions."""
_CHECK = MANNERS.index("rights_check")
_BY_RIGHTS = (0.02, 0.02, 0.94, 0.005, 0.005, 0.005, 0.005)


class Enumeration:
    """Walks along identifiers, along names, and rights checks one after the other."""

    name: ClassVar[str] = "enumeration"
    hypotheses: ClassVar[tuple[str, ...]] = ("identifier_walk", "name_walk", "rights_check_sweep")
    most: ClassVar[float] = 4.0
    floor: ClassVar[float] = 6.0
    share: ClassVar[float] = 1.0
    unlike_batches: ClassVar[tuple[str, ...]] = ("rights_check_sweep",)

    def heard(self, partition: Partition) -> NDArray[np.bool_]:
        """Accesses that tell the order of patients, and rights checks."""
        checks = partition.scene.marks["manner"] == _CHECK
        return np.stack([*[partition.says("sequence")] * 2, checks], axis=1)

    def ratios(self, partition: Partition) -> Ratios:
        """Return the log ratios of the three walks."""
        scene = partition.scene
        order = scene.marks["sequence"]
        drawn = scene.swept - partition.honest.log + harvest_session(partition)
        drawn[~partition.related] = np.nan
        paced = partition.usual.log["pace"]
        rush = told(HASTE, scene.marks["pace"])
        either = np.log((np.exp(rush) + np.exp(paced)) / 2.0)
        walks = [
            drawn + tempo + told(chances, order, SILENT)
            for chances, tempo in ((_BY_IDENTIFIER, rush), (_BY_NAME, either))
        ]
        checks = drawn + partition.usual.log["sequence"] + paced
        # Rights of those whom the house knows are asked again by the hundred when a year begins.
        stranger = np.maximum(scene.marks["relation"], scene.marks["page"]) >= HOST
        checks = only_where(
            (scene.marks["manner"] == _CHECK) & stranger,
            checks + contrast(partition, "manner", _BY_RIGHTS),
        )
        return np.stack([*walks, checks]).T
