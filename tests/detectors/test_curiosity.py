"""Curiosity: several people whom the owner knows, and none of them by the way of work."""

import numpy as np
import pytest

from vigie.context.acquaintance import ACQUAINTANCES
from vigie.context.marks import Scene
from vigie.detectors import DETECTORS, fitting
from vigie.detectors.base import Partition
from vigie.detectors.curiosity import Curiosity
from vigie.testing.detectors import partition_of, small_log
from vigie.usual.profiles import Usual


@pytest.fixture(scope="module")
def quiet() -> Partition:
    return partition_of(small_log(days=4))


def ratio(quiet: Partition, mark: str, usual: float) -> float:
    """Return the ratio of units that bear a mark of this chance under "usual"."""
    code = ACQUAINTANCES.index(mark) if mark else -1
    marks = quiet.scene.marks | {"acquaintance": np.full(len(quiet.units), code, np.int8)}
    log = quiet.usual.log | {"acquaintance": np.full(len(quiet.units), np.log(usual))}
    looked = Partition(
        quiet.units, Scene(marks, quiet.scene.swept),
        Usual(log, quiet.usual.group, quiet.usual.groups), quiet.honest,
    )  # fmt: skip
    found = Curiosity().ratios(looked)
    assert (np.isnan(found) == np.isnan(found[0])).all()
    return float(found[0, 0])


def test_people_whom_the_owner_knows_speak_for_it_the_more_the_rarer(quiet) -> None:
    assert ratio(quiet, "relative", 0.001) > ratio(quiet, "relative", 0.01) > 0
    assert ratio(quiet, "teammate", 0.002) > ratio(quiet, "colleague", 0.01) > 0


def test_others_speak_against_it_and_a_common_name_says_little(quiet) -> None:
    assert ratio(quiet, "nobody", 0.98) < 0
    assert ratio(quiet, "namesake", 0.04) < 1


def test_ones_own_record_is_no_evidence(quiet) -> None:
    assert ratio(quiet, "self", 1e-6) == 0


def test_what_care_explains_says_nothing(quiet) -> None:
    assert np.isnan(ratio(quiet, "", 0.5))


def test_it_is_asked_only_where_the_owners_are_known() -> None:
    assert "curiosity" in DETECTORS
    assert "curiosity" not in fitting(DETECTORS, None)
